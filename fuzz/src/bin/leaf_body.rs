//! Leaf paths and the bodies behind leaves encode back to themselves, and a body's path and value can be
//! had. The first two bytes are the namespace; 0 asks for a leaf path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_fuzz::network::{bodies, packet_path, receipt_path};
use zeugma_fuzz::{Seed, canonical, seed, start};
use zeugma_proof::body::{Body, Handover};
use zeugma_proof::testkit::{Keys, TestNetwork};
use zeugma_types::{Decode, Encode, Era, HashSuite, Height, LeafPath, Namespace};

fn seeds() -> Vec<Seed> {
    let handover = Handover {
        era: Era::new(1),
        committee: Keys::derive(9, 1).committee,
        height: Height::new(7),
        outbox: TestNetwork::new(3).outbox(),
    };
    let mut bodies = bodies();
    bodies.push(handover.into());
    let body = |body: &Body| {
        let namespace = body.path().namespace();
        seed(namespace.name(), [namespace.to_bytes(), body.to_bytes()].concat())
    };
    let path = |path: LeafPath| [vec![0, 0], path.to_bytes()].concat();
    let mut seeds: Vec<_> = bodies.iter().map(body).collect();
    seeds.push(seed("path-packet", path(packet_path())));
    seeds.push(seed("path-receipt", path(receipt_path())));
    seeds.push(seed("path-registry", path(LeafPath::registry(2, "rules").expect("a short name"))));
    seeds
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((namespace, bytes)) = data.split_first_chunk::<2>() else { return };
    if *namespace == [0, 0] {
        if let Some(path) = canonical::<LeafPath>(bytes) {
            assert!((1..=LeafPath::MAX).contains(&path.path().len()), "a path outside its bounds");
        }
        return;
    }
    let Ok(namespace) = Namespace::from_bytes(namespace) else { return };
    let Ok(body) = Body::decode_as(namespace, bytes) else { return };
    assert_eq!(body.to_bytes(), bytes, "a second encoding of one body was accepted");
    assert_eq!(body.path().namespace(), namespace);
    for suite in HashSuite::ALL {
        let _ = body.value(*suite);
    }
});
