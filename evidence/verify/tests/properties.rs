//! Any bytes: nothing panics, what decodes has one encoding, and what is accepted was said.
#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use std::sync::LazyLock;
use zeugma_evidence_verify::cose::Receipt;
use zeugma_evidence_verify::testkit::authority::TestAuthority;
use zeugma_evidence_verify::testkit::{FILE, JUDGED, STAMPED, World};
use zeugma_evidence_verify::tsp::{Expected, Imprint, Material, Request, token_of_response, verify_token};
use zeugma_evidence_verify::x509::Hash;
use zeugma_evidence_verify::{Bundle, Policy, Question, Subject, verify};
use zeugma_types::{Decode, Encode};

static WORLD: LazyLock<World> = LazyLock::new(World::new);
static AUTHORITY: LazyLock<TestAuthority> = LazyLock::new(|| TestAuthority::new("Root", "Signer"));

fn hash() -> impl Strategy<Value = Hash> {
    prop_oneof![Just(Hash::Sha256), Just(Hash::Sha384), Just(Hash::Sha512), Just(Hash::Sm3)]
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let material = Material { anchors: &[&AUTHORITY.root], offered: &[&bytes], revocation: &[&bytes] };
        let _ = verify_token(&bytes, &Expected::default(), &material);
        let _ = token_of_response(&bytes);
        let _ = Request::parse(&bytes);
        let _ = Receipt::parse(&bytes);
        let _ = Bundle::from_bytes(&bytes);
        let _ = Policy::from_bytes(&bytes);
    }

    #[test]
    fn a_token_with_one_byte_changed_is_refused(at: prop::sample::Index, with: u8) {
        let mut token = AUTHORITY.stamp(FILE, STAMPED);
        let at = at.index(token.len());
        prop_assume!(token[at] != with);
        token[at] = with;
        let material = Material { anchors: &[&AUTHORITY.root], ..Material::default() };
        prop_assert!(verify_token(&token, &Expected::default(), &material).is_err());
    }

    #[test]
    fn a_request_is_read_as_it_was_written(
        hash in hash(),
        message: Vec<u8>,
        nonce in prop::option::of(prop::collection::vec(any::<u8>(), 1..20)),
        certificate: bool,
    ) {
        // A number has no zeros in front; zero itself has one.
        let nonce = nonce.map(|nonce| {
            let digits: Vec<u8> = nonce.into_iter().skip_while(|digit| *digit == 0).collect();
            if digits.is_empty() { vec![0] } else { digits }
        });
        let request = Request { imprint: Imprint::of(hash, &message), policy: None, nonce, certificate };
        prop_assert_eq!(Request::parse(&request.to_der().unwrap()).unwrap(), request);
    }

    #[test]
    fn a_bundle_changed_anywhere_decodes_to_what_encodes_to_it(at: prop::sample::Index, with: u8) {
        let mut bytes = WORLD.bundle.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(bundle) = Bundle::from_bytes(&bytes) {
            prop_assert_eq!(bundle.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_bundle_cut_short_is_refused(at: prop::sample::Index) {
        let bytes = WORLD.bundle.to_bytes();
        let (trust, policy) = (&WORLD.trust, &WORLD.policy);
        let bundle = &bytes[..at.index(bytes.len())];
        let question = Question { bundle, subject: Subject::File(FILE), trust, policy, time: JUDGED };
        prop_assert!(verify(&question).is_err());
    }
}

#[test]
fn a_policy_is_read_as_it_was_written() {
    assert_eq!(Policy::from_bytes(&WORLD.policy.to_bytes()).unwrap(), WORLD.policy);
}
