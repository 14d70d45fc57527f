//! An evidence log that signs checkpoints, honest or not.

use super::secret;
use crate::evidence::LogKey;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_crypto::hash::sha256;
use zeugma_proof::tree::{Frontier, Hash, Node, consistency, inclusion, leaf_hash, root};
use zeugma_types::{HashSuite, LeafIndex, TreeSize};

/// The standard alphabet, written plainly.
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut bits = 0_usize;
        for place in 0..3 {
            bits = (bits << 8) | usize::from(group.get(place).copied().unwrap_or(0));
        }
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 63;
            out.push(if place <= group.len() { char::from(alphabet[sextet]) } else { '=' });
        }
    }
    out
}

/// The key of a log, and its name.
pub(crate) struct LogSigner {
    pub(crate) origin: String,
    key: SecretKey,
}

impl LogSigner {
    pub(crate) fn new(origin: &str, key: u8) -> Self {
        Self { origin: origin.into(), key: secret(key) }
    }

    pub(crate) fn key(&self) -> LogKey {
        LogKey { ed25519: *self.key.public().as_bytes() }
    }

    /// The signed note of a checkpoint.
    pub(crate) fn note(&self, size: u64, root: &Hash) -> String {
        let text = format!("{}\n{size}\n{}\n", self.origin, encode_base64(root));
        let id = sha256(&[self.origin.as_bytes(), b"\n\x01", self.key.public().as_bytes()]);
        let mut line = Vec::from(&id[..4]);
        line.extend_from_slice(&self.key.sign_foreign(text.as_bytes()));
        format!("{text}\n\u{2014} {} {}\n", self.origin, encode_base64(&line))
    }
}

/// A log with leaves, in the tree of one suite.
pub(crate) struct TestLog {
    pub(crate) signer: LogSigner,
    suite: HashSuite,
    leaves: Vec<Hash>,
}

impl TestLog {
    pub(crate) fn new(origin: &str, key: u8, suite: HashSuite) -> Self {
        Self { signer: LogSigner::new(origin, key), suite, leaves: Vec::new() }
    }

    pub(crate) fn append(&mut self, data: &[u8]) {
        self.leaves.push(leaf_hash(self.suite, data));
    }

    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub(crate) fn leaf(&self, index: u64) -> Hash {
        self.leaves[usize::try_from(index).unwrap()]
    }

    fn nodes(&self) -> alloc::collections::BTreeMap<Node, Hash> {
        let mut nodes = alloc::collections::BTreeMap::new();
        let mut tree = Frontier::new(self.suite);
        for leaf in &self.leaves {
            tree.append(*leaf, |node, hash| {
                nodes.insert(node, *hash);
            })
            .unwrap();
        }
        nodes
    }

    /// The signed checkpoint of the first `size` leaves.
    pub(crate) fn note(&self, size: u64) -> Vec<u8> {
        let nodes = self.nodes();
        let root = root(self.suite, TreeSize::new(size), &|node| nodes.get(&node).copied()).unwrap();
        self.signer.note(size, &root).into_bytes()
    }

    /// That the first `old` leaves are the beginning of the first `new`.
    pub(crate) fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        if old == 0 {
            return Vec::new();
        }
        let nodes = self.nodes();
        let get = |node| nodes.get(&node).copied();
        consistency(self.suite, TreeSize::new(old), TreeSize::new(new), &get).unwrap()
    }

    /// That the leaf at `index` is among the first `size`.
    pub(crate) fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        let nodes = self.nodes();
        let get = |node| nodes.get(&node).copied();
        inclusion(self.suite, LeafIndex::new(index), TreeSize::new(size), &get).unwrap()
    }
}
