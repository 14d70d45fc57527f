//! `zeugma verify`: judges a proof file offline, against a trust file and a time.
//!
//! Nothing is asked of any network. The report says what is shown, by whom, and what is not shown; it
//! never says that something is true.

mod json;
mod said;
mod text;

pub(super) use text::signatures;

use crate::failure::{Failure, Rule};
use crate::output::{Output, Report};
use crate::{clock, files, path_text, trust, words};
use clap::Args;
use std::path::{Path, PathBuf};
use zeugma_proof::{Expected, MAX_PROOF, Proof, Proven, Reliance, TrustFile, verify_expected};
use zeugma_types::{BlockTime, Decode, LeafPath, Value};

/// Verifies a proof offline: what the network said, when, under whose certificate
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The proof file, or - for stdin
    proof: PathBuf,
    /// The trust file: canonical bytes, or trust.json
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// The time at which to judge: RFC 3339, or now
    #[arg(long, default_value = "now", value_parser = clock::parse)]
    time: BlockTime,
    /// Judge as another chain does: accept nothing under a retired key
    #[arg(long)]
    destination: bool,
    /// Refuse unless the leaf has this path, as anchor:ORIGIN@SIZE or ibc:CLIENT/commitment/SEQUENCE
    #[arg(long, value_parser = path_text::parse)]
    path: Option<LeafPath>,
    /// Refuse unless the leaf has this value, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = parse_value)]
    value: Option<Value>,
    /// Refuse unless the trust file has this fingerprint: 64 hexadecimal digits, or 24 words in quotes
    #[arg(long, value_name = "HEX|WORDS", value_parser = words::parse)]
    trusted_fingerprint: Option<[u8; 32]>,
}

fn parse_value(text: &str) -> Result<Value, String> {
    let bytes = hex::decode(text).map_err(|why| why.to_string())?;
    bytes.try_into().map(Value::new).map_err(|_| "a value has 64 hexadecimal digits".to_owned())
}

/// A proof that was accepted, with all that a report tells.
#[derive(Clone, Debug)]
struct Shown {
    names: Names,
    file: TrustFile,
    proof: Proof,
    proven: Proven,
    time: BlockTime,
    reliance: Reliance,
    asked: Asked,
}

/// What the files are called.
#[derive(Clone, Debug)]
struct Names {
    proof: String,
    trust: String,
}

/// What was compared because the caller asked for it.
#[derive(Clone, Copy, Debug)]
struct Asked {
    path: bool,
    value: bool,
    fingerprint: bool,
}

impl Verify {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let shown = self.judge()?;
        output.report(&Report { text: text::of(&shown, output.lang()), json: json::of(&shown) });
        Ok(())
    }

    fn judge(self) -> Result<Shown, Failure> {
        let file = trust::read(&self.trust)?;
        if let Some(given) = self.trusted_fingerprint {
            require_fingerprint(&self.trust.display().to_string(), &file, &given)?;
        }
        let reliance = if self.destination { Reliance::Destination } else { Reliance::Court };
        let bytes = files::read(&self.proof, MAX_PROOF)?;
        let expected = Expected { path: self.path.as_ref(), value: self.value.as_ref() };
        let proven = verify_expected(&bytes, &file.at(self.time, reliance), expected)
            .map_err(|refusal| Failure::refused(self.proof.display(), refusal))?;
        let proof = Proof::from_bytes(&bytes).expect("bytes that were verified decode");
        let names =
            Names { proof: self.proof.display().to_string(), trust: self.trust.display().to_string() };
        let asked = Asked {
            path: self.path.is_some(),
            value: self.value.is_some(),
            fingerprint: self.trusted_fingerprint.is_some(),
        };
        Ok(Shown { names, file, proof, proven, time: self.time, reliance, asked })
    }
}

/// Judges a proof file offline as the command does without further arguments, now: what it says, and since when.
pub(super) fn judge(proof: &Path, trust: &Path) -> Result<(LeafPath, BlockTime), Failure> {
    let command = Verify {
        proof: proof.to_owned(),
        trust: trust.to_owned(),
        time: clock::now(),
        destination: false,
        path: None,
        value: None,
        trusted_fingerprint: None,
    };
    let leaf = command.judge()?.proof.leaf;
    Ok((leaf.path, leaf.time))
}

/// Refuses a trust file with another fingerprint than the one known.
pub(super) fn require_fingerprint(subject: &str, file: &TrustFile, known: &[u8; 32]) -> Result<(), Failure> {
    let found = file.fingerprint();
    if found == *known {
        return Ok(());
    }
    let what = format!("needed {}, found {}", hex::encode(known), hex::encode(found));
    let todo = "do not rely on this trust file; get the one that belongs to the paper";
    Err(Failure::own(Rule::WrongFingerprint, subject, what, todo))
}
