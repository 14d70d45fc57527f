//! A test chain for the contract: good cases, and what the forgeries are made from.

use crate::forgeries;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use zeugma_adapter_cometbft::header::Header;
use zeugma_adapter_cometbft::testnet::store::Multistore;
use zeugma_adapter_cometbft::testnet::{Ballot, Committee, Member, Secret, Testnet};
use zeugma_adapter_cometbft::time::Time;
use zeugma_adapter_cometbft::{Evidence, Profile, State, Update};
use zeugma_adapter_core::testkit::{EvidenceCase, Fixture, Forgery, ProofCase, Threshold, UpdateCase};
use zeugma_adapter_core::{Family, MerklePath};
use zeugma_types::{BlockTime, Code, Encode, Height};

/// The height every verification starts from.
pub(crate) const TRUSTED: u64 = 10;

pub(crate) struct Net<F> {
    pub(crate) chain: Testnet,
    family: PhantomData<F>,
}

impl<F> Net<F> {
    pub(crate) fn new() -> Self {
        Self { chain: Testnet::new("zeus-1"), family: PhantomData }
    }
}

/// A store whose content depends on the height.
pub(crate) fn store(height: u64) -> Multistore {
    let bank = ["alice", "bob", "carol", "dora", "erin"].map(|name| (name.into(), b"7".to_vec()));
    let mut ibc: BTreeMap<Vec<u8>, Vec<u8>> =
        (1..=6).map(|n| (format!("commitments/{n}").into(), format!("packet {n}").into())).collect();
    ibc.insert(b"height".to_vec(), height.to_string().into());
    Multistore::new(&BTreeMap::from([
        (b"bank".to_vec(), BTreeMap::from(bank)),
        (b"ibc".to_vec(), ibc),
        (b"staking".to_vec(), BTreeMap::from([(b"one".to_vec(), b"1".to_vec())])),
    ]))
}

/// Four validators; three of them and a new one; strangers.
pub(crate) fn first() -> Committee {
    Committee::of(1..=4)
}

pub(crate) fn second() -> Committee {
    Committee::of(2..=5)
}

pub(crate) fn strangers() -> Committee {
    Committee::of(90..=93)
}

/// Everything needed to sign one more block.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) name: &'static str,
    pub(crate) trusted_next: Committee,
    pub(crate) now: Committee,
    pub(crate) header: Header,
}

impl Draft {
    /// A header at `height`, by default for a client that trusts [`TRUSTED`].
    pub(crate) fn new(
        name: &'static str,
        chain: &Testnet,
        height: u64,
        trusted_next: Committee,
        now: Committee,
    ) -> Self {
        let header = chain.header(height, &now, &now, store(height).app_hash());
        Self { name, trusted_next, now, header }
    }

    pub(crate) fn trusted(&self, chain: &Testnet) -> State {
        trusted_at(chain, TRUSTED, &self.trusted_next)
    }

    pub(crate) fn update(&self, chain: &Testnet, ballot: impl Fn(usize) -> Ballot) -> Update {
        let signed = chain.sign(self.header.clone(), &self.now, ballot);
        let trusted = Height::new(TRUSTED);
        Update::new(trusted, signed, self.now.validators(), self.trusted_next.validators())
    }

    pub(crate) fn signed(&self, chain: &Testnet) -> Update {
        self.update(chain, |_| Ballot::For)
    }

    pub(crate) fn case(&self, chain: &Testnet, update: &Update) -> UpdateCase {
        UpdateCase {
            name: self.name,
            trusted: self.trusted(chain).to_bytes(),
            update: update.to_bytes(),
            now: just_after(chain, self.header.height.get()),
            gives: State::of(&self.header).to_bytes(),
        }
    }
}

pub(crate) fn trusted_at(chain: &Testnet, height: u64, next: &Committee) -> State {
    State::of(&chain.header(height, &first(), next, store(height).app_hash()))
}

/// A second after the time of that height.
pub(crate) fn just_after(chain: &Testnet, height: u64) -> BlockTime {
    BlockTime::new(chain.time_at(height).get() + 1_000)
}

pub(crate) fn path(store: &str, key: &str) -> MerklePath {
    MerklePath::new(vec![store.into(), key.into()]).expect("a short path")
}

impl<F> Net<F> {
    pub(crate) fn drafts(&self) -> Vec<Draft> {
        let draft = |name, height, next, now| Draft::new(name, &self.chain, height, next, now);
        vec![
            draft("adjacent", TRUSTED + 1, first(), first()),
            draft("adjacent, another set", TRUSTED + 1, second(), second()),
            draft("skipping", TRUSTED + 10, first(), first()),
            draft("skipping, another set", TRUSTED + 10, first(), second()),
        ]
    }

    /// Ed25519 and secp256k1 keys in one set.
    pub(crate) fn mixed(&self) -> Draft {
        let keys = [Secret::ed25519(1), Secret::secp256k1(2), Secret::secp256k1(3), Secret::ed25519(4)];
        let committee = Committee::new(
            keys.into_iter().zip([9, 8, 7, 6]).map(|(secret, power)| Member { secret, power }).collect(),
        );
        Draft::new("two kinds of keys", &self.chain, TRUSTED + 1, committee.clone(), committee)
    }

    /// Evidence out of two drafts that all of their validators signed.
    pub(crate) fn accuse(&self, name: &'static str, drafts: [&Draft; 2]) -> EvidenceCase {
        self.accuse_by(name, drafts, drafts.map(|draft| draft.signed(&self.chain)))
    }

    pub(crate) fn accuse_by(
        &self,
        name: &'static str,
        drafts: [&Draft; 2],
        blocks: [Update; 2],
    ) -> EvidenceCase {
        EvidenceCase {
            name,
            trusted: drafts.map(|draft| draft.trusted(&self.chain).to_bytes()),
            evidence: Evidence { blocks }.to_bytes(),
            now: just_after(&self.chain, TRUSTED + 30),
        }
    }

    /// A draft, and another of the same height with another application hash.
    pub(crate) fn fork(&self) -> [Draft; 2] {
        let one = Draft::new("one side", &self.chain, TRUSTED + 10, first(), first());
        let mut other = Draft { name: "other side", ..one.clone() };
        other.header.app_hash = vec![7; 32];
        [one, other]
    }
}

impl<F> Fixture for Net<F>
where
    F: Family<Profile = Profile, State = State, Update = Update, Evidence = Evidence>,
{
    type Family = F;

    fn profile(&self) -> Vec<u8> {
        self.chain.profile().to_bytes()
    }

    fn other_chain(&self) -> Vec<u8> {
        Testnet::new("zeus-2").profile().to_bytes()
    }

    fn updates(&self) -> Vec<UpdateCase> {
        let chain = &self.chain;
        let mut cases: Vec<_> =
            self.drafts().iter().map(|draft| draft.case(chain, &draft.signed(chain))).collect();
        let mixed = self.mixed();
        cases.push(mixed.case(chain, &mixed.signed(chain)));
        // 5 of 7, one for nil, one absent; 3 of 4 of the trusted set.
        let draft = Draft::new("nil and absent votes", chain, TRUSTED + 3, first(), Committee::of(1..=7));
        let partly = draft.update(chain, |index| match index {
            2 => Ballot::Nil,
            4 => Ballot::Absent,
            _ => Ballot::For,
        });
        cases.push(draft.case(chain, &partly));
        cases
    }

    fn conflicts(&self) -> Vec<[UpdateCase; 2]> {
        vec![self.fork().map(|draft| draft.case(&self.chain, &draft.signed(&self.chain)))]
    }

    fn evidence(&self) -> Vec<EvidenceCase> {
        let [one, other] = &self.fork();
        // The validators of the next height differ: a lunatic attack.
        let mut lunatic = one.clone();
        lunatic.header.next_validators_hash = strangers().validators().hash();
        // A block further up that is not later, and one ahead of every clock.
        let mut early = Draft::new("early", &self.chain, TRUSTED + 11, first(), second());
        early.header.time = one.header.time;
        let mut ahead = other.clone();
        ahead.header.time = Time::new(4_000_000_000, 0).expect("before the year 9999");
        vec![
            self.accuse("a fork", [one, other]),
            self.accuse("a lunatic's header", [&lunatic, one]),
            self.accuse("time that does not grow", [&early, one]),
            self.accuse("a header from the future", [one, &ahead]),
        ]
    }

    fn proofs(&self) -> Vec<ProofCase> {
        let height = TRUSTED + 1;
        let (store, state) = (store(height), State::of(&self.drafts()[0].header).to_bytes());
        let there = |name, in_store: &str, key: &str, value: &str| ProofCase {
            name,
            state: state.clone(),
            path: path(in_store, key),
            value: Some(value.into()),
            proof: store.membership(in_store.as_bytes(), key.as_bytes()).expect("the key is there"),
        };
        let absent = |name, in_store: &str, key: &str| ProofCase {
            name,
            state: state.clone(),
            path: path(in_store, key),
            value: None,
            proof: store.non_membership(in_store.as_bytes(), key.as_bytes()).expect("the store is there"),
        };
        vec![
            there("the first key", "ibc", "commitments/1", "packet 1"),
            there("a middle key", "ibc", "commitments/4", "packet 4"),
            there("the last key", "ibc", "height", "11"),
            there("the only key", "staking", "one", "1"),
            absent("before the first", "ibc", "a"),
            absent("between two of one node", "ibc", "commitments/15"),
            absent("between two of two nodes", "ibc", "commitments/45"),
            absent("after the last", "ibc", "z"),
        ]
    }

    fn thresholds(&self) -> Vec<Threshold<'_>> {
        let members = |count: usize| Committee::of(1..=count as u64);
        vec![
            Threshold {
                name: "more than two thirds of its own",
                enough: |signers, members| signers + signers + signers > members + members,
                make: Box::new(move |count, signers| {
                    let set = members(count);
                    let draft = Draft::new("", &self.chain, TRUSTED + 1, set.clone(), set);
                    let vote = |index| if index < signers { Ballot::For } else { Ballot::Absent };
                    draft.case(&self.chain, &draft.update(&self.chain, vote))
                }),
                refusal: Code::QuorumNotReached,
            },
            Threshold {
                name: "more than a third of the trusted",
                enough: |signers, members| signers + signers + signers > members,
                make: Box::new(move |count, signers| {
                    // The signers, and as many others as make a set of 60.
                    let now = Committee::of((1..=signers as u64).chain(101..=160 - signers as u64));
                    let draft = Draft::new("", &self.chain, TRUSTED + 10, members(count), now);
                    draft.case(&self.chain, &draft.signed(&self.chain))
                }),
                refusal: Code::TrustTooThin,
            },
        ]
    }

    fn forgeries(&self) -> Vec<Forgery> {
        forgeries::all(self)
    }

    fn not_applicable(&self) -> Vec<(u8, &'static str)> {
        vec![]
    }
}
