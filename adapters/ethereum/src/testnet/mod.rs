//! A chain of test keys, and tries that prove keys, for tests.
//!
//! The chain has one committee for each period, whose keys are derived from the period's number. A header's
//! state and body are trees in which only what a light client opens has a meaning; everything else is
//! filler. The execution state of each slot holds a router with the same commitments and one that differs.

pub mod trie;
pub mod wire;

pub use trie::Trie;

use crate::account::{STOCK_COMMITMENTS, commitment_slot};
use crate::block::BlockHeader;
use crate::committee::Committee;
use crate::container::{Bootstrap, Kind, LightUpdate};
use crate::fork::{Activation, BLOCK_HASH_GLOAS, Chain, Fork, PAYLOAD};
use crate::header::{BeaconHeader, Execution, LightHeader, Payload};
use crate::profile::Profile;
use crate::rlp::{put_bytes, put_list, put_number_of};
use crate::ssz::{Root, number, pair};
use crate::state::State;
use crate::trie::EMPTY_ROOT;
use crate::update::{StoreProof, Update};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use zeugma_crypto::bls::Ciphersuite;
use zeugma_crypto::bls::min_pk::SecretKey;
use zeugma_crypto::hash::{keccak256, sha256};
use zeugma_types::{BlockTime, Height, Span};

/// A committee with its secrets.
pub struct Members {
    /// What the chain knows of it.
    pub committee: Committee,
    secrets: Vec<SecretKey>,
}

impl Members {
    /// The committee of `seats` that `seed` names. The last two seats are one member's.
    ///
    /// # Panics
    /// For a number of seats that no committee has.
    #[must_use]
    pub fn new(seed: &[u8], seats: usize) -> Self {
        let derive = |seat: usize| {
            let seat = seat.min(seats - 2).to_be_bytes();
            SecretKey::derive(&sha256(&[b"member", seed, &seat])).expect("32 bytes are enough")
        };
        let secrets: Vec<_> = (0..seats).map(derive).collect();
        let mut bytes: Vec<u8> = secrets.iter().flat_map(|secret| secret.public().to_bytes()).collect();
        bytes.extend(sum(secrets.iter()).public().to_bytes());
        Self { committee: Committee::new(&bytes).expect("a power of two of seats"), secrets }
    }

    /// The aggregate of the signatures of these seats, in any order; a seat may come twice.
    #[must_use]
    pub fn sign(&self, seats: &[usize], message: &Root) -> [u8; 96] {
        if seats.is_empty() {
            return [0; 96];
        }
        sum(seats.iter().map(|seat| &self.secrets[*seat]))
            .sign_foreign(Ciphersuite::ProofOfPossession, message)
    }
}

/// The key that signs as all of these together: the sum of the secrets.
fn sum<'a>(secrets: impl Iterator<Item = &'a SecretKey>) -> SecretKey {
    let mut total = [0_u8; 32];
    for secret in secrets {
        add(&mut total, &secret.expose());
    }
    SecretKey::parse(&total).expect("the sum of a few secrets is not zero")
}

/// The order of the group.
const ORDER: [u8; 32] = [
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05, 0x53,
    0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
];

/// Adds modulo [`ORDER`]; both are below it, so the sum has no carry out of its 256 bits.
fn add(total: &mut [u8; 32], other: &[u8; 32]) {
    let mut carry = 0;
    for (digit, other) in total.iter_mut().zip(other).rev() {
        let sum = u16::from(*digit) + u16::from(*other) + carry;
        (*digit, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    if *total >= ORDER {
        let mut borrow = 0;
        for (digit, order) in total.iter_mut().zip(&ORDER).rev() {
            let difference = 256 + i32::from(*digit) - i32::from(*order) - borrow;
            (*digit, borrow) = (difference.to_le_bytes()[0], i32::from(difference < 256));
        }
    }
}

/// A tree of which only some nodes have a meaning.
#[derive(Clone, Debug, Default)]
pub struct Sparse(BTreeMap<u64, Root>);

impl Sparse {
    /// A tree with these nodes, none below another.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = (u64, Root)>) -> Self {
        Self(nodes.into_iter().collect())
    }

    /// The node at a generalized index.
    #[must_use]
    pub fn node(&self, index: u64) -> Root {
        if let Some(node) = self.0.get(&index) {
            return *node;
        }
        let depth = index.ilog2();
        let is_above = |other: &u64| other.ilog2() > depth && other >> (other.ilog2() - depth) == index;
        if self.0.keys().any(is_above) {
            return pair(&self.node(2 * index), &self.node(2 * index + 1));
        }
        sha256(&[b"filler", &index.to_be_bytes()])
    }

    /// The siblings from a node up to the root.
    #[must_use]
    pub fn branch(&self, index: u64) -> Vec<Root> {
        let depth = index.ilog2();
        (0..depth).map(|level| self.node((index >> level) ^ 1)).collect()
    }
}

/// What a test asks of an update.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Slot of the trusted state.
    pub trusted: u64,
    /// Slot of the finalized header.
    pub finalized: u64,
    /// Slot of the attested header.
    pub attested: u64,
    /// Slot of the signature.
    pub signature: u64,
    /// Whether the next committee comes along.
    pub kind: Kind,
    /// Tells histories apart: 0 is the chain's own.
    pub history: u8,
    /// Tells attested headers of one history apart.
    pub head: u8,
}

impl Draft {
    /// An update of the chain's own history, signed in the slot after its attested header.
    #[must_use]
    pub const fn new(trusted: u64, finalized: u64, attested: u64, kind: Kind) -> Self {
        Self { trusted, finalized, attested, signature: attested + 1, kind, history: 0, head: 0 }
    }
}

/// The chain.
pub struct Testnet {
    /// Its parameters.
    pub chain: Chain,
    members: Vec<Members>,
}

impl Testnet {
    /// Seconds of a slot.
    pub const SLOT: u64 = 6;
    /// The router.
    pub const ROUTER: [u8; 20] = [0x26; 20];

    /// A chain of the minimal preset that lives through these forks, each from its first epoch on.
    #[must_use]
    pub fn new(forks: &[(Fork, u64)]) -> Self {
        Self::of_seats(32, forks)
    }

    /// As [`Testnet::new`], with committees of `seats`.
    #[must_use]
    pub fn of_seats(seats: u32, forks: &[(Fork, u64)]) -> Self {
        let activation = |(fork, epoch): &(Fork, u64)| Activation {
            fork: *fork,
            version: [fork.number(), 0, 0, 1],
            epoch: *epoch,
        };
        let chain = Chain {
            genesis_validators_root: sha256(&[b"testnet"]),
            genesis_time: BlockTime::new(1_700_000_000_000),
            slot_time: Span::seconds(Self::SLOT),
            slots_per_epoch: 8,
            epochs_per_period: 8,
            committee_size: seats,
            forks: forks.iter().map(activation).collect(),
        };
        let members = |period: u8| Members::new(&[period], seats as usize);
        Self { chain, members: (0..6).map(members).collect() }
    }

    /// A profile of the chain.
    #[must_use]
    pub fn profile(&self) -> Profile {
        Profile {
            chain: self.chain.clone(),
            router: Self::ROUTER,
            commitments: STOCK_COMMITMENTS,
            trusting_period: Span::seconds(20_000),
            weak_subjectivity_period: Span::seconds(30_000),
            max_drift: Span::seconds(10),
        }
    }

    /// The committee of a period.
    ///
    /// # Panics
    /// Past the sixth period.
    #[must_use]
    pub fn members(&self, period: u64) -> &Members {
        &self.members[usize::try_from(period).expect("a test has few periods")]
    }

    /// When a slot begins.
    ///
    /// # Panics
    /// At the end of time.
    #[must_use]
    pub fn time(&self, slot: u64) -> BlockTime {
        self.chain.time(slot).expect("a test ends before time does")
    }

    fn fork(&self, slot: u64) -> Fork {
        self.chain.fork(slot).expect("a test begins with a fork").fork
    }

    /// The keys and values in the router's store at a slot.
    #[must_use]
    pub fn store(slot: u64) -> Vec<(Vec<u8>, Root)> {
        let commitment = |number: u8| ([b"client-0\x01\0\0\0\0\0\0\0", &[number][..]].concat(), [number; 32]);
        let own = (b"height".to_vec(), number(slot + 1));
        // A commitment that begins with zeros, which storage leaves out.
        let short = (b"short".to_vec(), number(7 << 56));
        (1..=40).map(commitment).chain([own, short]).collect()
    }

    fn storage(slot: u64) -> Trie {
        Trie::secure(Self::store(slot).into_iter().map(|(path, value)| {
            let mut stored = vec![];
            put_number_of(&mut stored, &value);
            (commitment_slot(&path, &STOCK_COMMITMENTS), stored)
        }))
    }

    fn accounts(slot: u64) -> Trie {
        let account = |storage: Root| account(1, &storage);
        let others = (0..60_u8).map(|number| ([number; 20], account(EMPTY_ROOT)));
        Trie::secure(others.chain([(Self::ROUTER, account(Self::storage(slot).root()))]))
    }

    /// The proof of a path in the router's store at a slot, whether it is there or not.
    #[must_use]
    pub fn proof(slot: u64, path: &[u8]) -> StoreProof {
        StoreProof {
            account: Self::accounts(slot).secure_proof(&Self::ROUTER),
            storage: Self::storage(slot).secure_proof(&commitment_slot(path, &STOCK_COMMITMENTS)),
        }
    }

    /// The header of the execution block that a slot proves, from Gloas on.
    #[must_use]
    pub fn block(&self, slot: u64) -> Vec<u8> {
        let mut payload = vec![];
        for field in
            [&[1; 32][..], &[2; 32], &[3; 20], &Self::accounts(slot).root(), &[4; 32], &[5; 32], &[0; 256]]
        {
            put_bytes(&mut payload, field);
        }
        let seconds = self.time(slot).whole_seconds().get() - Self::SLOT;
        for field in [0, 1_000 + slot, 30_000_000, 21_000, seconds] {
            put_number_of(&mut payload, &field.to_be_bytes());
        }
        for field in [&b"test"[..], &[6; 32], &[0; 8]] {
            put_bytes(&mut payload, field);
        }
        let mut whole = vec![];
        put_list(&mut whole, &payload);
        whole
    }

    /// The header of a slot whose beacon state is `state`.
    ///
    /// # Panics
    /// Never: the block of a test is a block.
    #[must_use]
    pub fn header(&self, slot: u64, salt: [u8; 2], state: Root) -> LightHeader {
        let fork = self.fork(slot);
        let (execution, body_root) = match fork {
            Fork::Altair | Fork::Bellatrix => (Execution::Unproved, number(slot)),
            Fork::Gloas => {
                let block = BlockHeader::read(&self.block(slot)).expect("a block");
                let body = Sparse::new([(BLOCK_HASH_GLOAS, block.hash)]);
                let branch = body.branch(BLOCK_HASH_GLOAS);
                (Execution::Hash { block_hash: block.hash, branch }, body.node(1))
            }
            _ => {
                let payload = self.payload(slot);
                let body = Sparse::new([(PAYLOAD, payload.root(fork))]);
                (Execution::Payload { payload, branch: body.branch(PAYLOAD) }, body.node(1))
            }
        };
        let parent_root = sha256(&[&salt, &slot.to_be_bytes()]);
        let beacon =
            BeaconHeader { slot, proposer_index: slot % 7, parent_root, state_root: state, body_root };
        LightHeader { beacon, execution }
    }

    fn payload(&self, slot: u64) -> Payload {
        Payload {
            parent_hash: [1; 32],
            fee_recipient: [2; 20],
            state_root: Self::accounts(slot).root(),
            receipts_root: [5; 32],
            logs_bloom: Box::new([3; 256]),
            prev_randao: [4; 32],
            block_number: 1_000 + slot,
            gas_limit: 30_000_000,
            gas_used: 21_000,
            timestamp: self.time(slot).whole_seconds().get(),
            extra_data: b"test".to_vec(),
            base_fee_per_gas: number(7),
            block_hash: keccak256(&[b"block", &slot.to_be_bytes()]),
            transactions_root: [6; 32],
            withdrawals_root: [7; 32],
            blob_gas_used: 0,
            excess_blob_gas: 0,
        }
    }

    /// The committee that a history names after a period.
    fn next(&self, period: u64, history: u8) -> Committee {
        if history < 2 {
            return self.members(period + 1).committee.clone();
        }
        Members::new(&[history, 255], self.chain.committee_size as usize).committee
    }

    /// The finalized header of a draft.
    #[must_use]
    pub fn finalized(&self, draft: &Draft) -> LightHeader {
        self.header(draft.finalized, [draft.history, 0], sha256(&[b"state", &draft.finalized.to_be_bytes()]))
    }

    /// The message of a draft, before anyone signed.
    #[must_use]
    pub fn message(&self, draft: &Draft) -> LightUpdate {
        let indices = self.fork(draft.attested).indices();
        let period = self.chain.period(draft.attested);
        let next = self.next(period, draft.history);
        let finalized = self.finalized(draft);
        let state = Sparse::new([
            (indices.finalized, finalized.beacon.root()),
            (indices.current, self.members(period).committee.root()),
            (indices.next, next.root()),
        ]);
        LightUpdate {
            attested: self.header(draft.attested, [draft.history, draft.head], state.node(1)),
            next: (draft.kind == Kind::Full).then(|| (next, state.branch(indices.next))),
            finality: Some((finalized, state.branch(indices.finalized))),
            signed: vec![false; self.chain.committee_size as usize],
            signature: [0; 96],
            signature_slot: draft.signature,
        }
    }

    /// Signs a message by the seats of its period.
    ///
    /// # Panics
    /// Before the first fork.
    pub fn sign(&self, message: &mut LightUpdate, seats: &[usize]) {
        let root = self.chain.signing_root(&message.attested.beacon.root(), message.signature_slot);
        let members = self.members(self.chain.period(message.signature_slot));
        message.signed.iter_mut().for_each(|signed| *signed = false);
        seats.iter().for_each(|seat| message.signed[*seat] = true);
        message.signature = members.sign(seats, &root.expect("a slot after the first fork"));
    }

    /// The update of a message, in the layout of its fork.
    ///
    /// # Panics
    /// For a message that is not of this kind.
    #[must_use]
    pub fn wrap(&self, trusted: u64, kind: Kind, message: &LightUpdate) -> Update {
        let fork = self.fork(message.attested.beacon.slot);
        let committee = self.members(self.chain.period(message.signature_slot)).committee.clone();
        let finalized = message.finality.as_ref().map_or(0, |(header, _)| header.beacon.slot);
        let block = (self.fork(finalized) >= Fork::Gloas).then(|| self.block(finalized));
        let bytes = wire::update(message, kind, fork);
        Update::new(Height::new(trusted), fork, kind, committee, block, bytes).expect("a message of its kind")
    }

    /// An update that `signers` of the committee signed, the first seats first.
    #[must_use]
    pub fn update_by(&self, draft: &Draft, signers: usize) -> Update {
        let mut message = self.message(draft);
        self.sign(&mut message, &(0..signers).collect::<Vec<_>>());
        self.wrap(draft.trusted, draft.kind, &message)
    }

    /// An update that all but one seat signed.
    #[must_use]
    pub fn update(&self, draft: &Draft) -> Update {
        self.update_by(draft, self.chain.committee_size as usize - 1)
    }

    /// The bootstrap of a slot of the chain's own history.
    #[must_use]
    pub fn bootstrap(&self, slot: u64) -> Bootstrap {
        let committee = self.members(self.chain.period(slot)).committee.clone();
        let index = self.fork(slot).indices().current;
        let state = Sparse::new([(index, committee.root())]);
        Bootstrap { header: self.header(slot, [0, 0], state.node(1)), committee, branch: state.branch(index) }
    }

    /// The state after a draft's update.
    #[must_use]
    pub fn state(&self, draft: &Draft) -> State {
        let header = self.finalized(draft);
        let slot = draft.finalized;
        let (block_hash, receipts_root) = match &header.execution {
            Execution::Payload { payload, .. } => (payload.block_hash, payload.receipts_root),
            _ => (keccak256(&[&self.block(slot)]), [5; 32]),
        };
        let period = self.chain.period(slot);
        State {
            slot: Height::new(slot),
            time: self.time(slot),
            beacon_root: header.beacon.root(),
            block_number: 1_000 + slot,
            block_hash,
            state_root: Self::accounts(slot).root(),
            receipts_root,
            current: self.members(period).committee.root(),
            next: self.next(period, draft.history).root(),
        }
    }

    /// The state of a slot of the chain's own history.
    #[must_use]
    pub fn state_at(&self, slot: u64) -> State {
        self.state(&Draft::new(0, slot, slot, Kind::Finality))
    }
}

/// An account with this nonce and storage.
#[must_use]
pub fn account(nonce: u8, storage: &Root) -> Vec<u8> {
    let mut fields = vec![];
    put_number_of(&mut fields, &[nonce]);
    put_number_of(&mut fields, &[9; 8]);
    put_bytes(&mut fields, storage);
    put_bytes(&mut fields, &keccak256(&[b"code"]));
    let mut whole = vec![];
    put_list(&mut whole, &fields);
    whole
}
