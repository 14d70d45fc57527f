//! Which identities may be known: most deposits are new, and are told so without a look into the index.
//!
//! A filter that says *maybe* for everything that was added, and *no* for nearly everything else. It grows by layers,
//! each twice as large, so that nothing is added twice. What a depositor can choose are bits of a hash: finding many
//! that the filter takes for known costs looks into the index, never an answer.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Identities of the first layer.
const FIRST: usize = 1 << 20;
/// Bits for each, of which [`PROBES`] are set, all in one block of 512: one miss of the cache.
const BITS: usize = 16;
const PROBES: u32 = 6;
const BLOCK: usize = 8;

/// What may be known.
#[derive(Default)]
pub(super) struct Seen {
    layers: Vec<Layer>,
}

struct Layer {
    words: Vec<u64>,
    room: usize,
}

impl Seen {
    pub(super) fn add(&mut self, identity: &[u8; 32]) {
        if self.layers.last().is_none_or(|layer| layer.room == 0) {
            let room = FIRST << self.layers.len();
            self.layers.push(Layer { words: vec![0; room * BITS / 64], room });
        }
        let layer = self.layers.last_mut().expect("one was just made");
        layer.room -= 1;
        let (block, bits) = place(identity, layer.words.len() / BLOCK);
        for bit in bits {
            layer.words[block * BLOCK + bit / 64] |= 1 << (bit % 64);
        }
    }

    /// `false` only for what was never added.
    pub(super) fn maybe(&self, identity: &[u8; 32]) -> bool {
        self.layers.iter().any(|layer| {
            let (block, mut bits) = place(identity, layer.words.len() / BLOCK);
            bits.all(|bit| layer.words[block * BLOCK + bit / 64] & (1 << (bit % 64)) != 0)
        })
    }
}

/// The block of an identity, and its bits there.
fn place(identity: &[u8; 32], blocks: usize) -> (usize, impl Iterator<Item = usize> + use<>) {
    let [first, second] = words(identity);
    let block = usize::try_from(first % blocks as u64).expect("below the number of blocks");
    (block, (0..PROBES).map(move |probe| usize::try_from(second >> (9 * probe) & 511).expect("below 512")))
}

/// Sixteen bytes of a hash as two numbers.
fn words(identity: &[u8; 32]) -> [u64; 2] {
    let word =
        |from: usize| u64::from_le_bytes(*identity[from..].first_chunk().expect("an identity has 32 bytes"));
    [word(0), word(8)]
}

/// Hashes identities for a map. They are hashes already, so one multiplication under secret keys spreads them, whatever
/// records a depositor makes.
#[derive(Clone)]
pub(super) struct Keyed([u64; 2]);

impl Default for Keyed {
    fn default() -> Self {
        let random = RandomState::new();
        Self([random.hash_one(0), random.hash_one(1) | 1])
    }
}

impl BuildHasher for Keyed {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded { keys: self.0, state: 0 }
    }
}

/// See [`Keyed`].
pub(super) struct Folded {
    keys: [u64; 2],
    state: u64,
}

/// A product of 128 bits whose halves are folded into one.
fn folded(one: u64, other: u64) -> u64 {
    let wide = u128::from(one) * u128::from(other);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are folded into one")]
    let folded = (wide as u64) ^ ((wide >> 64) as u64);
    folded
}

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8).take(2) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed = self.state ^ u64::from_le_bytes(word) ^ self.keys[0];
            self.state = folded(mixed, self.keys[1]);
        }
    }

    fn write_usize(&mut self, _: usize) {
        // The length of what always has 32 bytes.
    }

    fn finish(&self) -> u64 {
        // Some keys spread neighbours over few places; after this one none does. The golden ratio of 2^64.
        folded(self.state, 0x9e37_79b9_7f4a_7c15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use zeugma_crypto::hash::sha256;

    fn identity(number: u64) -> [u8; 32] {
        sha256(&[&number.to_be_bytes()])
    }

    #[test]
    fn what_was_added_is_always_maybe_known_and_little_else_is() {
        let mut seen = Seen::default();
        assert!(!seen.maybe(&identity(0)));
        let count = FIRST as u64 * 3 + 7;
        (0..count).for_each(|number| seen.add(&identity(number)));
        assert_eq!(seen.layers.len(), 3);
        assert!((0..count).all(|number| seen.maybe(&identity(number))));
        let wrong = (count..count + 100_000).filter(|number| seen.maybe(&identity(*number))).count();
        assert!(wrong < 1_000, "{wrong} of 100,000 that were never added");
    }

    #[test]
    fn identities_of_one_beginning_spread_in_a_map() {
        let poor = [1, 3, (1 << 63) | 1].map(|key| Keyed([key, key]));
        for keyed in poor.into_iter().chain((0..100).map(|_| Keyed::default())) {
            let near = |number: u64| {
                let mut identity = [7; 32];
                identity[8..16].copy_from_slice(&number.to_le_bytes());
                keyed.hash_one(identity) >> 57
            };
            assert!((0..4_096).map(near).collect::<HashSet<_>>().len() > 100, "{:?}", keyed.0);
            assert_eq!(keyed.hash_one([7; 32]), keyed.hash_one([7; 32]));
        }
    }
}
