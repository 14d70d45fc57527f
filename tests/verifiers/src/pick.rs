//! Choices from a seed.

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

/// A number below a bound that is not 0.
pub(crate) fn pick(rng: &mut ChaCha8Rng, below: usize) -> usize {
    usize::try_from(rng.next_u64() % below as u64).expect("below a usize")
}

/// Any byte.
pub(crate) fn pick_byte(rng: &mut ChaCha8Rng) -> u8 {
    rng.next_u64().to_le_bytes()[0]
}

/// A number that is nearly this one, or at an end.
pub(crate) fn near(rng: &mut ChaCha8Rng, number: u64) -> u64 {
    match pick(rng, 5) {
        0 => number.wrapping_add(1),
        1 => number.wrapping_sub(1),
        2 => 0,
        3 => u64::MAX,
        _ => rng.next_u64(),
    }
}

/// Flips a bit.
pub(crate) fn flip(rng: &mut ChaCha8Rng, bytes: &mut [u8]) {
    if !bytes.is_empty() {
        let at = pick(rng, bytes.len());
        bytes[at] ^= 1 << pick(rng, 8);
    }
}

/// Cuts bytes short, adds or removes one, or flips a bit.
pub(crate) fn change_bytes(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        bytes.push(pick_byte(rng));
        return;
    }
    match pick(rng, 4) {
        0 => bytes.truncate(pick(rng, bytes.len())),
        1 => bytes.push(pick_byte(rng)),
        2 => {
            let at = pick(rng, bytes.len());
            bytes.remove(at);
        }
        _ => flip(rng, bytes),
    }
}

/// Exchanges, adds, removes or changes a hash.
pub(crate) fn change_path(rng: &mut ChaCha8Rng, path: &mut Vec<[u8; 32]>) {
    let length = path.len();
    match pick(rng, 4) {
        0 if length > 1 => path.swap(pick(rng, length), 0),
        1 => path.push([pick_byte(rng); 32]),
        2 => {
            path.pop();
        }
        _ if length > 0 => {
            let at = pick(rng, length);
            flip(rng, &mut path[at]);
        }
        _ => {}
    }
}
