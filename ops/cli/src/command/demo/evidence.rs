//! A file's digest goes into a log, and the log's checkpoint onto the chain.

use super::log::Log;
use super::{PATIENCE, Stage};
use crate::failure::Failure;
use crate::files::{self, Readers, write_new};
use crate::route;
use crate::submit::Sender;
use std::path::{Path, PathBuf};
use zeugma_client::ProofFile;
use zeugma_crypto::hash::sha256;
use zeugma_ledger::Message;
use zeugma_ledger::bounded::{Bytes, List, Maybe, Text};
use zeugma_ledger::tx::{AnchorLog, RegisterOrigin};
use zeugma_proof::body::origin_digest;
use zeugma_types::{LeafPath, Refusal, TreeSize};

const ORIGIN: &str = "evidence.example/demo-log";
/// The log's proof of the exhibit.
pub(super) const LOG_PROOF: &str = "exhibit.tlog-proof";
/// The exhibit itself, where none was named.
const SAMPLE_NAME: &str = "sample.txt";
const SAMPLE: &[u8] = b"On 21 November 2026 the parties agreed to settle the matter before the court.\n";

/// What is to be proved: only its digest leaves the machine.
pub(super) struct Exhibit {
    name: String,
    digest: [u8; 32],
    file: Option<PathBuf>,
}

impl Exhibit {
    /// Digests a file, or the sample.
    pub(super) fn of(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self { name: "a sample agreement".to_owned(), digest: sha256(&[SAMPLE]), file: None });
        };
        let digest = files::digest(path)?.sha256;
        Ok(Self { name: path.display().to_string(), digest, file: Some(path.to_owned()) })
    }

    /// Where it is; the sample is written beside the proofs.
    pub(super) fn file(&self, out: &Path) -> PathBuf {
        self.file.clone().unwrap_or_else(|| out.join(SAMPLE_NAME))
    }

    /// Its SHA-256.
    pub(super) fn digest(&self) -> String {
        hex::encode(self.digest)
    }
}

/// Logs the exhibit between two others, registers the log, anchors its checkpoint, and fetches the proof.
pub(super) fn anchor(
    stage: &Stage<'_>,
    account: &Sender<'_>,
    exhibit: &Exhibit,
) -> Result<ProofFile, Failure> {
    let story = stage.story;
    story.line(&format!("SHA-256 of {}: {}", exhibit.name, exhibit.digest()));
    let mut log = Log::new(ORIGIN)?;
    log.append(&sha256(&[b"the exhibit of another party"]))?;
    log.append(&exhibit.digest)?;
    log.append(&sha256(&[b"the exhibit of a third party"]))?;
    let note = log.checkpoint();
    write_new(&stage.out.join("checkpoint.txt"), note.as_bytes(), Readers::Anyone)?;
    if exhibit.file.is_none() {
        write_new(&stage.out.join(SAMPLE_NAME), SAMPLE, Readers::Anyone)?;
    }
    // The exhibit is the second of three.
    let proof = log.prove(1, &note);
    write_new(&stage.out.join(LOG_PROOF), proof.to_text().as_bytes(), Readers::Anyone)?;
    story.line(&format!(
        "the log {} has {} entries and signs its checkpoint (checkpoint.txt, a C2SP signed note)",
        log.origin(),
        log.size()
    ));
    let done =
        account.send(messages(&log, &note).map_err(|refusal| Failure::refused("the log", refusal))?)?;
    story.line(&format!("the log is registered and its checkpoint anchored: final in block {}", done.height));
    let path = LeafPath::anchor(&origin_digest(log.origin()), TreeSize::new(log.size()));
    route::proof(account.client(), &path, None, PATIENCE, Some(stage.interrupt))
}

fn messages(log: &Log, note: &str) -> Result<Vec<Message>, Refusal> {
    let origin = Text::new(log.origin())?;
    Ok(vec![
        Message::RegisterOrigin(RegisterOrigin {
            origin: origin.clone(),
            key: log.key(),
            second: Maybe(None),
        }),
        Message::Anchor(AnchorLog {
            origin,
            note: Bytes::new(note.as_bytes())?,
            consistency: List::default(),
            second: Maybe(None),
        }),
    ])
}
