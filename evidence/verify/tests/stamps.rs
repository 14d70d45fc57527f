//! Trusted time-stamps: each rule of the head of `tsp` is broken by itself, and the code says which.
#![allow(clippy::unwrap_used, reason = "a test may")]

use zeugma_evidence_verify::testkit::authority::{
    CertificateSpec, POLICY, SERVER, STAMPING, TestAuthority, TokenSpec, key, revocation_list,
};
use zeugma_evidence_verify::tsp::{
    Counted, Expected, Imprint, Material, Request, Stamped, quorum, token_of_response, verify_token,
};
use zeugma_evidence_verify::x509::Hash;
use zeugma_types::{BlockTime, Code, Refusal, Span};

const AT: BlockTime = BlockTime::new(1_767_225_605_250);
const MESSAGE: &[u8] = b"a checkpoint\n";

fn authority() -> TestAuthority {
    TestAuthority::new("Root", "Signer")
}

fn judge(authority: &TestAuthority, token: &[u8], revocation: &[&[u8]]) -> Result<Stamped, Refusal> {
    let imprint = Imprint::of(Hash::Sha256, MESSAGE);
    let expected = Expected { imprint: Some(&imprint), ..Expected::default() };
    verify_token(token, &expected, &Material { anchors: &[&authority.root], offered: &[], revocation })
}

fn code(result: Result<Stamped, Refusal>) -> Code {
    result.expect_err("refused").code
}

/// The token of an authority that made it as `change` asks.
fn changed(change: impl FnOnce(&mut TokenSpec)) -> Result<Stamped, Refusal> {
    let authority = authority();
    let mut spec = authority.spec(MESSAGE, AT);
    change(&mut spec);
    judge(&authority, &authority.token(&spec), &[])
}

/// The usual token of an authority whose X.509 certificates are as `change` asks.
fn certified(change: impl FnOnce(&mut CertificateSpec, &mut CertificateSpec)) -> Result<Stamped, Refusal> {
    let (mut root, mut signer) = (CertificateSpec::root("Root"), CertificateSpec::stamper("Signer", "Root"));
    change(&mut root, &mut signer);
    let authority = TestAuthority::with(root, signer);
    judge(&authority, &authority.stamp(MESSAGE, AT), &[])
}

#[test]
fn a_good_time_stamp_holds_and_says_what_it_says() {
    let stamped = changed(|_| {}).unwrap();
    assert_eq!(stamped.time(), AT);
    assert_eq!(stamped.accuracy().unwrap().0, 1_000_000);
    assert_eq!((stamped.policy(), stamped.signer(), stamped.chain()), (POLICY, "Signer", 2));
    assert_eq!((stamped.revocation().without, stamped.revocation().answered), (1, None));
    let names: Vec<_> = stamped.algorithms().iter().map(|one| (one.signature.as_str(), one.hash)).collect();
    assert_eq!(names, [("ecdsa-p256", "sha256")]);
    for hash in [Hash::Sha384, Hash::Sha512, Hash::Sm3] {
        let authority = authority();
        let mut spec = authority.spec(MESSAGE, AT);
        spec.hash = hash;
        let imprint = Imprint::of(hash, MESSAGE);
        let expected = Expected { imprint: Some(&imprint), ..Expected::default() };
        let material = Material { anchors: &[&authority.root], ..Material::default() };
        verify_token(&authority.token(&spec), &expected, &material).unwrap();
    }
}

#[test]
fn what_it_is_over_whose_request_it_answers_and_its_policy_are_compared() {
    assert_eq!(code(changed(|spec| spec.message = b"another".to_vec())), Code::WrongImprint);
    assert_eq!(code(changed(|spec| spec.hash = Hash::Sha512)), Code::WrongImprint);
    let authority = authority();
    let mut spec = authority.spec(MESSAGE, AT);
    let material = Material { anchors: &[&authority.root], ..Material::default() };
    for (nonce, ok) in [(Some(9), true), (Some(8), false), (None, false)] {
        spec.nonce = nonce;
        let expected = Expected { nonce: Some(&[9]), ..Expected::default() };
        let result = verify_token(&authority.token(&spec), &expected, &material);
        assert_eq!(result.err().map(|why| why.code), (!ok).then_some(Code::WrongNonce), "{nonce:?}");
    }
    let token = authority.stamp(MESSAGE, AT);
    for (policy, ok) in [(POLICY, true), ("1.2.3.4.2", false)] {
        let expected = Expected { policies: &[policy.into()], ..Expected::default() };
        assert_eq!(verify_token(&token, &expected, &material).is_ok(), ok, "{policy}");
    }
}

#[test]
fn a_token_of_another_form_is_refused() {
    assert_eq!(code(changed(|spec| spec.version = 1)), Code::BadToken);
    assert_eq!(code(changed(|spec| spec.signers = 2)), Code::BadToken);
    assert_eq!(code(changed(|spec| spec.signers = 0)), Code::Truncated);
    for place in 0..3 {
        assert_eq!(code(changed(|spec| spec.without = Some(place))), Code::BadToken, "{place}");
    }
    assert_eq!(code(changed(|spec| spec.wrong_digest = true)), Code::BadSignature);
}

#[test]
fn lengths_without_end_are_read_as_ber_allows() {
    changed(|spec| spec.indefinite = true).unwrap();
}

#[test]
fn the_signer_is_the_certificate_that_is_bound() {
    let other = CertificateSpec { serial: 9, ..CertificateSpec::stamper("Signer", "Root") };
    let bytes = other.make(&key("Signer"), &key("Root"));
    // The right key under another certificate: named, not bound; bound, not named; neither there.
    assert_eq!(code(changed(|spec| spec.bound = bytes.clone())), Code::WrongCertificate);
    assert_eq!(code(changed(|spec| spec.signer = other.clone())), Code::WrongCertificate);
    assert_eq!(code(changed(|spec| spec.embedded.clear())), Code::WrongCertificate);
    // A token may leave the certificate out where the verifier has it.
    let authority = authority();
    let mut spec = authority.spec(MESSAGE, AT);
    spec.embedded.clear();
    let material =
        Material { anchors: &[&authority.root], offered: &[&authority.certificate], ..Material::default() };
    verify_token(&authority.token(&spec), &Expected::default(), &material).unwrap();
}

#[test]
fn a_certificate_that_could_pass_for_the_signers_is_refused() {
    let stamper = CertificateSpec::stamper("Somebody", "Nobody").make(&key("Somebody"), &key("Nobody"));
    let bare = CertificateSpec { purposes: None, ..CertificateSpec::stamper("Signer", "Signer") };
    let bare = bare.make(&key("x"), &key("x"));
    let namesake = CertificateSpec {
        purposes: Some((true, vec![SERVER])),
        ..CertificateSpec::stamper("Signer", "Nobody")
    };
    let namesake = namesake.make(&key("x"), &key("Nobody"));
    for injected in [stamper, bare, namesake] {
        for place in [0, 1] {
            let result = changed(|spec| spec.embedded.insert(place, injected.clone()));
            assert_eq!(code(result), Code::InjectedCertificate);
        }
    }
    // A further authority, a cross-certificate say, cannot stamp and does no harm.
    let authority = CertificateSpec::root("Elsewhere").make(&key("Elsewhere"), &key("Elsewhere"));
    changed(|spec| spec.embedded.push(authority)).unwrap();
}

#[test]
fn the_certificate_is_for_time_stamping_alone_and_critically_so() {
    let purposes = |purposes: Option<(bool, Vec<&'static [u8]>)>| {
        certified(|_, signer| signer.purposes = purposes.clone())
    };
    purposes(Some((true, vec![STAMPING]))).unwrap();
    for bad in [
        None,
        Some((false, vec![STAMPING])),
        Some((true, vec![SERVER])),
        Some((true, vec![STAMPING, SERVER])),
        Some((true, vec![])),
    ] {
        assert_eq!(code(purposes(bad.clone())), Code::NotForStamping, "{bad:?}");
    }
    assert_eq!(code(certified(|_, signer| signer.authority = Some(None))), Code::NotForStamping);
    assert_eq!(code(certified(|_, signer| signer.key_usage = Some(0x20))), Code::NotForStamping);
    certified(|_, signer| signer.key_usage = Some(0x40)).unwrap();
}

#[test]
fn a_chain_holds_only_through_authorities_valid_at_that_time() {
    let before = BlockTime::new(AT.get() - 1_000);
    let after = BlockTime::new(AT.get() + 1_000);
    let never = BlockTime::new(4_000_000_000_000);
    assert_eq!(code(certified(|_, signer| signer.valid = (after, never))), Code::NotValidThen);
    assert_eq!(code(certified(|_, signer| signer.valid = (BlockTime::ZERO, before))), Code::NotValidThen);
    assert_eq!(code(certified(|root, _| root.valid = (after, never))), Code::NotValidThen);
    // Valid then, and for a second only: nothing asks whether it still is.
    certified(|_, signer| signer.valid = (before, BlockTime::new(AT.get()))).unwrap();
    assert_eq!(code(certified(|root, _| root.authority = None)), Code::NotAnIssuer);
    assert_eq!(code(certified(|root, _| root.key_usage = Some(0x80))), Code::NotAnIssuer);
    assert_eq!(code(certified(|root, _| root.purposes = Some((true, vec![SERVER])))), Code::NotAnIssuer);
    assert_eq!(code(certified(|_, signer| signer.issuer = "Nobody")), Code::UntrustedChain);
    let odd: &[u8] = &[0x2a, 3, 4];
    assert_eq!(code(certified(|_, signer| signer.extra = Some((odd, true)))), Code::CriticalExtension);
    certified(|_, signer| signer.extra = Some((odd, false))).unwrap();
}

#[test]
fn a_chain_to_nobody_is_refused_and_a_pinned_signer_is_its_own_anchor() {
    let authority = authority();
    let token = authority.stamp(MESSAGE, AT);
    let other = TestAuthority::new("Another", "Signer");
    assert_eq!(code(judge(&other, &token, &[])), Code::UntrustedChain);
    // Same name, another key.
    let namesake = CertificateSpec::root("Root").make(&key("forged"), &key("forged"));
    let material = Material { anchors: &[&namesake], ..Material::default() };
    assert_eq!(code(verify_token(&token, &Expected::default(), &material)), Code::BadSignature);
    assert_eq!(code(verify_token(&token, &Expected::default(), &Material::default())), Code::UntrustedChain);
    let material = Material { anchors: &[&authority.certificate], ..Material::default() };
    assert_eq!(verify_token(&token, &Expected::default(), &material).unwrap().chain(), 1);
}

#[test]
fn a_path_longer_than_its_constraint_allows_is_refused() {
    for (below, ok) in [(Some(1), true), (Some(0), false), (None, true)] {
        let root = CertificateSpec { authority: Some(below), ..CertificateSpec::root("Root") };
        let middle = CertificateSpec { issuer: "Root", serial: 3, ..CertificateSpec::root("Middle") };
        let middle = middle.make(&key("Middle"), &key("Root"));
        let mut authority = TestAuthority::with(root, CertificateSpec::stamper("Signer", "Root"));
        authority.spec = CertificateSpec::stamper("Signer", "Middle");
        authority.certificate = authority.spec.make(&authority.key, &key("Middle"));
        let mut spec = authority.spec(MESSAGE, AT);
        spec.embedded.push(middle);
        let result = judge(&authority, &authority.token(&spec), &[]);
        assert_eq!(result.err().map(|why| why.code), (!ok).then_some(Code::NotAnIssuer), "{below:?}");
    }
}

#[test]
fn revocation_counts_from_its_date_or_from_the_beginning_for_a_compromised_key() {
    let authority = authority();
    let token = authority.stamp(MESSAGE, AT);
    let (before, after) = (BlockTime::new(AT.get() - 1_000), BlockTime::new(AT.get() + 90_000));
    let list =
        |revoked: &[(u8, BlockTime, u8)]| revocation_list("Root", &authority.root_key, (AT, after), revoked);
    let judged = |list: &[u8]| judge(&authority, &token, &[list]).map_err(|why| why.code);
    let clean = judged(&list(&[(9, before, 0)])).unwrap();
    let known = clean.revocation();
    assert_eq!((known.without, known.answered, known.responder), (0, Some(AT), false));
    judged(&list(&[(2, after, 4)])).unwrap();
    assert_eq!(judged(&list(&[(2, before, 4)])), Err(Code::CertificateRevoked));
    assert_eq!(judged(&list(&[(2, after, 1)])), Err(Code::CertificateRevoked));
    // Of another issuer, signed by another key, or too old to speak of that time.
    let foreign = revocation_list("Nobody", &key("Nobody"), (AT, after), &[]);
    assert_eq!(judged(&foreign), Err(Code::BadRevocation));
    let forged = revocation_list("Root", &key("forged"), (AT, after), &[]);
    assert_eq!(judged(&forged), Err(Code::BadSignature));
    let stale = revocation_list("Root", &authority.root_key, (before, before), &[]);
    assert_eq!(judged(&stale), Err(Code::BadRevocation));
}

#[test]
fn one_institution_counts_once_and_the_quorum_is_there_when_its_last_member_is() {
    let authority = authority();
    let stamped = |later: u64| {
        let at = AT.after(Span::seconds(later)).unwrap();
        judge(&authority, &authority.stamp(MESSAGE, at), &[]).unwrap()
    };
    let (first, second, third) = (stamped(0), stamped(5), stamped(9));
    let by = |institution: &'static str, stamped| Counted { institution, stamped };
    let stamps = [by("a", &first), by("a", &second), by("b", &third)];
    assert_eq!(quorum(&stamps, 1).unwrap(), first.time());
    assert_eq!(quorum(&stamps, 2).unwrap(), third.time());
    assert_eq!(quorum(&stamps, 3).unwrap_err().code, Code::TooFewAuthorities);
    assert_eq!(quorum(&[], 0).unwrap_err().code, Code::TooFewAuthorities);
    let material = Material { anchors: &[&authority.root], ..Material::default() };
    let other = verify_token(&authority.stamp(b"another", AT), &Expected::default(), &material).unwrap();
    let stamps = [by("a", &first), by("b", &other)];
    assert_eq!(quorum(&stamps, 2).unwrap_err().code, Code::WrongImprint);
}

#[test]
fn every_byte_of_a_token_matters_and_none_makes_it_panic() {
    let authority = authority();
    let token = authority.stamp(MESSAGE, AT);
    for position in 0..token.len() {
        for bit in [0x01, 0x80] {
            let mut altered = token.clone();
            altered[position] ^= bit;
            assert!(judge(&authority, &altered, &[]).is_err(), "byte {position} bit {bit:02x}");
        }
        let _ = judge(&authority, &token[..position], &[]);
    }
}

#[test]
fn a_request_is_read_as_it_was_written_and_a_refusal_of_the_authority_is_told() {
    let request = Request {
        imprint: Imprint::of(Hash::Sha256, MESSAGE),
        policy: None,
        nonce: Some(vec![0x80, 1]),
        certificate: true,
    };
    assert_eq!(Request::parse(&request.to_der().unwrap()).unwrap(), request);
    let refused = [0x30, 5, 0x30, 3, 0x02, 1, 2];
    assert_eq!(token_of_response(&refused).unwrap_err().code, Code::NotGranted);
}
