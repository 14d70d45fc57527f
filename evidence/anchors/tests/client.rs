//! The client against OpenSSL over HTTP: what it takes, what it refuses and by which code.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zeugma_evidence_anchors::testkit::{Hosted, Manner, OpensslAuthority};
use zeugma_evidence_anchors::{Authority, Client, Offset};
use zeugma_evidence_verify::tsp::{Expected, Imprint, Material, verify_token};
use zeugma_evidence_verify::x509::Hash;
use zeugma_types::{BlockTime, Code};

const MESSAGE: &[u8] = b"log.example/one\n7\nroot\n";

struct World {
    hosted: Hosted,
    authority: Authority,
    _folder: TempDir,
}

fn world() -> World {
    let folder = TempDir::new().unwrap();
    let made = |name: &str| Arc::new(OpensslAuthority::new(&folder.path().join(name), name));
    let hosted = Hosted::new(made("one"), made("other"), Manner::Honest);
    let root = std::fs::read(hosted.authority.root()).unwrap();
    let authority = Authority::new("institute", &hosted.url(), &root, &[]).unwrap();
    World { hosted, authority, _folder: folder }
}

#[test]
fn what_openssl_stamps_is_believed_and_openssl_accepts_what_is_kept() {
    let world = world();
    let client = Client::new(Duration::from_secs(10));
    let answer = client.stamp(&world.authority, MESSAGE).unwrap();
    assert_eq!(answer.stamped.imprint(), &Imprint::of(Hash::Sha256, MESSAGE));
    assert_eq!((answer.stamped.signer(), answer.stamped.chain()), ("one", 2));
    assert_eq!(Offset::of(answer.stamped.time(), answer.stamped.accuracy(), answer.asked).millis(), 0);
    world.hosted.authority.verify(&answer.stamp.token, MESSAGE).unwrap();
    assert!(world.hosted.authority.verify(&answer.stamp.token, b"another").is_err(), "the oracle can refuse");
    let again = client.stamp(&world.authority, MESSAGE).unwrap();
    assert_ne!(again.stamp.token, answer.stamp.token, "each request has a nonce of its own");
    // What is kept holds without the request.
    let material = Material { anchors: &[world.authority.anchor()], ..Material::default() };
    assert_eq!(verify_token(&answer.stamp.token, &Expected::default(), &material).unwrap(), answer.stamped);
}

#[test]
fn every_lie_and_every_failure_is_refused_by_its_code_and_the_next_answer_is_taken() {
    let world = world();
    let client = Client::new(Duration::from_secs(2));
    for (manner, code) in [
        (Manner::WrongImprint, Code::WrongImprint),
        (Manner::WrongNonce, Code::WrongNonce),
        (Manner::OtherChain, Code::UntrustedChain),
        (Manner::Injected, Code::InjectedCertificate),
        (Manner::Rejected, Code::NotGranted),
        (Manner::Unavailable, Code::NotGranted),
        (Manner::Oversize, Code::TooLong),
        (Manner::Stalled, Code::TooSlow),
        (Manner::Dripping, Code::TooSlow),
    ] {
        world.hosted.turn(manner);
        let began = Instant::now();
        let refusal = client.stamp(&world.authority, MESSAGE).unwrap_err();
        assert_eq!(refusal.code, code, "{manner:?}: {refusal}");
        assert!(began.elapsed() < Duration::from_secs(8), "{manner:?} took {:?}", began.elapsed());
    }
    world.hosted.turn(Manner::Garbage);
    client.stamp(&world.authority, MESSAGE).unwrap_err();
    world.hosted.turn(Manner::Honest);
    client.stamp(&world.authority, MESSAGE).unwrap();
}

#[test]
fn an_authority_that_is_not_there_is_refused_and_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let root = OpensslAuthority::new(folder.path(), "one").root();
    let root = std::fs::read(root).unwrap();
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let authority = Authority::new("institute", &format!("http://{nowhere}"), &root, &[]).unwrap();
    let refusal = Client::new(Duration::from_secs(5)).stamp(&authority, MESSAGE).unwrap_err();
    assert_eq!(refusal.code, Code::NotGranted);
}

#[test]
fn a_chain_below_the_anchor_is_offered_from_the_file_and_goes_into_the_bundle() {
    let folder = TempDir::new().unwrap();
    let root = OpensslAuthority::new(&folder.path().join("root"), "root");
    let below = Arc::new(root.below(&folder.path().join("below"), "below"));
    let hosted = Hosted::new(Arc::clone(&below), Arc::clone(&below), Manner::Honest);
    let (anchor, between) = (std::fs::read(root.root()).unwrap(), std::fs::read(below.root()).unwrap());
    let client = Client::new(Duration::from_secs(10));
    let ask =
        |file: &[u8]| client.stamp(&Authority::new("institute", &hosted.url(), file, &[]).unwrap(), MESSAGE);
    // OpenSSL sends the signer's certificate alone.
    assert_eq!(ask(&anchor).unwrap_err().code, Code::UntrustedChain);
    let both = [anchor.as_slice(), b"the one that leads to it:\n", &between].concat();
    let answer = ask(&both).unwrap();
    assert_eq!((answer.stamped.chain(), answer.stamp.certificates.len()), (3, 1));
    // The order says which is believed.
    assert_eq!(ask(&[between, anchor].concat()).unwrap().stamped.chain(), 2);
}

#[test]
fn a_policy_that_was_not_agreed_is_refused() {
    let world = world();
    let root = std::fs::read(world.hosted.authority.root()).unwrap();
    let client = Client::new(Duration::from_secs(10));
    let under = |policy: &str| {
        let authority =
            Authority::new("institute", &world.hosted.url(), &root, &[policy.to_owned()]).unwrap();
        client.stamp(&authority, MESSAGE).map(|answer| answer.stamped.policy().to_owned())
    };
    assert_eq!(under("1.2.3.4.1").unwrap(), "1.2.3.4.1");
    assert_eq!(under("1.2.3.4.2").unwrap_err().code, Code::WrongPolicy);
}

#[test]
fn a_clock_that_is_set_wrong_shows_as_the_offset_of_the_authority() {
    fn ahead() -> BlockTime {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        BlockTime::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX) + 60_000)
    }
    let world = world();
    let client = Client::new(Duration::from_secs(10)).with_clock(ahead);
    let answer = client.stamp(&world.authority, MESSAGE).unwrap();
    let offset = Offset::of(answer.stamped.time(), answer.stamped.accuracy(), answer.asked);
    // A minute, less the accuracy that it states, which is a second.
    assert!((-59_500..=-50_000).contains(&offset.millis()), "{offset:?}");
    assert!(offset.exceeds(5_000));
}
