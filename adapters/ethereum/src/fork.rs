//! Which rules hold when: the forks of a chain, and what each changed for a light client.
//!
//! | fork | finalized root | current committee | next committee | execution |
//! |---|---|---|---|---|
//! | Altair, Bellatrix | 105 | 54 | 55 | not proved |
//! | Capella, Deneb | 105 | 54 | 55 | payload header at 25 of the body |
//! | Electra, Fulu | 169 | 86 | 87 | payload header at 25 of the body |
//! | Gloas | 735 | 2945 | 2946 | block hash at 2856 of the body |
//!
//! The index is chosen by the epoch of the header whose state or body is opened, and the epochs come from
//! the client's profile: nothing in a message chooses it.
//!
//! Source: consensus-specs `specs/{altair,capella,deneb,electra,gloas}/light-client/sync-protocol.md`.

use crate::ssz::{Root, pair, short};
use alloc::vec::Vec;
use zeugma_types::codec::put_list;
use zeugma_types::{BlockTime, Code, Decode, Encode, Reader, Refusal, Span};

/// A set of consensus rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Fork {
    /// Sync committees.
    Altair = 1,
    /// The merge.
    Bellatrix = 2,
    /// Withdrawals; light clients learn the execution payload.
    Capella = 3,
    /// Blobs.
    Deneb = 4,
    /// A larger beacon state.
    Electra = 5,
    /// Data columns.
    Fulu = 6,
    /// Progressive containers; payloads apart from blocks.
    Gloas = 7,
}

/// Where a fork keeps what a light client opens: generalized indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indices {
    /// The finalized checkpoint's root in the beacon state.
    pub finalized: u64,
    /// The current sync committee in the beacon state.
    pub current: u64,
    /// The next sync committee in the beacon state.
    pub next: u64,
}

/// The execution payload in the block's body, Capella to Fulu.
pub const PAYLOAD: u64 = 25;
/// The hash of the execution block in the block's body, Gloas.
pub const BLOCK_HASH_GLOAS: u64 = 2856;
/// The block hash in the payload's header, below [`PAYLOAD`]: Capella has 16 leaves, Deneb 32.
pub const BLOCK_HASH_IN_PAYLOAD: [u64; 2] = [16 + 12, 32 + 12];

impl Fork {
    /// Every fork, in order.
    pub const ALL: [Self; 7] =
        [Self::Altair, Self::Bellatrix, Self::Capella, Self::Deneb, Self::Electra, Self::Fulu, Self::Gloas];

    /// The number in encodings.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name that beacon nodes and configurations use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Altair => "altair",
            Self::Bellatrix => "bellatrix",
            Self::Capella => "capella",
            Self::Deneb => "deneb",
            Self::Electra => "electra",
            Self::Fulu => "fulu",
            Self::Gloas => "gloas",
        }
    }

    /// The fork of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fork| fork.name() == name)
    }

    /// The row of the table.
    #[must_use]
    pub const fn indices(self) -> Indices {
        match self {
            Self::Altair | Self::Bellatrix | Self::Capella | Self::Deneb => {
                Indices { finalized: 105, current: 54, next: 55 }
            }
            Self::Electra | Self::Fulu => Indices { finalized: 169, current: 86, next: 87 },
            Self::Gloas => Indices { finalized: 735, current: 2945, next: 2946 },
        }
    }
}

impl Encode for Fork {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.number());
    }
}

impl Decode for Fork {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let number = reader.u8()?;
        let found = Self::ALL.into_iter().find(|fork| fork.number() == number);
        found.ok_or_else(|| Refusal::new(Code::UnknownTag).found(number))
    }
}

/// When a fork begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Which.
    pub fork: Fork,
    /// Its version, which signatures are made under.
    pub version: [u8; 4],
    /// Its first epoch.
    pub epoch: u64,
}

/// The consensus parameters of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Tells chains apart: every signature is made under it.
    pub genesis_validators_root: Root,
    /// When slot 0 began.
    pub genesis_time: BlockTime,
    /// Length of a slot.
    pub slot_time: Span,
    /// Slots of an epoch.
    pub slots_per_epoch: u32,
    /// Epochs for which a sync committee serves.
    pub epochs_per_period: u32,
    /// Seats of a sync committee.
    pub committee_size: u32,
    /// The forks that have an epoch, in order. Epochs before the first have no light client.
    pub forks: Vec<Activation>,
}

impl Chain {
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 32 + 8 + 8 + 4 + 4 + 4 + 4 + Fork::ALL.len() * 13;

    /// Checks the relations between the fields.
    ///
    /// # Errors
    /// [`Code::BadProfile`] with the relation that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |relation| Err(Refusal::new(Code::BadProfile).needed(relation));
        if self.genesis_validators_root == [0; 32] {
            return bad("a genesis validators root that is not zero");
        }
        if self.slot_time == Span::ZERO || self.slots_per_epoch == 0 || self.epochs_per_period == 0 {
            return bad("slots, epochs and periods above zero");
        }
        if !self.committee_size.is_power_of_two() || !(32..=512).contains(&self.committee_size) {
            return bad("a committee of 32 to 512 seats, a power of two");
        }
        if self.forks.is_empty() {
            return bad("a fork that has light clients");
        }
        let grows = |pair: &[Activation]| pair[0].fork < pair[1].fork && pair[0].epoch <= pair[1].epoch;
        if !self.forks.windows(2).all(grows) {
            return bad("forks in their order, at epochs that do not shrink");
        }
        if self.forks.windows(2).any(|pair| pair[0].version == pair[1].version) {
            return bad("a version for each fork");
        }
        Ok(())
    }

    /// The epoch of a slot.
    #[must_use]
    pub fn epoch(&self, slot: u64) -> u64 {
        slot / u64::from(self.slots_per_epoch).max(1)
    }

    /// Slots for which a sync committee serves.
    #[must_use]
    pub fn slots_per_period(&self) -> u64 {
        (u64::from(self.slots_per_epoch) * u64::from(self.epochs_per_period)).max(1)
    }

    /// The sync committee period of a slot.
    #[must_use]
    pub fn period(&self, slot: u64) -> u64 {
        slot / self.slots_per_period()
    }

    /// The fork whose rules hold in a slot.
    ///
    /// # Errors
    /// [`Code::BadHeader`] before the first fork with light clients.
    pub fn fork(&self, slot: u64) -> Result<Activation, Refusal> {
        let epoch = self.epoch(slot);
        let found = self.forks.iter().rev().find(|activation| activation.epoch <= epoch);
        found.copied().ok_or_else(|| Refusal::new(Code::BadHeader).needed("a slot after Altair").found(slot))
    }

    /// When a slot begins, or `None` past the end of time.
    #[must_use]
    pub fn time(&self, slot: u64) -> Option<BlockTime> {
        let since = slot.checked_mul(self.slot_time.get())?;
        self.genesis_time.after(Span::millis(since))
    }

    /// What the members of a sync committee sign when they see `header` as the head, in the slot
    /// `signature_slot`: under the version of the slot before it.
    ///
    /// # Errors
    /// As [`Chain::fork`].
    pub fn signing_root(&self, header: &Root, signature_slot: u64) -> Result<Root, Refusal> {
        let version = self.fork(signature_slot.max(1) - 1)?.version;
        let fork_data = fork_data(version, &self.genesis_validators_root);
        let mut domain = [0; 32];
        domain[0] = DOMAIN_SYNC_COMMITTEE;
        domain[4..].copy_from_slice(&fork_data[..28]);
        Ok(pair(header, &domain))
    }
}

/// The first byte of the domain of sync committee signatures; three zeros follow.
const DOMAIN_SYNC_COMMITTEE: u8 = 7;

/// The root of a version on a chain; messages name a fork by its first four bytes.
#[must_use]
pub fn fork_data(version: [u8; 4], genesis_validators_root: &Root) -> Root {
    pair(&short(&version), genesis_validators_root)
}

impl Encode for Chain {
    fn encode(&self, out: &mut Vec<u8>) {
        self.genesis_validators_root.encode(out);
        self.genesis_time.encode(out);
        self.slot_time.encode(out);
        self.slots_per_epoch.encode(out);
        self.epochs_per_period.encode(out);
        self.committee_size.encode(out);
        put_list(out, &self.forks, |out, each| {
            each.fork.encode(out);
            each.version.encode(out);
            each.epoch.encode(out);
        });
    }
}

impl Decode for Chain {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            genesis_validators_root: reader.array()?,
            genesis_time: BlockTime::decode(reader)?,
            slot_time: Span::decode(reader)?,
            slots_per_epoch: reader.u32()?,
            epochs_per_period: reader.u32()?,
            committee_size: reader.u32()?,
            forks: reader.list(Fork::ALL.len(), |r| {
                Ok(Activation { fork: Fork::decode(r)?, version: r.array()?, epoch: r.u64()? })
            })?,
        })
    }
}
