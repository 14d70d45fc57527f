//! No input makes a decoder or a verifier panic, and what decodes encodes back to itself.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use zeugma_adapter_cometbft::ics23::{self, CommitmentProof, Spec};
use zeugma_adapter_cometbft::testnet::store::{Map, Tree};
use zeugma_adapter_cometbft::testnet::{Committee, Testnet};
use zeugma_adapter_cometbft::validators::ValidatorSet;
use zeugma_adapter_cometbft::{
    CometBft, Evidence, Profile, Rules, SignedHeader, State, Store, Update, ibc, verify,
};
use zeugma_adapter_core::{Adapter, MerklePath, Of};
use zeugma_types::{BlockTime, Decode, Encode};

/// Well-formed bytes of every kind that comes from outside.
fn samples() -> Vec<Vec<u8>> {
    let chain = Testnet::new("fuzz-1");
    let (old, new) = (Committee::of(1..=3), Committee::of(2..=4));
    let header = chain.header(20, &new, &new, [5; 32]);
    let state = State::of(&header);
    let update = chain.update(10, &old, header, &new);
    let entries = (0..9_u8).map(|n| (vec![n], vec![n; 3])).collect();
    let map = Map::new(Tree::Iavl, &entries);
    let existence = CommitmentProof::Existence(map.existence(&[4]).unwrap());
    let absence = CommitmentProof::Absence(map.absence(&[4, 4]));
    let merkle = |proof: &CommitmentProof| {
        zeugma_adapter_cometbft::testnet::store::encode(&[proof.clone(), existence.clone()])
    };
    vec![
        update.to_bytes(),
        update.signed_header.to_proto(),
        update.validators.to_bytes(),
        Evidence { blocks: [update.clone(), update] }.to_bytes(),
        state.to_bytes(),
        chain.profile().to_bytes(),
        merkle(&existence),
        merkle(&absence),
    ]
}

/// A sample with a few bytes changed, cut out or put in; or bytes that mean nothing.
fn inputs() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    let edited = (prop::sample::select(samples()), prop::collection::vec(edit, 0..6)).prop_map(
        |(mut bytes, edits)| {
            for (at, byte, how) in edits {
                if bytes.is_empty() {
                    break;
                }
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.truncate(at),
                    2 => bytes.insert(at, byte),
                    _ => {
                        bytes.remove(at);
                    }
                }
            }
            bytes
        },
    );
    prop_oneof![4 => edited, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

fn reads_back<T: Decode + Encode>(bytes: &[u8]) {
    if let Ok(value) = T::from_bytes(bytes) {
        assert_eq!(value.to_bytes(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_decodes_encodes_back_to_itself(bytes in inputs()) {
        reads_back::<Update>(&bytes);
        reads_back::<Evidence>(&bytes);
        reads_back::<State>(&bytes);
        reads_back::<Profile>(&bytes);
        reads_back::<ValidatorSet>(&bytes);
        if let Ok(signed) = SignedHeader::decode_proto(&bytes) {
            prop_assert_eq!(signed.to_proto(), bytes.clone());
        }
        if let Ok(proof) = CommitmentProof::decode(&bytes) {
            let mut out = vec![];
            proof.encode(&mut out);
            prop_assert_eq!(out, bytes.clone());
        }
        // These read more than one form.
        let _ = CommitmentProof::decode_batch(&bytes);
        let _ = ibc::update_from_header(&bytes);
    }

    #[test]
    fn no_input_makes_the_family_panic(bytes in inputs(), now in any::<u64>(), proof in inputs()) {
        let chain = Testnet::new("fuzz-1");
        let profile = Profile { store: Store::Cosmos, ..chain.profile() };
        let trusted = State::of(&chain.header(10, &Committee::of(1..=3), &Committee::of(1..=3), [5; 32]));
        let adapter: Of<CometBft> = Of::new();
        let born = BlockTime::new(trusted.time.millis().get() + 1);
        let client = adapter.create(&profile.to_bytes(), &trusted.to_bytes(), born).unwrap().client;
        let (state, now) = (trusted.to_bytes(), BlockTime::new(now));
        let _ = adapter.create(&bytes, &state, now);
        let _ = adapter.create(&profile.to_bytes(), &bytes, now);
        let _ = adapter.update(&client, &state, &|_| None, &bytes, born);
        let _ = adapter.update(&client, &bytes, &|_| None, &bytes, now);
        let _ = adapter.update(&bytes, &state, &|_| None, &bytes, now);
        let _ = adapter.submit_evidence(&client, [&state, &bytes], &bytes, born);
        let path = MerklePath::new(vec![b"ibc".to_vec(), vec![4, 4]]).unwrap();
        let _ = adapter.membership(&client, &state, &path, &bytes, &proof);
        let _ = adapter.non_membership(&client, &state, &path, &proof);
        let specs = [Spec::IAVL, Spec::TENDERMINT];
        let _ = ics23::verify_membership(&specs, &bytes, path.elements(), &bytes, &proof);
        if let Ok(update) = Update::from_bytes(&bytes) {
            let _ = verify::update(&Rules::of(&profile), &trusted, &update, now);
        }
        let _ = (adapter.update_cost(bytes.len()), adapter.update_cost(usize::MAX), adapter.proof_cost(usize::MAX));
    }
}
