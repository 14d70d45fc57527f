//! The bytes that a ledger keeps and that relayers send: changing one of these changes the format.

use zeugma_adapter_cometbft::testnet::{Ballot, Committee, Member, Secret, Testnet};
use zeugma_adapter_cometbft::{Evidence, State, Update};
use zeugma_crypto::hash::sha256;
use zeugma_types::{Encode, Height};

fn update(chain: &Testnet) -> Update {
    let old = Committee::of([1, 2, 3]);
    let new = Committee::new(vec![
        Member { secret: Secret::ed25519(1), power: 300 },
        Member { secret: Secret::secp256k1(2), power: 7 },
        Member { secret: Secret::ed25519(3), power: 7 },
    ]);
    let ballots = [Ballot::For, Ballot::Nil, Ballot::Absent];
    let signed = chain.sign(chain.header(20, &new, &old, [4; 32]), &new, |index| ballots[index]);
    Update::new(Height::new(10), signed, new.validators(), old.validators())
}

#[test]
fn a_profile_has_these_bytes() {
    let found = hex::encode(Testnet::new("golden-1").profile().to_bytes());
    // Identifier, level, periods in milliseconds, drift, store.
    let expected = [
        "00000008676f6c64656e2d31",
        "0000000100000003",
        "0000000048190800",
        "000000006c258c00",
        "0000000000002710",
        "01",
    ];
    assert_eq!(found, expected.concat());
}

#[test]
fn a_state_has_these_bytes() {
    let chain = Testnet::new("golden-1");
    let found = hex::encode(State::of(&update(&chain).signed_header.header).to_bytes());
    // Height, seconds and nanoseconds, application hash, next validators, header.
    let expected = [
        "0000000000000014",
        "000000006553f164075bcd15",
        "000000200404040404040404040404040404040404040404040404040404040404040404",
        "25f3034717ded52cb7a3e897454ed229654a1c4e05e960f0df45299aaeadf9c5",
        "53017c2af77d6200a875b3a4e5623bfe91fee4917dab8545caf925a64dccfd11",
    ];
    assert_eq!(found, expected.concat());
}

#[test]
fn an_update_and_evidence_have_bytes_of_these_digests() {
    let update = update(&Testnet::new("golden-1"));
    let evidence = Evidence { blocks: [update.clone(), update.clone()] }.to_bytes();
    let found = [update.to_bytes(), evidence].map(|bytes| (bytes.len(), hex::encode(sha256(&[&bytes]))));
    let expected = [
        (985, "6f591f7f64467dadfb2255aa6dfed1c4db81a0cd14ee69cdefa1d82a51cf4584"),
        (1970, "7a831eb689a949dc7847464c539fbcf238fa3faa46268a2d004305297f83ecca"),
    ];
    assert_eq!(found, expected.map(|(length, digest)| (length, digest.to_owned())));
}
