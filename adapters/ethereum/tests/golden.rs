//! The bytes that a ledger keeps and that relayers send: changing one of these changes the format.

use zeugma_adapter_core::Family;
use zeugma_adapter_ethereum::container::Kind;
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::testnet::{Draft, Testnet};
use zeugma_adapter_ethereum::{Ethereum, Evidence};
use zeugma_crypto::hash::sha256;
use zeugma_types::Encode;

fn net() -> Testnet {
    Testnet::new(&[(Fork::Deneb, 0), (Fork::Electra, 8), (Fork::Gloas, 16)])
}

#[test]
fn a_profile_has_these_bytes() {
    // Root, genesis, slot; slots, epochs, seats; three forks; router, mapping; periods and drift.
    let expected = [
        "9afbce9f2416520733bacb370315d32b6b2c43d6097576df1c1222859d91eecc",
        "0000018bcfe56800",
        "0000000000001770",
        "00000008",
        "00000008",
        "00000020",
        "00000003",
        "04040000010000000000000000",
        "05050000010000000000000008",
        "07070000010000000000000010",
        "2626262626262626262626262626262626262626",
        "1260944489272988d9df285149b5aa1b0f48f2136d6f416159f840a3e0747600",
        "0000000001312d00",
        "0000000001c9c380",
        "0000000000002710",
    ];
    assert_eq!(hex::encode(net().profile().to_bytes()), expected.concat());
}

#[test]
fn a_state_has_these_bytes() {
    // Slot and time; header; block's number and hash; state and receipts; both committees.
    let expected = [
        "0000000000000008",
        "0000018bcfe62380",
        "2c6eab7a4e0f628f294460764a4020a9fa27b1c6c2d06b9bd13dbac70ef36ef2",
        "00000000000003f0",
        "cb6484ef901646e9a800f5f11ab9656c597a30826d05ef80efaa18b5eed704c6",
        "0f6d7ca6f664087d8f82ab8095f4748629df2dbf93f0d92b1b51305bade6be53",
        "0505050505050505050505050505050505050505050505050505050505050505",
        "897f58ef3dcc3db8c8ed4638594baf8d7d589b8b1755ee360068a9013a99d3a9",
        "0092ee15c4aa2a40c936666b0588539d06cad2f89860ada41120e26b02b85127",
    ];
    assert_eq!(hex::encode(net().state_at(8).to_bytes()), expected.concat());
}

#[test]
fn updates_evidence_and_proofs_have_bytes_of_these_digests() {
    let net = net();
    let draft = Draft::new(8, 24, 40, Kind::Finality);
    let other = Draft { history: 1, ..draft.clone() };
    let evidence = Evidence { updates: [net.update(&draft), net.update(&other)] };
    let found = [
        net.update(&draft).to_bytes(),
        net.update(&Draft::new(8, 72, 88, Kind::Full)).to_bytes(),
        net.update(&Draft::new(72, 136, 152, Kind::Full)).to_bytes(),
        evidence.to_bytes(),
        Testnet::proof(24, b"client-0\x01\0\0\0\0\0\0\0\x05").to_bytes(),
    ];
    let found = found.map(|bytes| (bytes.len(), hex::encode(sha256(&[&bytes]))));
    let expected = [
        (3575, "ccbfb9d5e908d70ac22aedc8c93bdc88da56a0725aacfd5a6d86c28e6a55467c"),
        (5383, "d351339052e0dfdb2dec1ca85c082d48ca23e662fa4f7326ada58589126f929d"),
        (5443, "4bba7408396724009eb65c09c5e786c7be4dd6220e5e861f2db4d06d089d9515"),
        (7150, "9abacd5ecd71c9ff143d81fb07f262996efb8aa9ffa99c72ac56f091a8780d63"),
        (1606, "c85e07899b7d53382a83f6df513dc958f06f9717e8531428ce386d50cb6db2d4"),
    ];
    assert_eq!(found, expected.map(|(length, digest)| (length, digest.to_owned())));
}

#[test]
fn the_family_has_number_three() {
    assert_eq!((Ethereum::NUMBER, Ethereum::NAME), (3, "ethereum"));
}
