//! A chain of test validators, for tests of this family and of what is built on it.
//!
//! Blocks are made and signed as a CometBFT network would; their application hash is that of a Cosmos
//! store whose proofs [`store`] makes. Keys come from small numbers: nothing here guards anything.

pub mod json;
pub mod store;

use crate::commit::{Commit, CommitSig, SignedHeader, Vote};
use crate::header::{BlockId, Header, PartSetHeader};
use crate::key::PublicKey;
use crate::profile::{Profile, Store, TrustLevel};
use crate::time::Time;
use crate::update::Update;
use crate::validators::{Validator, ValidatorSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use zeugma_crypto::hash::sha256;
use zeugma_crypto::{ecdsa::secp256k1, ed25519};
use zeugma_types::{BlockTime, Height, Span, Weight};

/// The secret key of a test validator.
#[derive(Clone, Debug)]
pub enum Secret {
    /// Ed25519.
    Ed25519(ed25519::SecretKey),
    /// ECDSA on secp256k1.
    Secp256k1(secp256k1::SecretKey),
}

impl Secret {
    /// The Ed25519 key of a number.
    #[must_use]
    pub fn ed25519(number: u64) -> Self {
        Self::Ed25519(ed25519::SecretKey::from_seed(&sha256(&[b"validator", &number.to_be_bytes()])))
    }

    /// The secp256k1 key of a number.
    ///
    /// # Panics
    /// Never: the hash of a small number is below the order of the group but with a chance of 2^-127.
    #[must_use]
    pub fn secp256k1(number: u64) -> Self {
        let seed = sha256(&[b"validator", &number.to_be_bytes()]);
        Self::Secp256k1(secp256k1::SecretKey::parse(&seed).expect("a hash is below the group's order"))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Ed25519(key) => PublicKey::Ed25519(*key.public().as_bytes()),
            Self::Secp256k1(key) => PublicKey::Secp256k1(key.public().to_bytes()),
        }
    }

    /// Signs what a validator signs.
    ///
    /// # Panics
    /// Never: the first 64 of 65 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        match self {
            Self::Ed25519(key) => key.sign_foreign(message),
            Self::Secp256k1(key) => {
                let signature = key.sign_foreign(&sha256(&[message]));
                *signature.first_chunk().expect("a recoverable signature has 65 bytes")
            }
        }
    }
}

/// A test validator.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its secret key.
    pub secret: Secret,
    /// Its power.
    pub power: u64,
}

/// The test validators of one height, in CometBFT's order.
#[derive(Clone, Debug)]
pub struct Committee {
    members: Vec<Member>,
}

impl Committee {
    /// Orders the members by power and address, as CometBFT does.
    #[must_use]
    pub fn new(mut members: Vec<Member>) -> Self {
        members.sort_by_cached_key(|each| (Reverse(each.power), each.secret.public().address()));
        Self { members }
    }

    /// Members with the Ed25519 keys of these numbers, all of power 10.
    #[must_use]
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        let member = |number| Member { secret: Secret::ed25519(number), power: 10 };
        Self::new(numbers.into_iter().map(member).collect())
    }

    /// The members, in the order of the set.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The set as headers name it.
    ///
    /// # Panics
    /// When there are no members, two have one key, or a power is zero.
    #[must_use]
    pub fn validators(&self) -> ValidatorSet {
        let validator = |each: &Member| Validator {
            key: each.secret.public(),
            power: Weight::new(each.power).expect("a test validator has power"),
        };
        ValidatorSet::new(self.members.iter().map(validator).collect()).expect("test validators are a set")
    }
}

/// What a validator does in a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ballot {
    /// Votes for the block.
    For,
    /// Votes for no block.
    Nil,
    /// Does not vote.
    Absent,
}

/// A test chain.
#[derive(Clone, Debug)]
pub struct Testnet {
    /// Its identifier.
    pub chain_id: String,
    /// Time of height 0, in milliseconds; each block is [`Testnet::BLOCK`] later than the one before.
    pub genesis: BlockTime,
}

impl Testnet {
    /// Between two blocks.
    pub const BLOCK: Span = Span::seconds(5);

    /// A chain that began in November 2023.
    #[must_use]
    pub fn new(chain_id: &str) -> Self {
        Self { chain_id: chain_id.into(), genesis: BlockTime::new(1_700_000_000_000) }
    }

    /// A profile with ordinary periods: trusted for two weeks of three.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let day = 24 * 60 * 60;
        Profile {
            chain_id: self.chain_id.clone(),
            trust_level: TrustLevel::ONE_THIRD,
            trusting_period: Span::seconds(14 * day),
            unbonding_period: Span::seconds(21 * day),
            max_drift: Span::seconds(10),
            store: Store::Cosmos,
        }
    }

    /// The time of a height.
    ///
    /// # Panics
    /// For heights past the year 9999.
    #[must_use]
    pub fn time_at(&self, height: u64) -> BlockTime {
        let age = Span::millis(height.saturating_mul(Self::BLOCK.get()));
        self.genesis.after(age).expect("a test chain is young")
    }

    /// The header of a height, with nanoseconds so that rounding shows.
    ///
    /// # Panics
    /// For heights past the year 9999.
    #[must_use]
    pub fn header(&self, height: u64, now: &Committee, next: &Committee, app_hash: [u8; 32]) -> Header {
        let millis = self.time_at(height).get();
        let seconds = i64::try_from(millis / 1_000).expect("a test chain is young");
        let tag = |what: &[u8]| Some(sha256(&[what, &height.to_be_bytes()]));
        Header {
            app_version: 1,
            chain_id: self.chain_id.clone(),
            height: Height::new(height),
            time: Time::new(seconds, 123_456_789).expect("a test chain is young"),
            last_block_id: BlockId {
                hash: tag(b"last"),
                parts: PartSetHeader { total: 1, hash: tag(b"parts") },
            },
            last_commit_hash: tag(b"commit"),
            data_hash: tag(b"data"),
            validators_hash: now.validators().hash(),
            next_validators_hash: next.validators().hash(),
            consensus_hash: tag(b"parameters"),
            app_hash: app_hash.into(),
            last_results_hash: tag(b"results"),
            evidence_hash: tag(b"evidence"),
            proposer_address: now.members()[0].secret.public().address(),
        }
    }

    /// The header with the commit in which the members cast these ballots.
    #[must_use]
    pub fn sign(
        &self,
        header: Header,
        committee: &Committee,
        ballot: impl Fn(usize) -> Ballot,
    ) -> SignedHeader {
        let block_id = BlockId {
            hash: Some(header.hash()),
            parts: PartSetHeader { total: 1, hash: Some(sha256(&[b"parts", &header.hash()])) },
        };
        let mut commit = Commit { height: header.height, round: 1, block_id, signatures: Vec::new() };
        let sign_bytes = commit.sign_bytes(&self.chain_id);
        let entry = |(index, member): (usize, &Member)| {
            let vote = Vote {
                address: member.secret.public().address(),
                timestamp: header.time,
                signature: [0; 64],
            };
            let unsigned = match ballot(index) {
                Ballot::Absent => return CommitSig::Absent,
                Ballot::For => CommitSig::For(vote),
                Ballot::Nil => CommitSig::Nil(vote),
            };
            let signature = member.secret.sign(&sign_bytes.of(&unsigned).unwrap_or_default());
            match unsigned {
                CommitSig::Nil(vote) => CommitSig::Nil(Vote { signature, ..vote }),
                _ => CommitSig::For(Vote { signature, ..vote }),
            }
        };
        commit.signatures = committee.members().iter().enumerate().map(entry).collect();
        SignedHeader { header, commit }
    }

    /// An update from `trusted_height` to a header of `height` that all of `now` signed.
    #[must_use]
    pub fn update(
        &self,
        trusted_height: u64,
        trusted_next: &Committee,
        header: Header,
        now: &Committee,
    ) -> Update {
        let signed = self.sign(header, now, |_| Ballot::For);
        Update::new(Height::new(trusted_height), signed, now.validators(), trusted_next.validators())
    }
}
