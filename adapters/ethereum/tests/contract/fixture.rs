//! A chain that lives from Deneb to Gloas, in periods of 64 slots.

use crate::forgeries;
use std::marker::PhantomData;
use zeugma_adapter_core::Family;
use zeugma_adapter_core::MerklePath;
use zeugma_adapter_core::testkit::{EvidenceCase, Fixture, Forgery, ProofCase, Threshold, UpdateCase};
use zeugma_adapter_ethereum::container::Kind;
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::testnet::{Draft, Testnet};
use zeugma_adapter_ethereum::{Evidence, Profile, State, Update};
use zeugma_types::{BlockTime, Encode, Span};

/// The chain, for the family `F`.
pub(crate) struct Net<F> {
    pub(crate) chain: Testnet,
    family: PhantomData<F>,
}

impl<F> Net<F> {
    pub(crate) fn new() -> Self {
        let forks = [(Fork::Deneb, 0), (Fork::Electra, 8), (Fork::Fulu, 16), (Fork::Gloas, 24)];
        Self { chain: Testnet::new(&forks), family: PhantomData }
    }

    /// A second after a slot began.
    pub(crate) fn just_after(&self, slot: u64) -> BlockTime {
        self.chain.time(slot).after(Span::seconds(1)).unwrap()
    }

    pub(crate) fn case(&self, name: &'static str, draft: &Draft, update: &Update) -> UpdateCase {
        UpdateCase {
            name,
            trusted: self.chain.state_at(draft.trusted).to_bytes(),
            update: update.to_bytes(),
            now: self.just_after(draft.signature),
            gives: self.chain.state(draft).to_bytes(),
        }
    }

    fn signed(&self, name: &'static str, draft: &Draft) -> UpdateCase {
        self.case(name, draft, &self.chain.update(draft))
    }

    pub(crate) fn evidence_of(&self, name: &'static str, drafts: [&Draft; 2]) -> EvidenceCase {
        let updates = drafts.map(|draft| self.chain.update(draft));
        EvidenceCase {
            name,
            trusted: drafts.map(|draft| self.chain.state_at(draft.trusted).to_bytes()),
            evidence: Evidence { updates }.to_bytes(),
            now: self.just_after(drafts[0].signature.max(drafts[1].signature)),
        }
    }

    pub(crate) fn proof_case(&self, name: &'static str, path: &[u8], value: Option<&[u8]>) -> ProofCase {
        ProofCase {
            name,
            state: self.chain.state_at(PROVED).to_bytes(),
            path: MerklePath::new(vec![path.into()]).unwrap(),
            value: value.map(Vec::from),
            proof: Testnet::proof(PROVED, path).to_bytes(),
        }
    }
}

/// The slot whose store is proved.
pub(crate) const PROVED: u64 = 24;

/// An update inside the first period.
pub(crate) fn inside() -> Draft {
    Draft::new(8, 24, 40, Kind::Finality)
}

/// An update into the second period, which begins with Electra.
pub(crate) fn into_second() -> Draft {
    Draft::new(24, 72, 88, Kind::Full)
}

/// The same slots as another history has them.
pub(crate) fn of_history(draft: &Draft, history: u8) -> Draft {
    Draft { history, ..draft.clone() }
}

impl<F: Family<Profile = Profile, State = State, Update = Update, Evidence = Evidence>> Fixture for Net<F> {
    type Family = F;

    fn profile(&self) -> Vec<u8> {
        self.chain.profile().to_bytes()
    }

    fn other_chain(&self) -> Vec<u8> {
        let mut profile = self.chain.profile();
        profile.chain.genesis_validators_root = [7; 32];
        profile.to_bytes()
    }

    fn updates(&self) -> Vec<UpdateCase> {
        vec![
            self.signed("finality inside a period", &inside()),
            self.signed("with the committee that is known", &Draft::new(8, 16, 41, Kind::Full)),
            self.signed(
                "signed by the next committee",
                &Draft { signature: 64, ..Draft::new(8, 48, 63, Kind::Finality) },
            ),
            self.signed("a header of Deneb in a message of Electra", &Draft::new(24, 56, 72, Kind::Finality)),
            self.signed("into a period of Electra", &into_second()),
            self.signed("into a period of Fulu", &Draft::new(72, 136, 152, Kind::Full)),
            self.signed("into a period of Gloas", &Draft::new(136, 200, 216, Kind::Full)),
        ]
    }

    fn conflicts(&self) -> Vec<[UpdateCase; 2]> {
        let other = of_history(&inside(), 1);
        vec![[self.signed("the first", &inside()), self.signed("another header of its slot", &other)]]
    }

    fn evidence(&self) -> Vec<EvidenceCase> {
        let headers = [&inside(), &of_history(&inside(), 1)];
        vec![self.evidence_of("two finalized headers of one slot", headers)]
    }

    fn proofs(&self) -> Vec<ProofCase> {
        let short = Testnet::store(PROVED).into_iter().find(|(path, _)| path == b"short").unwrap().1;
        vec![
            self.proof_case("a commitment", b"client-0\x01\0\0\0\0\0\0\0\x05", Some(&[5; 32])),
            self.proof_case("a commitment that begins with zeros", b"short", Some(&short)),
            self.proof_case("no receipt", b"client-0\x02\0\0\0\0\0\0\0\x05", None),
            self.proof_case("no commitment", b"client-1\x01\0\0\0\0\0\0\0\x05", None),
        ]
    }

    fn thresholds(&self) -> Vec<Threshold<'_>> {
        vec![]
    }

    fn forgeries(&self) -> Vec<Forgery> {
        forgeries::all(self)
    }

    fn not_applicable(&self) -> Vec<(u8, &'static str)> {
        vec![
            (
                6,
                "a committee has its profile's number of seats and no other: tried at 21 and 22 of 32 beside",
            ),
            (21, "every seat weighs one"),
        ]
    }
}
