//! Another chain: a committee of four Ed25519 keys, three of which sign each state, over a store whose root is
//! the hash of its whole content. A proof is that content. Small, slow and honest.

use super::secret;
use crate::bounded::{Bytes, List, Maybe, record};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_crypto::ed25519::{PublicKey, Rule, SecretKey};
use zeugma_crypto::hash::{framed, sha256};
use zeugma_types::{BlockTime, Code, Cost, Decode, Encode, FinalityClass, Height, Purpose, Refusal, Span};

record! {
    pub struct TestProfile {
        pub name: Bytes<32>,
        pub members: List<[u8; 32], 4>,
        pub trusting: Span,
    }

    pub struct TestState {
        pub height: Height,
        pub time: BlockTime,
        pub root: [u8; 32],
    }

    pub struct TestUpdate {
        pub trusted: Maybe<Height>,
        pub state: TestState,
        pub signatures: List<Signed, 4>,
    }

    pub struct TestEvidence {
        pub one: TestUpdate,
        pub other: TestUpdate,
    }

    pub struct Signed {
        pub member: u8,
        pub signature: [u8; 64],
    }

    pub struct Content {
        pub entries: List<Entry, 4096>,
    }

    pub struct Entry {
        pub key: Bytes<512>,
        pub value: Bytes<512>,
    }
}

/// See the module.
pub(crate) struct TestFamily;

fn verify(profile: &TestProfile, update: &TestUpdate) -> Result<(), Refusal> {
    let message = framed(Purpose::Header, &[profile.name.as_slice(), &update.state.to_bytes()]);
    let mut signers = Vec::new();
    for signed in &update.signatures {
        let member = profile.members.as_slice().get(usize::from(signed.member));
        let member = member.ok_or_else(|| Refusal::new(Code::UnknownSigner))?;
        PublicKey::parse_strict(member)?.verify(Rule::Strict, &message, &signed.signature)?;
        if signers.contains(&signed.member) {
            return Err(Refusal::new(Code::RepeatedSigner));
        }
        signers.push(signed.member);
    }
    if signers.len() < 3 {
        return Err(Refusal::new(Code::QuorumNotReached).needed(3_u64).found(signers.len()));
    }
    Ok(())
}

impl Family for TestFamily {
    const NUMBER: u16 = 900;
    const NAME: &'static str = "test";
    const MAX_PROFILE: usize = 1_024;
    const MAX_STATE: usize = 64;
    const MAX_UPDATE: usize = 1_024;
    const MAX_EVIDENCE: usize = 2_048;
    const MAX_PROOF: usize = 64 * 1_024;

    type Profile = TestProfile;
    type State = TestState;
    type Update = TestUpdate;
    type Evidence = TestEvidence;

    fn check_profile(profile: &TestProfile) -> Result<(), Refusal> {
        if profile.members.len() == 4 { Ok(()) } else { Err(Refusal::new(Code::BadProfile)) }
    }

    fn finality(_: &TestProfile) -> FinalityClass {
        FinalityClass::CommitteeQuorum
    }

    fn trusting_period(profile: &TestProfile) -> Span {
        profile.trusting
    }

    fn height(state: &TestState) -> Height {
        state.height
    }

    fn time(state: &TestState) -> BlockTime {
        state.time
    }

    fn trusted_height(update: &TestUpdate) -> Option<Height> {
        update.trusted.0
    }

    fn verify_update(
        profile: &TestProfile,
        _: &TestState,
        update: &TestUpdate,
        _: BlockTime,
    ) -> Result<TestState, Refusal> {
        verify(profile, update)?;
        Ok(update.state.clone())
    }

    fn evidence_heights(evidence: &TestEvidence) -> [Option<Height>; 2] {
        [evidence.one.trusted.0, evidence.other.trusted.0]
    }

    fn verify_misbehaviour(
        profile: &TestProfile,
        _: [&TestState; 2],
        evidence: &TestEvidence,
        _: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        verify(profile, &evidence.one)?;
        verify(profile, &evidence.other)?;
        if evidence.one.state.height != evidence.other.state.height
            || evidence.one.state == evidence.other.state
        {
            return Err(Refusal::new(Code::NoMisbehaviour));
        }
        Ok(Misbehaviour { height: evidence.one.state.height })
    }

    fn verify_membership(
        _: &TestProfile,
        state: &TestState,
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal> {
        match content(state, proof)?.get(path.elements()[0].as_slice()) {
            Some(found) if found == value => Ok(()),
            _ => Err(Refusal::new(Code::NotProven)),
        }
    }

    fn verify_non_membership(
        _: &TestProfile,
        state: &TestState,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        match content(state, proof)?.get(path.elements()[0].as_slice()) {
            None => Ok(()),
            Some(_) => Err(Refusal::new(Code::AbsenceNotProven)),
        }
    }

    fn update_cost(bytes: usize) -> Cost {
        Cost::new(100 + bytes as u64)
    }

    fn proof_cost(bytes: usize) -> Cost {
        Cost::new(20 + bytes as u64 / 32)
    }
}

fn content(state: &TestState, proof: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Refusal> {
    if sha256(&[proof]) != state.root {
        return Err(Refusal::new(Code::NotProven));
    }
    let content = Content::from_bytes(proof)?;
    Ok(content
        .entries
        .into_vec()
        .into_iter()
        .map(|entry| (entry.key.into_vec(), entry.value.into_vec()))
        .collect())
}

/// The other chain at work.
#[derive(Clone)]
pub(crate) struct Peer {
    name: Vec<u8>,
    members: Vec<SecretKey>,
    trusting: Span,
    store: BTreeMap<Vec<u8>, Vec<u8>>,
    height: u64,
    /// The time and the content of each height that was sealed.
    history: BTreeMap<u64, (BlockTime, Vec<u8>)>,
}

impl Peer {
    pub(crate) fn new(name: &str, trusting: Span, time: BlockTime) -> Self {
        let mut peer = Self {
            name: name.into(),
            members: (200..204).map(secret).collect(),
            trusting,
            store: BTreeMap::new(),
            height: 0,
            history: BTreeMap::new(),
        };
        peer.seal(time);
        peer
    }

    pub(crate) fn profile(&self) -> TestProfile {
        TestProfile {
            name: Bytes::new(self.name.clone()).unwrap(),
            members: List::new(self.members.iter().map(|key| *key.public().as_bytes()).collect()).unwrap(),
            trusting: self.trusting,
        }
    }

    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.store.insert(key.into(), value.into());
    }

    /// Holds exactly this from now on.
    pub(crate) fn mirror(&mut self, content: &[(Vec<u8>, Vec<u8>)]) {
        self.store = content.iter().cloned().collect();
    }

    pub(crate) fn height(&self) -> Height {
        Height::new(self.height)
    }

    /// Seals the store as it is under the next height.
    pub(crate) fn seal(&mut self, time: BlockTime) {
        self.height += 1;
        let entries = self.store.iter().map(|(key, value)| Entry {
            key: Bytes::new(key.clone()).unwrap(),
            value: Bytes::new(value.clone()).unwrap(),
        });
        let content = Content { entries: List::new(entries.collect()).unwrap() };
        self.history.insert(self.height, (time, content.to_bytes()));
    }

    /// The store at `height`: the proof of everything it holds and of everything it does not.
    pub(crate) fn proof(&self, height: Height) -> Vec<u8> {
        self.history[&height.get()].1.clone()
    }

    pub(crate) fn state(&self) -> TestState {
        self.state_at(self.height())
    }

    /// The state of a height that was sealed.
    pub(crate) fn state_at(&self, height: Height) -> TestState {
        let (time, content) = &self.history[&height.get()];
        TestState { height, time: *time, root: sha256(&[content]) }
    }

    /// The newest state, signed by three.
    pub(crate) fn update(&self, trusted: Option<Height>) -> TestUpdate {
        self.sign(trusted, self.state())
    }

    /// Any state, signed by three: what a dishonest committee can do.
    pub(crate) fn sign(&self, trusted: Option<Height>, state: TestState) -> TestUpdate {
        let message = framed(Purpose::Header, &[&self.name, &state.to_bytes()]);
        let signatures = (0..3_u8).map(|member| Signed {
            member,
            signature: self.members[usize::from(member)].sign_foreign(&message),
        });
        TestUpdate { trusted: Maybe(trusted), state, signatures: List::new(signatures.collect()).unwrap() }
    }

    /// Two states of the newest height.
    pub(crate) fn equivocate(&self, trusted: Height) -> Vec<u8> {
        let forged = TestState { root: [9; 32], ..self.state() };
        let evidence =
            TestEvidence { one: self.update(Some(trusted)), other: self.sign(Some(trusted), forged) };
        evidence.to_bytes()
    }
}
