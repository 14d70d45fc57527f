//! A CometBFT chain in memory, followed from one trusted height, with the stores behind two of its
//! application hashes.

use crate::{Seed, seed_of};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use zeugma_adapter_cometbft::header::Header;
use zeugma_adapter_cometbft::testnet::store::Multistore;
use zeugma_adapter_cometbft::testnet::{Ballot, Committee, Member, Secret, Testnet};
use zeugma_adapter_cometbft::{Evidence, Profile, State, Update};
use zeugma_adapter_core::MerklePath;
use zeugma_types::{BlockTime, Encode, Height};

/// The chain, made once.
pub static CHAIN: LazyLock<Chain> = LazyLock::new(Chain::new);

/// The height that the client trusts.
const TRUSTED: u64 = 10;

/// Keys and values of each store.
type Stores = BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>>;

/// A chain, what is trusted of it, and all that it signed.
pub struct Chain {
    /// What the client was created with.
    pub profile: Profile,
    /// The state that it trusts.
    pub trusted: State,
    /// The states of all headers that the chain's validators signed, forks included.
    pub signed: Vec<State>,
    /// Later than all of them.
    pub now: BlockTime,
    /// Updates and evidence that are accepted.
    pub updates: Vec<Update>,
    /// Two headers of one height, and the same two the other way round.
    pub evidence: Vec<Evidence>,
    /// The stores under the trusted application hash.
    pub stores: Stores,
    multistore: Multistore,
}

fn stores() -> Stores {
    let bank = ["alice", "bob", "carol", "dora", "erin"].map(|name| (name.into(), b"7".to_vec()));
    let ibc = (1..=6).map(|n| (format!("commitments/{n}").into(), format!("packet {n}").into()));
    BTreeMap::from([
        (b"bank".to_vec(), BTreeMap::from(bank)),
        (b"ibc".to_vec(), ibc.collect()),
        (b"staking".to_vec(), BTreeMap::from([(b"one".to_vec(), b"1".to_vec())])),
    ])
}

impl Chain {
    fn new() -> Self {
        let chain = Testnet::new("zeus-1");
        let stores = stores();
        let multistore = Multistore::new(&stores);
        let app_hash = multistore.app_hash();
        let (first, second) = (Committee::of(1..=4), Committee::of(2..=5));
        let keys = [Secret::ed25519(1), Secret::secp256k1(2), Secret::secp256k1(3), Secret::ed25519(4)];
        let mixed = keys.into_iter().zip([9, 8, 7, 6]).map(|(secret, power)| Member { secret, power });
        let mixed = Committee::new(mixed.collect());
        // One trusted state announces the first set: adjacent headers are signed by it, later ones by it
        // or by a set that shares three of four members.
        let header = |height, now: &Committee| chain.header(height, now, now, app_hash);
        let mut other_fork = header(TRUSTED + 10, &first);
        other_fork.app_hash = vec![7; 32];
        let blocks: Vec<(Header, &Committee)> = vec![
            (header(TRUSTED + 1, &first), &first),
            (header(TRUSTED + 10, &first), &first),
            (header(TRUSTED + 10, &second), &second),
            (other_fork, &first),
            (chain.header(TRUSTED + 1, &first, &mixed, app_hash), &first),
        ];
        let updates: Vec<_> = blocks
            .iter()
            .map(|(header, now)| chain.update(TRUSTED, &first, header.clone(), now))
            .chain([{
                let signed = chain.sign(blocks[1].0.clone(), &first, |index| match index {
                    3 => Ballot::Nil,
                    _ => Ballot::For,
                });
                Update::new(Height::new(TRUSTED), signed, first.validators(), first.validators())
            }])
            .collect();
        let evidence =
            |one: usize, other: usize| Evidence { blocks: [updates[one].clone(), updates[other].clone()] };
        Self {
            profile: chain.profile(),
            trusted: State::of(&chain.header(TRUSTED, &first, &first, app_hash)),
            signed: blocks.iter().map(|(header, _)| State::of(header)).collect(),
            now: BlockTime::new(chain.time_at(TRUSTED + 10).get() + 1_000),
            evidence: vec![evidence(1, 3), evidence(3, 1), evidence(0, 4)],
            updates,
            stores,
            multistore,
        }
    }

    /// Inputs of the target `ics23`: existence and absence of keys at every place, each as the choice
    /// of a question and a proof.
    #[must_use]
    pub fn store_seeds(&self) -> Vec<Seed> {
        let questions = QUESTIONS.iter().zip(0_u8..);
        let proof = |((store, key), choice): (&(&str, &str), u8)| {
            let (store, key) = (store.as_bytes(), key.as_bytes());
            let there = self.multistore.membership(store, key);
            let proof =
                there.or_else(|| self.multistore.non_membership(store, key)).expect("a store of ours");
            seed_of(choice, format!("key-{choice}"), proof)
        };
        questions.map(proof).collect()
    }
}

/// Stores and keys that are asked for: some are there, some are not.
pub const QUESTIONS: &[(&str, &str)] = &[
    ("ibc", "commitments/1"),
    ("ibc", "commitments/4"),
    ("ibc", "commitments/6"),
    ("staking", "one"),
    ("bank", "carol"),
    ("ibc", "a"),
    ("ibc", "commitments/15"),
    ("ibc", "commitments/45"),
    ("ibc", "z"),
    ("staking", "two"),
    ("bank", "bo"),
];

/// The question as a path.
///
/// # Panics
/// Never: the paths are short.
#[must_use]
pub fn path((store, key): (&str, &str)) -> MerklePath {
    MerklePath::new(vec![store.into(), key.into()]).expect("a short path")
}

/// Encodings of what moves or freezes the client, with their choices in the target `cometbft_client`.
#[must_use]
pub fn client_seeds(update: u8, evidence: u8) -> Vec<Seed> {
    let updates = CHAIN.updates.iter().enumerate();
    let updates = updates.map(|(at, each)| seed_of(update, format!("update-{at}"), each.to_bytes()));
    let pairs = CHAIN.evidence.iter().enumerate();
    let pairs = pairs.map(|(at, each)| seed_of(evidence, format!("evidence-{at}"), each.to_bytes()));
    updates.chain(pairs).collect()
}
