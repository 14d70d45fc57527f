//! The verifier of evidence bundles as a WebAssembly module with three plain exports.
//!
//! The wrapper `js/index.mjs` is the only caller: it asks for memory, writes a request, calls [`verify`],
//! reads the answer (JSON, its length before it) and frees both. A file is never handed over: its digests are,
//! computed where it lies. No binding generator is needed, so the module is built by `cargo build` alone.

use serde_json::{Value, json};
use zeugma_evidence_log::record::FileDigests;
use zeugma_evidence_verify::policy::MAX_POLICY;
use zeugma_evidence_verify::{Language, MAX_BUNDLE, Policy, Question, Report, Subject, verify as judge};
use zeugma_proof::{MAX_TRUST_FILE, TrustFile};
use zeugma_types::{BlockTime, Decode, Encode, Permanence, Reader, Refusal};

/// Longest request, in bytes: a bundle, a trust file, a policy, and what is fixed.
const MAX_REQUEST: usize = MAX_BUNDLE + MAX_TRUST_FILE + MAX_POLICY + 128;

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

/// Judges the request and answers with the address of four bytes of length (little-endian) and JSON.
///
/// # Safety
/// `request` and `length` are those of one reservation, not yet freed.
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "an export that the host calls")]
pub unsafe extern "C" fn verify(request: *const u8, length: usize) -> *mut u8 {
    // SAFETY: by the contract, the memory was reserved with this length and is not written meanwhile.
    let request = unsafe { core::slice::from_raw_parts(request, length) };
    let text = match answer(request) {
        Ok(report) => shown(&report),
        Err(refusal) => refused(&refusal),
    }
    .to_string();
    let length = u32::try_from(text.len()).expect("an answer is shorter than the request");
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

/// A request, in the canonical encoding: time `u64`, bundle, trust file and policy `bytes`, and the digests of
/// the file presented, SHA-256 and SM3, each an `option<[32]>`.
fn answer(request: &[u8]) -> Result<Report, Refusal> {
    let mut reader = Reader::new(request);
    let time = BlockTime::decode(&mut reader)?;
    let bundle = reader.bytes(MAX_REQUEST)?;
    let trust = TrustFile::from_bytes(reader.bytes(MAX_REQUEST)?)?;
    let policy = Policy::from_bytes(reader.bytes(MAX_REQUEST)?)?;
    let digests = FileDigests { sha256: reader.option(Reader::array)?, sm3: reader.option(Reader::array)? };
    reader.finish()?;
    let nothing = digests == FileDigests::default();
    let subject = if nothing { Subject::Nothing } else { Subject::Digests(digests) };
    judge(&Question { bundle, subject, trust: &trust, policy: &policy, time })
}

fn refused(refusal: &Refusal) -> Value {
    json!({
        "judged": false,
        "code": refusal.code.number(),
        "name": refusal.code.name(),
        "permanence": match refusal.permanence() { Permanence::Never => "never", Permanence::NotYet => "not-yet" },
        "en": refusal.code.en(),
        "zh": refusal.code.zh(),
        "needed": refusal.needed.to_string(),
        "found": refusal.found.to_string(),
    })
}

fn shown(report: &Report) -> Value {
    let view: Value = serde_json::from_str(&report.to_json()).expect("the view is JSON");
    let bytes: String = report.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "judged": true,
        "report": view,
        "bytes": bytes,
        "en": report.words(Language::En),
        "zh": report.words(Language::Zh),
    })
}
