//! A small evidence log, until the evidence service exists: an RFC 9162 tree in memory, and its checkpoint.
//!
//! The checkpoint is a signed note in the standard form, which every C2SP client reads:
//!
//! ```text
//! <origin>\n<size>\n<root in base64>\n\n— <origin> <base64 of key id (4) ‖ Ed25519 signature>\n
//! ```
//!
//! Source: C2SP `signed-note` and `tlog-checkpoint`.

use crate::failure::Failure;
use crate::keyfile::random;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::BTreeMap;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::log_proof::LogProof;
use zeugma_ledger::evidence::LogKey;
use zeugma_proof::tree::{Frontier, Hash, Node, inclusion, leaf_hash};
use zeugma_types::{HashSuite, LeafIndex, TreeSize};

/// Signature type of an Ed25519 log key in a key id.
const ED25519: u8 = 1;

/// A log and its key.
pub(super) struct Log {
    origin: String,
    // The standard's signature is over the bare text of a note, which the keys of this workspace do not sign.
    key: SigningKey,
    tree: Frontier,
    nodes: BTreeMap<Node, Hash>,
    size: u64,
}

impl Log {
    /// An empty log with a new key.
    pub(super) fn new(origin: &str) -> Result<Self, Failure> {
        let key = SigningKey::from_bytes(&*random()?);
        let tree = Frontier::new(HashSuite::Sha256);
        Ok(Self { origin: origin.to_owned(), key, tree, nodes: BTreeMap::new(), size: 0 })
    }

    /// Appends an entry.
    pub(super) fn append(&mut self, entry: &[u8]) -> Result<(), Failure> {
        let leaf = leaf_hash(HashSuite::Sha256, entry);
        let nodes = &mut self.nodes;
        let kept = self.tree.append(leaf, |node, hash| {
            nodes.insert(node, *hash);
        });
        kept.map_err(|refusal| Failure::refused("the log", refusal))?;
        self.size += 1;
        Ok(())
    }

    /// The log's origin.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Its entries.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The root of its tree.
    pub(super) fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Its public key.
    pub(super) fn key(&self) -> LogKey {
        LogKey { ed25519: self.key.verifying_key().to_bytes() }
    }

    /// The proof that the entry at `index` is under `checkpoint`, as a C2SP `tlog-proof`.
    pub(super) fn prove(&self, index: u64, checkpoint: &str) -> LogProof {
        let (suite, index, size) = (HashSuite::Sha256, LeafIndex::new(index), TreeSize::new(self.size));
        let get = |node: Node| self.nodes.get(&node).copied();
        let path = inclusion(suite, index, size, &get).expect("every node is kept");
        LogProof { suite, extra: None, index, path, checkpoint: checkpoint.to_owned() }
    }

    /// The signed checkpoint of all entries.
    pub(super) fn checkpoint(&self) -> String {
        let text = format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root()));
        let id = sha256(&[self.origin.as_bytes(), b"\n", &[ED25519], &self.key().ed25519]);
        let signed = [&id[..4], &self.key.sign(text.as_bytes()).to_bytes()].concat();
        format!("{text}\n\u{2014} {} {}\n", self.origin, STANDARD.encode(signed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_ledger::evidence::Checkpoint;

    #[test]
    fn the_ledger_reads_the_checkpoint_that_the_log_signed() {
        let mut log = Log::new("example.org/log").unwrap();
        for entry in [b"one".as_slice(), b"two", b"three"] {
            log.append(entry).unwrap();
        }
        let read = Checkpoint::open(log.checkpoint().as_bytes(), log.origin(), &log.key()).unwrap();
        assert_eq!((read.view.size.get(), read.view.root), (3, log.root()));
    }
}
