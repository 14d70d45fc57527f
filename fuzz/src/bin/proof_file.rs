//! A proof file that decodes encodes back to itself, and so does the body it carries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_fuzz::network::NETWORK;
use zeugma_fuzz::{canonical, start};
use zeugma_proof::Proof;
use zeugma_proof::body::Body;
use zeugma_types::Encode;

fuzz_target!(init: start(|| NETWORK.samples.clone()), |data: &[u8]| {
    let Some(proof) = canonical::<Proof>(data) else { return };
    let Some(opening) = proof.opening else { return };
    if let Ok(body) = Body::decode_as(proof.leaf.path.namespace(), &opening) {
        assert_eq!(body.to_bytes(), opening, "a second encoding of one body was accepted");
    }
});
