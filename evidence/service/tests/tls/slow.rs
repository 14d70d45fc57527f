//! Whoever is slow, or says nothing, gives its place back.

use crate::world::World;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a connection stays open on which these pieces are sent, one each second.
fn stays(world: &World, pieces: &[&[u8]]) -> Duration {
    let mut stream = TcpStream::connect(world.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let begun = Instant::now();
    let mut pieces = pieces.iter();
    while begun.elapsed() < Duration::from_secs(30) {
        if let Some(piece) = pieces.next()
            && stream.write_all(piece).is_err()
        {
            break;
        }
        match stream.read(&mut [0; 64]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    begun.elapsed()
}

#[test]
fn a_handshake_that_does_not_go_on_is_given_up_however_it_drips() {
    let world = World::new(false);
    // A record of 512 bytes is announced: a byte of it comes each second.
    let drip: Vec<&[u8]> =
        std::iter::once(&[22, 3, 1, 2, 0, 1][..]).chain(std::iter::repeat_n(&[0][..], 40)).collect();
    for pieces in [&[][..], &drip] {
        let stayed = stays(&world, pieces);
        assert!((8..15).contains(&stayed.as_secs()), "{stayed:?}");
    }
}
