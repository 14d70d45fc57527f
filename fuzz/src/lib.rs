//! What the fuzz targets share: seeds written on request, the rule that what decodes has one encoding,
//! and fixed foreign and own chains whose every acceptable input is known.
//!
//! A target is one file of `src/bin`. It says what must hold of any bytes, as far as that can be
//! restated without the code under test: what decodes encodes back to itself; what a verifier accepts
//! was said by the fixed chain; two ways to one verdict agree. `cargo xtask fuzz SECONDS [TARGET]` builds and
//! runs them; `cargo xtask fuzz --seeds` writes `seeds/` anew after an encoding changed.

pub mod comet;
pub mod eth;
pub mod network;
/// The store of the evidence service, by its source: the service around it links a server that no target here calls.
#[path = "../../evidence/service/src/store/mod.rs"]
#[allow(unused_imports, reason = "some of it the service uses, and nothing else")]
pub mod store;

use std::fs;
use std::path::PathBuf;
use zeugma_types::{Decode, Encode};

/// Set by `cargo xtask fuzz`: the folder into which a target writes its seeds, in place of fuzzing.
const SEEDS: &str = "ZEUGMA_FUZZ_SEEDS";

/// An input to start from: its name and its bytes.
pub type Seed = (String, Vec<u8>);

/// Names an input to start from.
pub fn seed(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Seed {
    (name.into(), bytes.into())
}

/// As [`seed`], for targets whose first byte chooses what the rest is.
pub fn seed_of(choice: u8, name: impl Into<String>, bytes: impl AsRef<[u8]>) -> Seed {
    (name.into(), [&[choice], bytes.as_ref()].concat())
}

/// Called first by every target: writes the seeds and ends the process when that is asked for.
///
/// # Panics
/// When the folder cannot be written.
pub fn start(seeds: impl FnOnce() -> Vec<Seed>) {
    let Some(folder) = std::env::var_os(SEEDS).map(PathBuf::from) else { return };
    for (name, bytes) in seeds() {
        fs::write(folder.join(&name), bytes)
            .unwrap_or_else(|error| panic!("cannot write seed {name}: {error}"));
    }
    std::process::exit(0);
}

/// Decodes `bytes`; what decodes must encode back to the same bytes.
///
/// # Panics
/// When it does not: that is a finding.
pub fn canonical<T: Decode + Encode>(bytes: &[u8]) -> Option<T> {
    let value = T::from_bytes(bytes).ok()?;
    assert_eq!(value.to_bytes(), bytes, "a second encoding of one value was accepted");
    Some(value)
}

/// As [`canonical`], for formats with functions of their own.
///
/// # Panics
/// When the bytes differ: that is a finding.
pub fn canonical_by<T, E>(
    bytes: &[u8],
    decode: impl FnOnce(&[u8]) -> Result<T, E>,
    encode: impl FnOnce(&T, &mut Vec<u8>),
) -> Option<T> {
    let value = decode(bytes).ok()?;
    let mut encoded = Vec::new();
    encode(&value, &mut encoded);
    assert_eq!(encoded, bytes, "a second encoding of one value was accepted");
    Some(value)
}
