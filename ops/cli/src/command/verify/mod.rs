//! `zeugma verify`: judges a proof file, or an evidence bundle, offline, against a trust file and a time.
//!
//! Nothing is asked of any network. The report says what is shown, by whom, and what is not shown; it
//! never says that something is true.

mod bundle;
mod json;
mod logged;
mod said;
mod text;

pub(super) use bundle::judge as judge_bundle;
pub(super) use text::signatures;

use crate::failure::{Failure, Rule};
use crate::output::{Output, Report};
use crate::{clock, files, path_text, trust, words};
use clap::Args;
use std::path::{Path, PathBuf};
use zeugma_evidence_verify::MAX_BUNDLE;
use zeugma_proof::{Expected, MAX_PROOF, Proof, Proven, Reliance, TrustFile, verify_expected};
use zeugma_types::{BlockTime, Decode, LeafPath, Value};

/// Verifies a proof or an evidence bundle offline: what was said, when, by whom, and what is not shown
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The proof file or the bundle, or - for stdin
    proof: PathBuf,
    /// With a bundle: the file that was deposited; with --logged: the file that is in the log. It is read here and sent nowhere
    file: Option<PathBuf>,
    /// With the proof of an anchored checkpoint: the log's own proof that FILE is in it, a C2SP tlog-proof
    #[arg(long, value_name = "TLOG-PROOF", requires = "file")]
    logged: Option<PathBuf>,
    /// With a bundle: whose word counts, canonical or as JSON
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
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
    logged: Option<logged::Logged>,
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
        let bytes = files::read(&self.proof, MAX_BUNDLE)?;
        if bytes.starts_with(bundle::MAGIC) {
            return self.judge_bundle(&bytes, output);
        }
        let shown = self.judge(bytes)?;
        output.report(&Report { text: text::of(&shown, output.lang()), json: json::of(&shown) });
        Ok(())
    }

    fn judge_bundle(&self, bytes: &[u8], output: &Output) -> Result<(), Failure> {
        if self.destination || self.path.is_some() || self.value.is_some() || self.logged.is_some() {
            return Err(Failure::usage(
                "--destination, --path, --value and --logged are asked of a proof, not of a bundle",
                "leave them out",
            ));
        }
        let trust = self.trusted()?;
        let asked = bundle::Asked {
            bundle: (self.proof.as_path(), bytes),
            file: self.file.as_deref(),
            policy: self.policy.as_deref(),
            trust: &trust,
            time: self.time,
        };
        bundle::run(&asked, output)
    }

    fn trusted(&self) -> Result<TrustFile, Failure> {
        let file = trust::read(&self.trust)?;
        if let Some(given) = self.trusted_fingerprint {
            require_fingerprint(&self.trust.display().to_string(), &file, &given)?;
        }
        Ok(file)
    }

    fn judge(self, bytes: Vec<u8>) -> Result<Shown, Failure> {
        if (self.file.is_some() && self.logged.is_none()) || self.policy.is_some() {
            return Err(Failure::usage(
                format!(
                    "{} is no bundle: a file without --logged, and --policy, belong to one",
                    self.proof.display()
                ),
                "leave them out, give the log's proof of the file with --logged, or name a bundle",
            ));
        }
        let file = self.trusted()?;
        let reliance = if self.destination { Reliance::Destination } else { Reliance::Court };
        let expected = Expected { path: self.path.as_ref(), value: self.value.as_ref() };
        let proven = verify_expected(&bytes, &file.at(self.time, reliance), expected)
            .map_err(|refusal| Failure::refused(self.proof.display(), refusal))?;
        let proof = Proof::from_bytes(&bytes).expect("bytes that were verified decode");
        let logged = match (&self.logged, &self.file) {
            (Some(log_proof), Some(file)) => Some(logged::check(log_proof, file, &proven)?),
            _ => None,
        };
        let names =
            Names { proof: self.proof.display().to_string(), trust: self.trust.display().to_string() };
        let asked = Asked {
            path: self.path.is_some(),
            value: self.value.is_some(),
            fingerprint: self.trusted_fingerprint.is_some(),
        };
        Ok(Shown { names, file, proof, proven, logged, time: self.time, reliance, asked })
    }
}

/// Judges a proof file offline as the command does without further arguments, now: what it says, and since when.
pub(super) fn judge(proof: &Path, trust: &Path) -> Result<(LeafPath, BlockTime), Failure> {
    judge_logged(proof, trust, None)
}

/// The same, with the log's proof of a file and the file.
pub(super) fn judge_logged(
    proof: &Path,
    trust: &Path,
    logged: Option<(&Path, &Path)>,
) -> Result<(LeafPath, BlockTime), Failure> {
    let command = Verify {
        proof: proof.to_owned(),
        file: logged.map(|(_, file)| file.to_owned()),
        logged: logged.map(|(log_proof, _)| log_proof.to_owned()),
        policy: None,
        trust: trust.to_owned(),
        time: clock::now(),
        destination: false,
        path: None,
        value: None,
        trusted_fingerprint: None,
    };
    let bytes = files::read(proof, MAX_PROOF)?;
    let leaf = command.judge(bytes)?.proof.leaf;
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
