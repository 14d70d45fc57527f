//! A client of a Zeugma network in memory, through the state machine that every family shares.
#![allow(clippy::unwrap_used, reason = "a test may")]

use zeugma_adapter_core::Family;
use zeugma_adapter_core::{Client, MerklePath, Status, Updated};
use zeugma_adapter_zeugma::{Certified, Evidence, LeafProof, Profile, State, Update, Zeugma};
use zeugma_proof::body::Closed;
use zeugma_proof::testkit::{Keys, TestNetwork};
use zeugma_proof::{Certificate, Header, LeafFormat, Proof};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{BlockTime, ClientId, Code, Encode, Height, LeafPath, Sequence, Span, UnixSeconds, Value};

struct Followed {
    chain: TestNetwork,
    client: Client<Profile>,
    states: Vec<State>,
}

fn client_id() -> ClientId {
    ClientId::new("zeugma-0").unwrap()
}

fn said(chain: &mut TestNetwork, sequence: u64) {
    let path = LeafPath::packet(&client_id(), PacketPath::Commitment, Sequence::new(sequence));
    chain.say(LeafFormat::Sha256, path, Value::new([u8::try_from(sequence).unwrap(); 32]));
}

fn certified(pair: &(Header, Certificate)) -> Certified {
    Certified { header: pair.0.clone(), certificate: pair.1 }
}

impl Followed {
    fn new() -> Self {
        let mut chain = TestNetwork::new(1);
        said(&mut chain, 1);
        let header = chain.close_block();
        let profile = Profile {
            network: chain.network,
            trusting_period: Span::seconds(3_600),
            drift: Span::seconds(10),
        };
        let state = State::of(&header, chain.keys.committee.group_key.clone());
        let client = Client::create::<Zeugma>(profile, &state, header.time).unwrap();
        Self { chain, client, states: vec![state] }
    }

    fn update(&mut self, update: &Update, now: BlockTime) -> Result<Updated<State>, zeugma_types::Refusal> {
        let latest = self.client.latest().height;
        let trusted = self.states.iter().find(|state| state.height == latest).unwrap().clone();
        let states = self.states.clone();
        let known = |height: Height| states.iter().find(|state| state.height == height).cloned();
        let done = self.client.update::<Zeugma>(&trusted, known, update, now)?;
        if let Updated::Advanced { state, .. } = &done {
            self.states.push(state.clone());
        }
        Ok(done)
    }

    fn follow_tip(&mut self, handovers: Vec<Proof>) -> Result<Updated<State>, zeugma_types::Refusal> {
        let target = certified(self.chain.headers.last().unwrap());
        let now = target.header.time;
        self.update(&Update { handovers, target }, now)
    }
}

fn leaf_proof(proof: Proof) -> Vec<u8> {
    LeafProof { leaf: proof.leaf, inclusion: proof.inclusion }.to_bytes()
}

#[test]
fn a_certified_header_moves_the_client_and_proves_old_leaves() {
    let mut followed = Followed::new();
    said(&mut followed.chain, 2);
    followed.chain.close_block();
    assert!(matches!(followed.follow_tip(vec![]).unwrap(), Updated::Advanced { .. }));
    assert_eq!(followed.follow_tip(vec![]).unwrap(), Updated::Known);

    let state = followed.states.last().unwrap();
    let profile = followed.client.profile;
    let proof = leaf_proof(followed.chain.prove(zeugma_types::LeafIndex::new(0)));
    let key = LeafPath::packet(&client_id(), PacketPath::Commitment, Sequence::new(1));
    let path = MerklePath::new(vec![key.path().to_vec()]).unwrap();
    Zeugma::verify_membership(&profile, state, &path, &[1; 32], &proof).unwrap();
    let refused = Zeugma::verify_membership(&profile, state, &path, &[2; 32], &proof).unwrap_err();
    assert_eq!(refused.code, Code::NotProven);
    let other = MerklePath::new(vec![b"zeugma-0\x01\0\0\0\0\0\0\0\x02".to_vec()]).unwrap();
    let refused = Zeugma::verify_membership(&profile, state, &other, &[1; 32], &proof).unwrap_err();
    assert_eq!(refused.code, Code::NotProven);
    let refused = Zeugma::verify_non_membership(&profile, state, &path, &proof).unwrap_err();
    assert_eq!(refused.code, Code::AbsenceNotProven);
    for length in 0..proof.len() {
        Zeugma::verify_membership(&profile, state, &path, &[1; 32], &proof[..length]).unwrap_err();
    }
}

#[test]
fn an_absence_is_proved_by_the_closing_act() {
    let mut followed = Followed::new();
    let closed = Closed {
        client: client_id(),
        sequence: Sequence::new(5),
        commitment: Value::new([5; 32]),
        timeout: UnixSeconds::new(1),
    };
    let index = followed.chain.say_body(&closed.into());
    followed.chain.close_block();
    followed.follow_tip(vec![]).unwrap();
    let proof = leaf_proof(followed.chain.prove(index));
    let receipt = LeafPath::packet(&client_id(), PacketPath::Receipt, Sequence::new(5));
    let path = MerklePath::new(vec![receipt.path().to_vec()]).unwrap();
    let state = followed.states.last().unwrap();
    Zeugma::verify_non_membership(&followed.client.profile, state, &path, &proof).unwrap();
    let earlier = &followed.states[0];
    Zeugma::verify_non_membership(&followed.client.profile, earlier, &path, &proof).unwrap_err();
}

#[test]
fn hand_overs_are_followed_and_the_old_key_is_dead() {
    let mut followed = Followed::new();
    let old_keys = followed.chain.keys.clone();
    let (index, body) = followed.chain.hand_over(2);
    let mut handover = followed.chain.prove(index);
    handover.opening = Some(body.to_bytes());
    let last_of_old = followed.chain.headers.last().unwrap().0.clone();
    said(&mut followed.chain, 2);
    followed.chain.close_block();

    let refused = followed.follow_tip(vec![]).unwrap_err();
    assert_eq!(refused.code, Code::UnknownEra, "the new era needs its hand-over");
    let mut without_body = handover.clone();
    without_body.opening = None;
    assert_eq!(followed.follow_tip(vec![without_body]).unwrap_err().code, Code::OpeningMissing);
    assert!(matches!(followed.follow_tip(vec![handover.clone()]).unwrap(), Updated::Advanced { .. }));

    // Retired shares still sign: a header of the old era, later than anything, is refused.
    let mut forged = last_of_old;
    forged.height = Height::new(99);
    forged.time = followed.chain.time();
    let certificate = followed.chain.certify(&old_keys, &forged);
    let target = Certified { header: forged, certificate };
    let now = followed.chain.time();
    let refused = followed.update(&Update { handovers: vec![], target }, now).unwrap_err();
    assert_eq!(refused.code, Code::RetiredEra);
    let refused = followed.follow_tip(vec![handover]).unwrap_err();
    assert_eq!(refused.code, Code::UnknownEra, "a hand-over is followed once: its era is behind");
}

#[test]
fn two_certified_headers_of_one_height_freeze_the_client() {
    let mut followed = Followed::new();
    let mut fork = followed.chain.clone();
    said(&mut followed.chain, 2);
    said(&mut fork, 3);
    followed.chain.close_block();
    fork.close_block();
    followed.follow_tip(vec![]).unwrap();
    let evidence = Evidence {
        one: certified(followed.chain.headers.last().unwrap()),
        other: certified(fork.headers.last().unwrap()),
    };
    let now = evidence.one.header.time;
    let latest = followed.states.last().unwrap().clone();
    let mut by_evidence = followed.client.clone();
    by_evidence.submit_evidence::<Zeugma>([&latest, &latest], &evidence, now).unwrap();
    assert_eq!(by_evidence.status::<Zeugma>(now), Status::Frozen);

    let update = Update { handovers: vec![], target: evidence.other.clone() };
    assert!(matches!(followed.update(&update, now).unwrap(), Updated::Froze(_)));
    assert_eq!(followed.update(&update, now).unwrap_err().code, Code::ClientFrozen);
}

#[test]
fn evidence_of_one_header_twice_or_unsigned_freezes_nothing() {
    let followed = Followed::new();
    let one = certified(&followed.chain.headers[0]);
    let now = one.header.time;
    let state = &followed.states[0];
    let judge = |evidence: &Evidence| {
        let mut client = followed.client.clone();
        client.submit_evidence::<Zeugma>([state, state], evidence, now).unwrap_err().code
    };
    assert_eq!(judge(&Evidence { one: one.clone(), other: one.clone() }), Code::NoMisbehaviour);
    let mut moved = one.clone();
    moved.certificate.view = zeugma_types::View::new(77);
    assert_eq!(judge(&Evidence { one: one.clone(), other: moved }), Code::BadSignature);
    let mut other = one.clone();
    other.header.time = BlockTime::new(other.header.time.get() - 1);
    other.certificate = followed.chain.certify(&Keys::derive(9, 4), &other.header);
    assert_eq!(judge(&Evidence { one, other }), Code::BadSignature);
}

#[test]
fn a_client_expires_by_the_youngest_header_and_refuses_the_future() {
    let mut followed = Followed::new();
    let start = followed.client.latest().time;
    let end = start.after(Span::seconds(3_600)).unwrap();
    assert_eq!(followed.client.status::<Zeugma>(BlockTime::new(end.get() - 1)), Status::Active);
    assert_eq!(followed.client.status::<Zeugma>(end), Status::Expired);
    followed.chain.wait(Span::seconds(60));
    followed.chain.close_block();
    let target = certified(followed.chain.headers.last().unwrap());
    let update = Update { handovers: vec![], target };
    assert_eq!(followed.update(&update, start).unwrap_err().code, Code::HeaderAhead);
    assert_eq!(followed.update(&update, end).unwrap_err().code, Code::ClientExpired);
}
