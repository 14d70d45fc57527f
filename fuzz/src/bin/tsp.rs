//! A time-stamp that is accepted says what the authority of the test said; requests have one encoding; receipts
//! of other services, revocation lists and responses never panic. The first byte chooses which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeugma_evidence_verify::cose::Receipt;
use zeugma_evidence_verify::testkit::STAMPED;
use zeugma_evidence_verify::testkit::authority::{TestAuthority, revocation_list};
use zeugma_evidence_verify::tsp::{Expected, Imprint, Material, Request, token_of_response, verify_token};
use zeugma_evidence_verify::x509::Hash;
use zeugma_fuzz::{seed_of, start};

const MESSAGE: &[u8] = b"a checkpoint\n";

static AUTHORITY: LazyLock<TestAuthority> = LazyLock::new(|| TestAuthority::new("Root", "Signer"));
static TOKEN: LazyLock<Vec<u8>> = LazyLock::new(|| AUTHORITY.stamp(MESSAGE, STAMPED));

/// An inclusion receipt of two leaves, its signature of zeros.
const RECEIPT: &[u8] = &[
    0xd2, 0x84, 0x47, 0xa2, 0x01, 0x26, 0x19, 0x01, 0x8b, 0x01, 0xa1, 0x19, 0x01, 0x8c, 0xa1, 0x20, 0x81,
    0x44, 0x83, 0x01, 0x00, 0x80, 0xf6, 0x41, 0x00,
];

fn seeds() -> Vec<zeugma_fuzz::Seed> {
    let mut indefinite = AUTHORITY.spec(MESSAGE, STAMPED);
    indefinite.indefinite = true;
    let request = Request {
        imprint: Imprint::of(Hash::Sha256, MESSAGE),
        policy: None,
        nonce: Some(vec![9]),
        certificate: true,
    };
    let list = revocation_list("Root", &AUTHORITY.root_key, (STAMPED, STAMPED), &[(9, STAMPED, 1)]);
    // Granted, and the token; the length of both in two bytes.
    let [high, low] = u16::try_from(TOKEN.len() + 5).expect("a small token").to_be_bytes();
    let response = [&[0x30, 0x82, high, low, 0x30, 3, 2, 1, 0], TOKEN.as_slice()].concat();
    vec![
        seed_of(0, "token", TOKEN.as_slice()),
        seed_of(0, "token-ber", AUTHORITY.token(&indefinite)),
        seed_of(1, "request", request.to_der().expect("no policy is asked for")),
        seed_of(2, "response", response),
        seed_of(3, "receipt", RECEIPT),
        seed_of(4, "revocation", list),
    ]
}

fn judge(token: &[u8], revocation: &[&[u8]]) {
    let material = Material { anchors: &[&AUTHORITY.root], offered: &[], revocation };
    if let Ok(stamped) = verify_token(token, &Expected::default(), &material) {
        assert_eq!(stamped.time(), STAMPED, "a time that the authority did not state");
        assert_eq!(*stamped.imprint(), Imprint::of(Hash::Sha256, MESSAGE), "a digest that it did not see");
    }
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    match choice % 5 {
        0 => judge(bytes, &[]),
        1 => {
            if let Ok(request) = Request::parse(bytes)
                && let Ok(written) = request.to_der()
            {
                assert_eq!(Request::parse(&written), Ok(request), "a request changed when it was written");
            }
        }
        2 => drop(token_of_response(bytes)),
        3 => drop(Receipt::parse(bytes)),
        _ => judge(&TOKEN, &[bytes]),
    }
});
