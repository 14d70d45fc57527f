//! Sync committees, and the memory of those whose keys were read before.
//!
//! A committee is believed by its root. Its keys are decompressed and found to be in the subgroup once:
//! that takes some tens of milliseconds for 512 keys, and a [`Memory`] keeps what it gave. A memory answers
//! only for the very bytes it read, so it changes the time of a verdict and never the verdict.
//!
//! Source: consensus-specs `specs/altair/beacon-chain.md`, `SyncCommittee`.

use crate::ssz::{Root, merkleize, pair, short};
use alloc::sync::Arc;
use alloc::vec::Vec;
use zeugma_crypto::bls::Ciphersuite;
use zeugma_crypto::bls::min_pk::{Group, KEY_LENGTH, PublicKey, SIGNATURE_LENGTH};
use zeugma_types::{Code, Refusal};

/// A sync committee as it is serialized: the keys of its seats, then their sum.
#[derive(Clone, PartialEq, Eq)]
pub struct Committee(Vec<u8>);

impl Committee {
    /// Most seats.
    pub const MAX_SEATS: usize = 512;
    /// Longest serialization, in bytes.
    pub const MAX_BYTES: usize = Self::length(Self::MAX_SEATS);

    /// Length of a serialized committee of `seats`.
    #[must_use]
    pub const fn length(seats: usize) -> usize {
        (seats + 1) * KEY_LENGTH
    }

    /// Takes serialized bytes.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for a number of seats that is no power of two from 32 to 512.
    pub fn new(bytes: &[u8]) -> Result<Self, Refusal> {
        let seats = (bytes.len() / KEY_LENGTH).saturating_sub(1);
        let whole = bytes.len() == Self::length(seats);
        if !whole || !seats.is_power_of_two() || !(32..=Self::MAX_SEATS).contains(&seats) {
            return Err(Refusal::new(Code::OutOfRange).needed(Self::MAX_BYTES).found(bytes.len()));
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Number of seats.
    #[must_use]
    pub fn seats(&self) -> usize {
        self.0.len() / KEY_LENGTH - 1
    }

    /// Whether every byte is zero: what stands where a container has no committee.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// The root by which the beacon state names the committee.
    #[must_use]
    pub fn root(&self) -> Root {
        let mut leaves: Vec<Root> = self.0.chunks_exact(KEY_LENGTH).map(key_root).collect();
        let sum = leaves.pop().unwrap_or_default();
        let depth = leaves.len().ilog2();
        pair(&merkleize(leaves, depth), &sum)
    }
}

impl core::fmt::Debug for Committee {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Committee of {}", self.seats())
    }
}

fn key_root(key: &[u8]) -> Root {
    pair(&short(&key[..32]), &short(&key[32..]))
}

/// A committee whose keys were read.
#[derive(Debug)]
pub struct Keys {
    committee: Committee,
    root: Root,
    group: Group,
}

impl Keys {
    /// Reads every key.
    ///
    /// # Errors
    /// [`Code::BadKey`] with the seat.
    pub fn read(committee: &Committee) -> Result<Self, Refusal> {
        Self::read_with_root(committee, committee.root())
    }

    fn read_with_root(committee: &Committee, root: Root) -> Result<Self, Refusal> {
        let seats = committee.0.chunks_exact(KEY_LENGTH).take(committee.seats());
        let keys = seats.enumerate().map(|(seat, bytes)| {
            let mut key = [0; KEY_LENGTH];
            key.copy_from_slice(bytes);
            PublicKey::parse(&key).map_err(|refusal| refusal.found(seat))
        });
        let group = Group::new(keys.collect::<Result<_, _>>()?)?;
        Ok(Self { committee: committee.clone(), root, group })
    }

    /// The committee's root.
    #[must_use]
    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// Checks the aggregate of the signatures of the seats in `signed` over `message`.
    ///
    /// # Errors
    /// As [`Group::verify`].
    pub fn verify(
        &self,
        signed: &[bool],
        message: &Root,
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Result<(), Refusal> {
        self.group.verify(Ciphersuite::ProofOfPossession, signed, message, signature)
    }
}

/// Committees whose keys were read, newest last. Holds none when its room is zero.
#[derive(Debug, Default)]
pub struct Memory {
    room: usize,
    held: Vec<Arc<Keys>>,
}

impl Memory {
    /// A memory that forgets at once.
    #[must_use]
    pub const fn none() -> Self {
        Self { room: 0, held: Vec::new() }
    }

    /// A memory of `room` committees; one of 512 seats takes about 100 kB.
    #[must_use]
    pub const fn of(room: usize) -> Self {
        Self { room, held: Vec::new() }
    }

    /// The root of a committee; for one held, without hashing.
    #[must_use]
    pub fn root(&self, committee: &Committee) -> Root {
        self.find(committee).map_or_else(|| committee.root(), |keys| keys.root)
    }

    /// The keys of a committee whose root is `root`.
    ///
    /// # Errors
    /// As [`Keys::read`].
    pub fn keys(&mut self, committee: &Committee, root: Root) -> Result<Arc<Keys>, Refusal> {
        if let Some(keys) = self.find(committee) {
            return Ok(Arc::clone(keys));
        }
        let keys = Arc::new(Keys::read_with_root(committee, root)?);
        if self.room > 0 {
            if self.held.len() >= self.room {
                self.held.remove(0);
            }
            self.held.push(Arc::clone(&keys));
        }
        Ok(keys)
    }

    fn find(&self, committee: &Committee) -> Option<&Arc<Keys>> {
        self.held.iter().rev().find(|keys| keys.committee == *committee)
    }
}
