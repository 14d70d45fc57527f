//! Payloads and evidence logs.

use super::{Ask, Desk, parse_32, refused};
use crate::failure::Failure;
use crate::files;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use zeugma_ledger::Message;
use zeugma_ledger::bounded::{Bytes, List, Maybe, Text};
use zeugma_ledger::evidence::{Conflict, Contradiction, LogKey};
use zeugma_ledger::limits::{MAX_NOTE, MAX_OPAQUE};
use zeugma_ledger::tx::{AnchorLog, Opaque, RegisterOrigin, ReportSplitView, SecondTree};
use zeugma_types::{HashSuite, LeafIndex};

/// See [`Message::Opaque`].
#[derive(Debug, Args)]
pub(crate) struct PutOpaque {
    #[command(flatten)]
    payload: Payload,
}

/// Bytes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Payload {
    /// The bytes as text
    #[arg(long)]
    text: Option<String>,
    /// The file that holds the bytes, or - for stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Ask for PutOpaque {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let bytes = match (&self.payload.text, &self.payload.file) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(file)) => files::read(file, MAX_OPAQUE)?,
            (None, None) => return Err(Failure::usage("there is no payload", "give --text or --file")),
        };
        Ok(vec![Message::Opaque(Opaque { payload: Bytes::new(bytes).map_err(refused)? })])
    }
}

/// See [`Message::RegisterOrigin`].
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// The log's origin: the first line of its checkpoints
    #[arg(long, value_name = "TEXT")]
    origin: String,
    /// The log's Ed25519 public key, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = parse_32)]
    log_key: [u8; 32],
    /// The key of its SM3 tree's checkpoints, if it has one: both trees are then anchored together
    #[arg(long, value_name = "HEX", value_parser = parse_32)]
    sm3_key: Option<[u8; 32]>,
}

impl Ask for Register {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        Ok(vec![Message::RegisterOrigin(RegisterOrigin {
            origin: Text::new(&self.origin).map_err(refused)?,
            key: LogKey { ed25519: self.log_key },
            second: Maybe(self.sm3_key.map(|ed25519| LogKey { ed25519 })),
        })])
    }
}

/// See [`Message::Anchor`].
#[derive(Debug, Args)]
pub(crate) struct Checkpoint {
    /// The log's origin
    #[arg(long, value_name = "TEXT")]
    origin: String,
    /// The checkpoint: a signed note, as the log publishes it
    #[arg(long, value_name = "FILE")]
    note: PathBuf,
    /// The hashes of the RFC 9162 consistency proof from the size anchored last, in order
    #[arg(long, value_name = "HEX", value_parser = parse_32, value_delimiter = ',')]
    consistency: Vec<[u8; 32]>,
    /// The checkpoint of the log's SM3 tree, if it has one
    #[arg(long, value_name = "FILE")]
    sm3_note: Option<PathBuf>,
    /// The consistency proof of the SM3 tree
    #[arg(long, value_name = "HEX", value_parser = parse_32, value_delimiter = ',', requires = "sm3_note")]
    sm3_consistency: Vec<[u8; 32]>,
}

fn note(path: &Path) -> Result<Bytes<MAX_NOTE>, Failure> {
    let bytes = files::read(path, MAX_NOTE)?;
    Bytes::new(bytes).map_err(|refusal| Failure::refused(path.display(), refusal))
}

impl Ask for Checkpoint {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let second = match &self.sm3_note {
            None => None,
            Some(path) => Some(SecondTree {
                note: note(path)?,
                consistency: List::new(self.sm3_consistency.clone()).map_err(refused)?,
            }),
        };
        Ok(vec![Message::Anchor(AnchorLog {
            origin: Text::new(&self.origin).map_err(refused)?,
            note: note(&self.note)?,
            consistency: List::new(self.consistency.clone()).map_err(refused)?,
            second: Maybe(second),
        })])
    }
}

/// A tree of a log.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tree {
    Sha256,
    Sm3,
}

/// See [`Message::ReportSplitView`].
#[derive(Debug, Args)]
pub(crate) struct SplitView {
    /// The log's origin
    #[arg(long, value_name = "TEXT")]
    origin: String,
    /// One signed checkpoint; the anchored one, if one of the two was anchored
    #[arg(long, value_name = "FILE")]
    one: PathBuf,
    /// Another that cannot be of the same tree
    #[arg(long, value_name = "FILE")]
    other: PathBuf,
    /// The tree in which they contradict each other
    #[arg(long, value_enum, default_value = "sha256")]
    tree: Tree,
    /// For checkpoints of two sizes: the position of a leaf in which the trees differ
    #[arg(long, value_name = "N", requires_all = ["one_leaf", "other_leaf"])]
    index: Option<u64>,
    /// The hash of that leaf in the first tree
    #[arg(long, value_name = "HEX", value_parser = parse_32, requires = "index")]
    one_leaf: Option<[u8; 32]>,
    /// The inclusion proof of that leaf in the first tree
    #[arg(long, value_name = "HEX", value_parser = parse_32, value_delimiter = ',', requires = "index")]
    one_path: Vec<[u8; 32]>,
    /// The hash of that leaf in the second tree
    #[arg(long, value_name = "HEX", value_parser = parse_32, requires = "index")]
    other_leaf: Option<[u8; 32]>,
    /// The inclusion proof of that leaf in the second tree
    #[arg(long, value_name = "HEX", value_parser = parse_32, value_delimiter = ',', requires = "index")]
    other_path: Vec<[u8; 32]>,
}

impl Ask for SplitView {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let conflict = match (self.index, self.one_leaf, self.other_leaf) {
            (Some(index), Some(one_leaf), Some(other_leaf)) => Some(Conflict {
                index: LeafIndex::new(index),
                one_leaf,
                one_path: List::new(self.one_path.clone()).map_err(refused)?,
                other_leaf,
                other_path: List::new(self.other_path.clone()).map_err(refused)?,
            }),
            _ => None,
        };
        let contradiction = Contradiction {
            suite: match self.tree {
                Tree::Sha256 => HashSuite::Sha256,
                Tree::Sm3 => HashSuite::Sm3,
            },
            one: note(&self.one)?,
            other: note(&self.other)?,
            conflict: Maybe(conflict),
        };
        let origin = Text::new(&self.origin).map_err(refused)?;
        Ok(vec![Message::ReportSplitView(ReportSplitView { origin, contradiction })])
    }
}
