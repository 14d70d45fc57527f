//! An Ethereum chain in memory, from Deneb to Gloas, followed from one trusted slot in each of two periods.

use crate::{Seed, seed_of};
use std::sync::LazyLock;
use zeugma_adapter_core::MerklePath;
use zeugma_adapter_ethereum::container::Kind;
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::testnet::{Draft, Testnet};
use zeugma_adapter_ethereum::{Evidence, Profile, State, Update};
use zeugma_types::{BlockTime, Encode};

/// The chain, made once.
pub static CHAIN: LazyLock<Chain> = LazyLock::new(Chain::new);

/// The slot whose store is proved.
const PROVED: u64 = 24;

/// A chain, what is trusted of it, and all that it signed.
pub struct Chain {
    /// What the client was created with.
    pub profile: Profile,
    /// The states that it trusts, by the period they are of.
    pub trusted: [State; 2],
    /// The states of all finalized headers that a committee signed, other histories included.
    pub signed: Vec<State>,
    /// Later than all of them.
    pub now: BlockTime,
    /// Updates that are accepted.
    pub updates: Vec<Update>,
    /// Two headers of one slot, and two committees after one period.
    pub evidence: Vec<Evidence>,
    /// The state whose store is proved.
    pub proved: State,
}

impl Chain {
    fn new() -> Self {
        let net = Testnet::new(&[(Fork::Deneb, 0), (Fork::Electra, 8), (Fork::Gloas, 16)]);
        let drafts = [
            Draft::new(8, 24, 40, Kind::Finality),
            Draft { history: 1, ..Draft::new(8, 24, 40, Kind::Finality) },
            Draft::new(8, 72, 88, Kind::Full),
            Draft { history: 2, ..Draft::new(8, 80, 96, Kind::Full) },
            Draft::new(72, 136, 152, Kind::Full),
        ];
        let updates: Vec<_> = drafts.iter().map(|draft| net.update(draft)).collect();
        let pair =
            |one: usize, other: usize| Evidence { updates: [updates[one].clone(), updates[other].clone()] };
        Self {
            profile: net.profile(),
            trusted: [net.state_at(8), net.state_at(72)],
            signed: drafts.iter().map(|draft| net.state(draft)).collect(),
            now: net.time(200),
            evidence: vec![pair(0, 1), pair(2, 3)],
            proved: net.state_at(PROVED),
            updates,
        }
    }

    /// The trusted state of the period that a message is of.
    #[must_use]
    pub fn trusted_for(&self, update: &Update) -> &State {
        &self.trusted[usize::from(update.trusted_height == self.trusted[1].slot)]
    }

    /// Inputs of the target `ethereum_client`, by its choices.
    #[must_use]
    pub fn seeds(&self) -> Vec<Seed> {
        let updates = self.updates.iter().enumerate();
        let mut seeds: Vec<Seed> =
            updates.map(|(at, each)| seed_of(0, format!("update-{at}"), each.to_bytes())).collect();
        let pairs = self.evidence.iter().enumerate();
        seeds.extend(pairs.map(|(at, each)| seed_of(1, format!("evidence-{at}"), each.to_bytes())));
        seeds.push(seed_of(2, "profile", self.profile.to_bytes()));
        seeds.push(seed_of(3, "state", self.trusted[0].to_bytes()));
        seeds.extend(QUESTIONS.iter().enumerate().map(|(at, path)| {
            let choice = u8::try_from(at).expect("few questions") + 4;
            seed_of(choice, format!("proof-{at}"), Testnet::proof(PROVED, path).to_bytes())
        }));
        seeds
    }

    /// What the store holds under a path.
    #[must_use]
    pub fn held(path: &[u8]) -> Option<[u8; 32]> {
        Testnet::store(PROVED).into_iter().find(|(key, _)| key == path).map(|(_, value)| value)
    }
}

/// Paths that are asked for: some are there, some are not.
pub const QUESTIONS: &[&[u8]] = &[
    b"client-0\x01\0\0\0\0\0\0\0\x05",
    b"short",
    b"height",
    b"client-0\x02\0\0\0\0\0\0\0\x05",
    b"client-1\x01\0\0\0\0\0\0\0\x05",
    b"nothing",
];

/// The question as a path.
///
/// # Panics
/// Never: the paths are short.
#[must_use]
pub fn path(question: &[u8]) -> MerklePath {
    MerklePath::new(vec![question.into()]).expect("a short path")
}
