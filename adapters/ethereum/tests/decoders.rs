//! Whatever bytes come from outside: no panic, and one encoding for each value.

use proptest::prelude::*;
use std::sync::LazyLock;
use zeugma_adapter_ethereum::block::BlockHeader;
use zeugma_adapter_ethereum::container::{Bootstrap, Kind, LightUpdate};
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::receipt::Receipt;
use zeugma_adapter_ethereum::rlp::Rlp;
use zeugma_adapter_ethereum::testnet::{Draft, Testnet, wire};
use zeugma_adapter_ethereum::trie::walk;
use zeugma_adapter_ethereum::{Evidence, Profile, State, StoreProof, Update};
use zeugma_types::{Decode, Encode};

fn canonical<T: Decode + Encode>(bytes: &[u8]) {
    if let Ok(value) = T::from_bytes(bytes) {
        assert_eq!(value.to_bytes(), bytes);
    }
}

fn read_all(bytes: &[u8]) {
    canonical::<Profile>(bytes);
    canonical::<State>(bytes);
    canonical::<Update>(bytes);
    canonical::<Evidence>(bytes);
    canonical::<StoreProof>(bytes);
    for fork in Fork::ALL {
        for seats in [32, 512] {
            for kind in [Kind::Full, Kind::Finality, Kind::Optimistic] {
                if let Ok(update) = LightUpdate::read(bytes, kind, fork, seats) {
                    assert_eq!(wire::update(&update, kind, fork), bytes);
                }
            }
            if let Ok(bootstrap) = Bootstrap::read(bytes, fork, seats) {
                assert_eq!(wire::bootstrap(&bootstrap, fork), bytes);
            }
        }
    }
    let _ = BlockHeader::read(bytes);
    let _ = Receipt::read(bytes);
    let mut items = Rlp::new(bytes);
    while items.item().is_ok() {}
    let _ = walk(&[1; 32], &[2; 32], &[bytes]);
    let _ = walk(&zeugma_crypto::hash::keccak256(&[bytes]), &[2; 32], &[bytes]);
}

static GOOD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let net = Testnet::new(&[(Fork::Deneb, 0), (Fork::Gloas, 8)]);
    let drafts = [Draft::new(8, 24, 40, Kind::Finality), Draft::new(24, 72, 88, Kind::Full)];
    let updates = drafts.each_ref().map(|draft| net.update(draft));
    vec![
        net.profile().to_bytes(),
        net.state_at(24).to_bytes(),
        updates[0].to_bytes(),
        updates[1].to_bytes(),
        updates[1].bytes().to_vec(),
        wire::bootstrap(&net.bootstrap(8), Fork::Deneb),
        wire::bootstrap(&net.bootstrap(72), Fork::Gloas),
        net.block(72),
        Testnet::proof(24, b"short").to_bytes(),
        Evidence { updates }.to_bytes(),
    ]
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
    }

    #[test]
    fn good_bytes_that_were_changed_have_one_encoding_or_none(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = GOOD[which.index(GOOD.len())].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        read_all(&bytes);
    }
}
