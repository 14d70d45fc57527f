//! Links that are slow: a relay before each node, which hands on every byte a fixed time after it came.
//!
//! It adds the time of a long wire to each direction, in order and without loss, and takes no bytes apart.

use super::fault;
use crate::failure::Failure;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Bytes read at once.
const PIECE: usize = 64 * 1024;
/// Pieces under way in one direction; a link that holds more makes its sender wait, as a full pipe does.
const UNDER_WAY: usize = 1_024;

/// The relays; they end with this value.
#[derive(Debug)]
pub(super) struct Links {
    _runtime: Runtime,
}

impl Links {
    /// A relay before each of these addresses, and where each listens.
    pub(super) fn before(
        targets: &[SocketAddr],
        delay: Duration,
    ) -> Result<(Self, Vec<SocketAddr>), Failure> {
        let broken = |why: std::io::Error| fault("a slow link", why);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(broken)?;
        let mut doors = Vec::with_capacity(targets.len());
        for target in targets {
            let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).map_err(broken)?;
            doors.push(listener.local_addr().map_err(broken)?);
            runtime.spawn(relay(listener, *target, delay));
        }
        Ok((Self { _runtime: runtime }, doors))
    }
}

async fn relay(listener: TcpListener, target: SocketAddr, delay: Duration) {
    // A connection that breaks is made again by the nodes.
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(target).await else { return };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
            tokio::spawn(carry(near_read, far_write, delay));
            tokio::spawn(carry(far_read, near_write, delay));
        });
    }
}

/// Carries one direction until an end closes.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    tokio::spawn(async move {
        loop {
            let mut piece = vec![0; PIECE];
            match from.read(&mut piece).await {
                Ok(read) if read > 0 => piece.truncate(read),
                _ => return,
            }
            piece.shrink_to_fit();
            if sender.send((Instant::now() + delay, piece)).await.is_err() {
                return;
            }
        }
    });
    while let Some((due, piece)) = pieces.recv().await {
        sleep_until(due).await;
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn every_byte_arrives_in_order_and_not_before_its_time() {
        let echo = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = echo.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = echo.accept().unwrap();
            let mut bytes = [0; 1_000];
            stream.read_exact(&mut bytes).unwrap();
            stream.write_all(&bytes).unwrap();
        });
        let delay = Duration::from_millis(60);
        let (_links, doors) = Links::before(&[target], delay).unwrap();
        let mut stream = std::net::TcpStream::connect(doors[0]).unwrap();
        let (start, sent) =
            (std::time::Instant::now(), std::array::from_fn::<u8, 1_000, _>(|at| at.to_le_bytes()[0]));
        stream.write_all(&sent).unwrap();
        let mut back = [0; 1_000];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, sent);
        assert!(start.elapsed() >= 2 * delay, "{:?}", start.elapsed());
    }
}
