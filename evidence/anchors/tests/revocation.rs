//! Revocation data gathered from OpenSSL's responder and lists, beside OpenSSL's own verdict on the same bytes.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::{Duration, Instant};
use tempfile::TempDir;
use zeugma_evidence_anchors::testkit::{Answers, Hosted, Manner, Revocable};
use zeugma_evidence_anchors::{Answer, Authority, Client, Gatherer, Reach};
use zeugma_evidence_verify::bundle::Stamp;
use zeugma_evidence_verify::tsp::{Expected, Material, Stamped, verify_token};
use zeugma_types::{Code, Refusal};

const MESSAGE: &[u8] = b"log.example/one\n7\nroot\n";

struct World {
    revocable: Revocable,
    authority: Authority,
    _hosted: Hosted,
    _folder: TempDir,
}

fn world(answers: Answers) -> World {
    let folder = TempDir::new().unwrap();
    let revocable = Revocable::new(&folder.path().join("one"), "one", answers);
    let signer = revocable.authority.clone();
    let hosted = Hosted::new(signer.clone(), signer, Manner::Honest);
    let root = std::fs::read(revocable.authority.root()).unwrap();
    let authority = Authority::new("institute", &hosted.url(), &root, &[]).unwrap();
    World { revocable, authority, _hosted: hosted, _folder: folder }
}

fn gatherer() -> Gatherer {
    Gatherer::new(Duration::from_secs(10), Reach::Anywhere)
}

impl World {
    fn stamp(&self) -> Result<Answer, Refusal> {
        Client::new(Duration::from_secs(10)).with_gatherer(gatherer()).stamp(&self.authority, MESSAGE)
    }

    /// A time-stamp beside which nothing was gathered.
    fn bare(&self) -> Stamp {
        Client::new(Duration::from_secs(10)).stamp(&self.authority, MESSAGE).unwrap().stamp
    }

    fn judge(&self, stamp: &Stamp, revocation: &[&[u8]]) -> Result<Stamped, Refusal> {
        let material = Material { anchors: &[self.authority.anchor()], offered: &[], revocation };
        verify_token(&stamp.token, &Expected::default(), &material)
    }

    /// Of what was gathered, the answer of the responder.
    fn response<'a>(&self, stamp: &'a Stamp) -> &'a [u8] {
        let of = |one: &&Vec<u8>| self.revocable.openssl_reads(one).is_some();
        stamp.revocation.iter().find(of).expect("an answer that OpenSSL reads")
    }
}

#[test]
fn an_answer_and_a_list_are_gathered_and_openssl_finds_the_same_in_them() {
    for answers in [Answers::Issuer, Answers::Delegate] {
        let world = world(answers);
        world.revocable.publish();
        let answer = world.stamp().unwrap();
        assert!(answer.missing.is_empty(), "{:?}", answer.missing);
        assert_eq!(answer.stamp.revocation.len(), 2, "{answers:?}");
        let known = answer.stamped.revocation();
        assert!(known.responder && known.answered.is_some() && known.without == 0, "{known:?}");
        let response = world.response(&answer.stamp);
        assert_eq!(world.revocable.openssl_reads(response).as_deref(), Some("good"));
        let list = answer.stamp.revocation.iter().find(|one| one.as_slice() != response).unwrap();
        assert!(world.revocable.openssl_accepts(list, answer.stamped.time().get() / 1_000 + 1));
        // Each alone is enough, and neither with a byte of what is signed changed.
        for one in [response, list] {
            assert!(world.judge(&answer.stamp, &[one]).unwrap().revocation().answered.is_some());
            let mut altered = one.to_vec();
            altered[60] ^= 1;
            world.judge(&answer.stamp, &[&altered]).unwrap_err();
        }
    }
}

#[test]
fn a_signer_revoked_before_is_refused_when_the_time_stamp_arrives() {
    for reason in ["superseded", "keyCompromise"] {
        let mut world = world(Answers::Issuer);
        world.revocable.revoke(reason);
        let refusal = world.stamp().unwrap_err();
        assert_eq!(refusal.code, Code::CertificateRevoked, "{refusal}");
        // The list alone says so too, and OpenSSL of it.
        world.revocable.silence();
        assert_eq!(world.stamp().unwrap_err().code, Code::CertificateRevoked);
    }
}

#[test]
fn a_signer_revoked_later_is_told_with_its_reason_unless_that_reaches_back() {
    for (reason, refused) in
        [("cessationOfOperation", false), ("keyCompromise", true), ("CACompromise", true)]
    {
        let mut world = world(Answers::Delegate);
        let stamp = world.bare();
        // OpenSSL writes whole seconds: the revocation is of a later one.
        std::thread::sleep(Duration::from_millis(1_100));
        world.revocable.revoke(reason);
        let gathered = |stamp: &Stamp| {
            let mut stamp = stamp.clone();
            gatherer().gather(&mut stamp, world.authority.anchor()).map(|missing| (stamp, missing))
        };
        match gathered(&stamp) {
            Err(refusal) => {
                assert!(refused && refusal.code == Code::CertificateRevoked, "{reason}: {refusal}")
            }
            Ok((stamp, missing)) => {
                assert!(!refused && missing.is_empty(), "{reason}: {missing:?}");
                let revocation: Vec<&[u8]> = stamp.revocation.iter().map(Vec::as_slice).collect();
                let judged = world.judge(&stamp, &revocation).unwrap();
                let known = judged.revocation();
                assert_eq!(known.later.len(), 1);
                assert_eq!(known.later[0].what, format!("one: {reason}"));
                assert!(known.later[0].at > judged.time() && known.answered.is_some());
                let response = world.response(&stamp);
                assert_eq!(world.revocable.openssl_reads(response).as_deref(), Some("revoked"));
                // OpenSSL's check of a list knows no later date: revoked is revoked.
                let list = stamp.revocation.iter().find(|one| one.as_slice() != response).unwrap();
                assert!(!world.revocable.openssl_accepts(list, judged.time().get() / 1_000 + 5));
            }
        }
    }
}

#[test]
fn a_responder_that_does_not_know_the_signer_is_no_good_answer() {
    let mut world = world(Answers::Issuer);
    world.revocable.forget();
    let answer = world.stamp().unwrap();
    let known = answer.stamped.revocation();
    assert_eq!((known.unknown.len(), known.without, known.answered), (1, 0, None));
    let response = world.response(&answer.stamp);
    assert_eq!(world.revocable.openssl_reads(response).as_deref(), Some("unknown"));
    // The list that is not there is named.
    assert_eq!(answer.missing.len(), 1);
    assert_eq!(answer.missing[0].why.code, Code::ResponderDeclined);
}

#[test]
fn what_is_not_to_be_had_is_named_and_the_time_stamp_is_kept_without_it() {
    let mut world = world(Answers::Issuer);
    world.revocable.silence();
    let codes = |world: &World| {
        let answer = world.stamp().unwrap();
        assert!(answer.stamp.revocation.is_empty() && answer.stamped.revocation().without == 1);
        answer.missing.iter().map(|one| one.why.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&world), [Code::ResponderDeclined, Code::ResponderDeclined]);
    // A list that is none, one without end, and one of another authority.
    world.revocable.serve(b"<html>please log in</html>".to_vec());
    assert_eq!(codes(&world).len(), 2);
    world.revocable.serve(vec![0x30; 2 * 1024 * 1024]);
    assert_eq!(codes(&world)[1], Code::TooLong);
    let other = self::world(Answers::Issuer);
    other.revocable.publish();
    let foreign = other.stamp().unwrap().stamp;
    let list = foreign.revocation.iter().find(|one| other.revocable.openssl_reads(one).is_none()).unwrap();
    world.revocable.serve(list.clone());
    // It has the same name, and another key.
    assert_eq!(codes(&world)[1], Code::BadSignature);
}

#[test]
fn an_address_in_this_network_is_not_asked_unless_the_operator_says_so() {
    let world = world(Answers::Issuer);
    world.revocable.publish();
    let mut stamp = world.bare();
    let public = Gatherer::new(Duration::from_secs(10), Reach::Public);
    let missing = public.gather(&mut stamp, world.authority.anchor()).unwrap();
    let codes: Vec<Code> = missing.iter().map(|one| one.why.code).collect();
    assert_eq!(codes, [Code::AddressRefused, Code::AddressRefused], "{missing:?}");
    assert!(stamp.revocation.is_empty());
    assert_eq!(world.revocable.listed(), 0, "nobody was asked");
}

#[test]
fn a_stalled_responder_takes_no_longer_than_the_time_for_all_answers() {
    let mut world = world(Answers::Issuer);
    world.revocable.silence();
    let mut stamp = world.bare();
    world.revocable.stall();
    let began = Instant::now();
    let short = Gatherer::new(Duration::from_secs(1), Reach::Anywhere);
    let missing = short.gather(&mut stamp, world.authority.anchor()).unwrap();
    assert!(missing.iter().any(|one| one.why.code == Code::TooSlow), "{missing:?}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
