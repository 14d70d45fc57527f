//! The verifier of the one proof as a WebAssembly module with four plain exports.
//!
//! The wrapper `js/index.mjs` is the only caller: it asks for memory, writes a request, calls
//! [`verify`], reads the answer (JSON, its length before it) and frees both. No binding generator is
//! needed, so the module is built by `cargo build` alone and is the same bytes for the same source.

use serde_json::{Value, json};
use zeugma_proof::{
    By, EraStanding, Expected, KeyOrigin, Proven, Reliance, Trust, TrustFile, verify_expected,
};
use zeugma_types::{BlockTime, Decode, LeafPath, Permanence, Reader, Refusal};

/// Longest request, in bytes: a trust file, a proof, and a path and value to expect.
const MAX_REQUEST: usize = zeugma_proof::MAX_TRUST_FILE + zeugma_proof::MAX_PROOF + 4_096;

/// Memory of `length` bytes for the caller to write to; to be freed with [`release`]. None, as address 0,
/// for a request longer than any that could be right.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "an export that the host calls")]
pub extern "C" fn reserve(length: usize) -> *mut u8 {
    if length > MAX_REQUEST {
        return core::ptr::null_mut();
    }
    let memory = vec![0_u8; length].into_boxed_slice();
    Box::into_raw(memory).cast()
}

/// Frees memory of [`reserve`] or of an answer.
///
/// # Safety
/// `memory` and `length` are those of one reservation or answer, not yet freed.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "an export that the host calls")]
pub unsafe extern "C" fn release(memory: *mut u8, length: usize) {
    // SAFETY: by the contract, this is the box that `reserve` or `verify` leaked, with its own length.
    drop(unsafe { Box::from_raw(core::ptr::slice_from_raw_parts_mut(memory, length)) });
}

/// Verifies the request and answers with the address of four bytes of length (little-endian) and JSON.
///
/// # Safety
/// `request` and `length` are those of one reservation, not yet freed.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "an export that the host calls")]
pub unsafe extern "C" fn verify(request: *const u8, length: usize) -> *mut u8 {
    // SAFETY: by the contract, the memory was reserved with this length and is not written meanwhile.
    let request = unsafe { core::slice::from_raw_parts(request, length) };
    let text = match answer(request) {
        Ok(shown) => shown,
        Err(refusal) => refused(&refusal),
    }
    .to_string();
    let length = u32::try_from(text.len()).expect("an answer is short");
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

/// A request, in the canonical encoding: time `u64`, reliance `u8` (1 court, 2 destination), trust file
/// `bytes`, proof `bytes`, path `option`, value `option`.
fn answer(request: &[u8]) -> Result<Value, Refusal> {
    let mut reader = Reader::new(request);
    let time = BlockTime::decode(&mut reader)?;
    let reliance = if reader.u8()? == 1 { Reliance::Court } else { Reliance::Destination };
    let trust = TrustFile::from_bytes(reader.bytes(MAX_REQUEST)?)?;
    let proof = reader.bytes(MAX_REQUEST)?;
    let path = reader.option(LeafPath::decode)?;
    let value = reader.option(zeugma_types::Value::decode)?;
    reader.finish()?;
    let keys = trust.at(time, reliance);
    let expected = Expected { path: path.as_ref(), value: value.as_ref() };
    let proven = verify_expected(proof, &keys, expected)?;
    Ok(shown(&proven, &keys))
}

fn refused(refusal: &Refusal) -> Value {
    json!({
        "proven": false,
        "code": refusal.code.number(),
        "name": refusal.code.name(),
        "permanence": match refusal.permanence() { Permanence::Never => "never", Permanence::NotYet => "not-yet" },
        "en": refusal.code.en(),
        "zh": refusal.code.zh(),
        "needed": refusal.needed.to_string(),
        "found": refusal.found.to_string(),
    })
}

fn shown(proven: &Proven, trust: &Trust) -> Value {
    let leaf = proven.leaf();
    let committee = trust
        .eras()
        .iter()
        .find(|era| era.era() == proven.era())
        .and_then(zeugma_proof::TrustedEra::committee);
    json!({
        "proven": true,
        "network": leaf.network.to_string(),
        "height": leaf.height.get(),
        "time": leaf.time.get(),
        "namespace": leaf.path.namespace().name(),
        "path": hex(leaf.path.path()),
        "value": leaf.value.to_string(),
        "index": proven.index().get(),
        "provenAt": proven.header().height.get(),
        "era": proven.era().get(),
        "eraStanding": match proven.era_standing() {
            EraStanding::Present => "present",
            EraStanding::Expired => "expired",
            EraStanding::Retired => "retired",
        },
        "by": match proven.by() {
            By::Certificate => "certificate".to_owned(),
            By::Seal(suite) => format!("seal {suite}"),
        },
        "dealerMadeTheKey":
            committee.is_some_and(|committee| committee.origin == KeyOrigin::InsecureDealer),
        "members": committee.map_or(0, |committee| committee.members().len()),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
