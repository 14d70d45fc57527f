//! What a witness decides: whether a checkpoint grew from the last one that it cosigned for this log.
//!
//! ```text
//! old <decimal>\n
//! <hash in base64>\n…          the consistency proof, none when the old size is zero
//! \n
//! <the checkpoint, a signed note>
//! ```
//!
//! The rules, in their order: the request is of this form; the witness knows the origin; a key that it believes for this
//! origin signed; the old size is not above the checkpoint's; it is the size that the witness cosigned last; equal sizes
//! have equal roots; the proof shows the old tree to be the beginning of the new one. Only a [`Growth`] is cosigned, and
//! [`judge`] alone makes one. That it is judged against the last state, and that the new state is durable before a
//! signature leaves, is the caller's.
//!
//! Source: C2SP `tlog-witness`, `add-checkpoint`.

use crate::base64;
use crate::checkpoint::{Checkpoint, SignedCheckpoint, decimal};
use crate::note::{NoteBounds, VerifierKey, bad, signature_line};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_proof::body::LogView;
use zeugma_proof::tree::{Hash, empty_root, verify_consistency};
use zeugma_types::{Code, HashSuite, Refusal, TreeSize};

/// Most hashes of a consistency proof that a request may carry.
pub const MAX_PROOF_LINES: usize = 63;
/// Longest request, in bytes: the line of the old size, the proof, a note.
pub const MAX_REQUEST: usize = 32 + MAX_PROOF_LINES * 45 + NoteBounds::USUAL.bytes;
/// Longest answer that a log reads, in bytes.
pub const MAX_ANSWER: usize = NoteBounds::USUAL.bytes;
/// Type of an answer that holds the size which the witness has.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

const SUITE: HashSuite = HashSuite::Sha256;

/// A request to cosign. Nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint<'a> {
    /// The size that the log believes the witness to have.
    pub old: TreeSize,
    /// Shows the tree of that size to be the beginning of the checkpoint's.
    pub proof: Vec<Hash>,
    /// What is to be cosigned.
    pub checkpoint: SignedCheckpoint<'a>,
}

impl<'a> AddCheckpoint<'a> {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::TooMany`] hashes, [`Code::BadNote`] with the part that is not of the form; what
    /// [`SignedCheckpoint::parse`] refuses.
    pub fn parse(body: &'a [u8]) -> Result<Self, Refusal> {
        if body.len() > MAX_REQUEST {
            return Err(Refusal::new(Code::TooLong).needed(MAX_REQUEST).found(body.len()));
        }
        let text = core::str::from_utf8(body).map_err(|_| bad("text"))?;
        let (head, note) =
            text.split_once("\n\n").ok_or_else(|| bad("an empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal);
        let old = TreeSize::new(old.ok_or_else(|| bad("the line of the old size"))?);
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF_LINES {
                return Err(Refusal::new(Code::TooMany).needed(MAX_PROOF_LINES));
            }
            proof.push(base64::hash(line).ok_or_else(|| bad("a hash in base64"))?);
        }
        Ok(Self { old, proof, checkpoint: SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL)? })
    }

    /// The origin that the checkpoint names.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.checkpoint.claimed().origin
    }
}

/// The body of a request.
#[must_use]
pub fn request(old: TreeSize, proof: &[Hash], note: &str) -> String {
    let mut body = format!("old {old}\n");
    for hash in proof {
        body.push_str(&base64::encode(hash));
        body.push('\n');
    }
    body.push('\n');
    body.push_str(note);
    body
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declined {
    /// The request is not of its form, or its old size is above its checkpoint's.
    BadRequest(Refusal),
    /// The witness does not know the origin.
    UnknownLog(Refusal),
    /// No key that is believed for the origin signed.
    Unsigned(Refusal),
    /// The witness has another size than the log believes.
    Stale {
        /// The size that it cosigned last, zero before the first.
        known: TreeSize,
    },
    /// The log signed another root for the size that was cosigned last: two histories.
    Forked {
        /// What broke.
        refusal: Refusal,
        /// The other checkpoint with the log's signatures that hold.
        note: String,
    },
    /// The proof does not show that the tree grew. The checkpoint is signed all the same.
    NotShown {
        /// What broke.
        refusal: Refusal,
        /// The checkpoint with the log's signatures that hold.
        note: String,
    },
}

impl Declined {
    /// The status that `tlog-witness` answers.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Unsigned(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::Stale { .. } | Self::Forked { .. } => 409,
            Self::NotShown { .. } => 422,
        }
    }

    /// The rule that broke.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::BadRequest(refusal) | Self::UnknownLog(refusal) | Self::Unsigned(refusal) => {
                refusal.clone()
            }
            Self::Forked { refusal, .. } | Self::NotShown { refusal, .. } => refusal.clone(),
            Self::Stale { known } => Refusal::new(Code::WitnessElsewhere).needed(known.get()),
        }
    }
}

/// A checkpoint that its log signed and that grew from the last one: what may be cosigned. Only [`judge`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    checkpoint: Checkpoint,
    note: String,
}

impl Growth {
    /// The checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint as a note with the log's signatures that hold, and no others.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }
}

/// Judges a request for a log whose checkpoints one of `keys` signs, where `seen` was cosigned last.
///
/// # Errors
/// [`Declined`], by the first rule that broke.
pub fn judge(
    request: &AddCheckpoint<'_>,
    keys: &[VerifierKey],
    seen: Option<&LogView>,
) -> Result<Growth, Declined> {
    let note = signed(&request.checkpoint, keys).map_err(Declined::Unsigned)?;
    let checkpoint = request.checkpoint.claimed().clone();
    let new = checkpoint.view;
    if request.old > new.size {
        let refusal = Refusal::new(Code::OutOfRange).needed(new.size.get()).found(request.old.get());
        return Err(Declined::BadRequest(refusal));
    }
    let known = seen.map_or(TreeSize::ZERO, |seen| seen.size);
    if request.old != known {
        return Err(Declined::Stale { known });
    }
    let forked = |root: Hash| Declined::Forked {
        refusal: Refusal::new(Code::NotConsistent).needed(root).found(new.root),
        note: note.clone(),
    };
    if let Some(seen) = seen.filter(|seen| seen.size == new.size && seen.root != new.root) {
        return Err(forked(seen.root));
    }
    let grown = match seen.filter(|seen| seen.size != TreeSize::ZERO) {
        Some(seen) => {
            verify_consistency(SUITE, (seen.size, &seen.root), (new.size, &new.root), &request.proof)
        }
        // Nothing was cosigned, or a tree without leaves, which any tree extends.
        None => begins(&new, &request.proof),
    };
    match grown {
        Ok(()) => Ok(Growth { checkpoint, note }),
        Err(refusal) => Err(Declined::NotShown { refusal, note }),
    }
}

/// A first checkpoint has no proof, and a tree without leaves has the one root.
fn begins(new: &LogView, proof: &[Hash]) -> Result<(), Refusal> {
    if !proof.is_empty() {
        return Err(Refusal::new(Code::PathLength).needed(0_u64).found(proof.len()));
    }
    let empty = empty_root(SUITE);
    if new.size == TreeSize::ZERO && new.root != empty {
        return Err(Refusal::new(Code::NotConsistent).needed(empty).found(new.root));
    }
    Ok(())
}

/// The note with the lines of these keys: each that is there must verify, and one must be.
fn signed(checkpoint: &SignedCheckpoint<'_>, keys: &[VerifierKey]) -> Result<String, Refusal> {
    let mut note = format!("{}\n", checkpoint.note().text);
    let mut found = false;
    for key in keys {
        let Some(signature) = checkpoint.note().signature_of(key) else { continue };
        checkpoint.require(key)?;
        note.push_str(&signature_line(key.name(), key.id(), signature));
        found = true;
    }
    if found {
        Ok(note)
    } else {
        Err(Refusal::new(Code::UnknownSigner).found(checkpoint.claimed().origin.clone()))
    }
}

/// The lines of a witness's answer that are cosignatures of `note` under these keys, each once, as they are put after
/// the note's own. Lines of other keys are passed over.
///
/// # Errors
/// [`Code::TooLong`]; [`Code::BadNote`] for an answer that is not of signature lines; [`Code::BadSignature`] and the
/// others of [`SignedCheckpoint::require`] for a line of a known key that does not hold; [`Code::UnknownSigner`] when none
/// is of a known key.
pub fn cosignatures(note: &str, answer: &[u8], keys: &[VerifierKey]) -> Result<Vec<String>, Refusal> {
    if answer.len() > MAX_ANSWER {
        return Err(Refusal::new(Code::TooLong).needed(MAX_ANSWER).found(answer.len()));
    }
    let answer = core::str::from_utf8(answer).map_err(|_| bad("text"))?;
    if answer.contains("\n\n") || answer.starts_with('\n') {
        return Err(bad("signature lines"));
    }
    let bounds =
        NoteBounds { bytes: NoteBounds::USUAL.bytes + MAX_ANSWER, lines: 2 * NoteBounds::USUAL.lines };
    let parsed = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL)?;
    let text = parsed.note().text;
    // Alone behind the text, so that a line which the note has already is not taken for the witness's.
    let whole = format!("{text}\n{answer}");
    let whole = SignedCheckpoint::parse(whole.as_bytes(), bounds)?;
    let mut lines = Vec::new();
    let mut known = BTreeSet::new();
    for key in keys {
        let Some(signature) = whole.note().signature_of(key) else { continue };
        whole.require(key)?;
        if known.insert((key.name(), key.id())) {
            lines.push(signature_line(key.name(), key.id(), signature));
        }
    }
    if lines.is_empty() { Err(Refusal::new(Code::UnknownSigner)) } else { Ok(lines) }
}

#[cfg(test)]
mod tests;
