//! The self-test: a panic behind four exact bytes, which only coverage and traced comparisons find
//! quickly. `cargo xtask fuzz` fails when it is *not* found.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_fuzz::{seed, start};

fuzz_target!(init: start(|| vec![seed("nothing", [0; 8])]), |data: &[u8]| {
    if let Some((magic, _)) = data.split_first_chunk() {
        assert_ne!(u32::from_be_bytes(*magic), 0x5a47_4221, "the planted bug");
    }
});
