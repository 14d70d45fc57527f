//! That a file is an entry of the log whose checkpoint was anchored: the log's own proof, into the anchored root.
//!
//! The proof is a C2SP `tlog-proof`; its entry is the SHA-256 of the file. The checkpoint inside it must be the very
//! one that the network anchored: origin, size and root are compared with the proven leaf's body, so the log's
//! signature needs no second look here; the network looked at it before it anchored.

use crate::failure::Failure;
use crate::files;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use zeugma_crypto::hash::Hasher;
use zeugma_evidence_log::log_proof::{LogProof, MAX_LOG_PROOF};
use zeugma_proof::Proven;
use zeugma_proof::body::Body;
use zeugma_proof::tree::{leaf_hash, verify_inclusion};
use zeugma_types::{Code, HashSuite, LeafIndex, Refusal};

/// A file that is an entry of the anchored log.
#[derive(Clone, Debug)]
pub(super) struct Logged {
    /// The file's name, as it was given.
    pub(super) file: String,
    /// Its SHA-256.
    pub(super) digest: [u8; 32],
    /// Its place in the log.
    pub(super) index: LeafIndex,
    /// The tree of the log in which it was shown.
    pub(super) suite: HashSuite,
}

/// Checks the log's proof of `file` against the anchored checkpoint.
pub(super) fn check(proof: &Path, file: &Path, proven: &Proven) -> Result<Logged, Failure> {
    let refused = |refusal| Failure::refused(proof.display(), refusal);
    let anchor = match proven.body() {
        Some(Body::Anchor(anchor)) => anchor,
        Some(_) => return Err(refused(Refusal::new(Code::WrongPath).needed("an anchored checkpoint"))),
        None => return Err(refused(Refusal::new(Code::OpeningMissing))),
    };
    let shown = LogProof::parse(&files::read(proof, MAX_LOG_PROOF)?).map_err(refused)?;
    let signed = shown.signed_checkpoint().map_err(refused)?;
    signed.require_origin(&anchor.origin).map_err(refused)?;
    let (view, log) = (signed.claimed().view, &anchor.log);
    let root = log.roots().iter().find(|(suite, _)| *suite == shown.suite).map(|(_, root)| *root.as_bytes());
    let root = root.ok_or_else(|| refused(Refusal::new(Code::NoSuchRoot).found(shown.suite.name())))?;
    if view.size != log.size {
        return Err(refused(Refusal::new(Code::WrongValue).needed(log.size.get()).found(view.size.get())));
    }
    if view.root != root {
        return Err(refused(Refusal::new(Code::WrongValue).needed(root).found(view.root)));
    }
    let digest = digest(file)?;
    let leaf = leaf_hash(shown.suite, &digest);
    verify_inclusion(shown.suite, &leaf, shown.index, log.size, &shown.path, &root).map_err(refused)?;
    Ok(Logged { file: file.display().to_string(), digest, index: shown.index, suite: shown.suite })
}

/// SHA-256 of a file of any length.
fn digest(path: &Path) -> Result<[u8; 32], Failure> {
    let unreadable = |why| Failure::unreadable(path, &why);
    let mut file = File::open(path).map_err(unreadable)?;
    let (mut hasher, mut buffer) = (Hasher::new(HashSuite::Sha256), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}
