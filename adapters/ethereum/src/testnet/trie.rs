//! A Merkle Patricia trie that proves its keys.

use crate::rlp::{put_bytes, put_list};
use crate::ssz::Root;
use crate::trie::EMPTY_ROOT;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use zeugma_crypto::hash::keccak256;

/// Keys and values, none of them empty.
#[derive(Clone, Debug, Default)]
pub struct Trie(BTreeMap<Vec<u8>, Vec<u8>>);

impl Trie {
    /// A trie of keys as they are.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        Self(entries.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// A trie of hashed keys, as the state and storage are.
    #[must_use]
    pub fn secure<K: AsRef<[u8]>>(entries: impl IntoIterator<Item = (K, Vec<u8>)>) -> Self {
        Self::new(entries.into_iter().map(|(key, value)| (keccak256(&[key.as_ref()]).to_vec(), value)))
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Root {
        match self.nodes(&[]).1 {
            None => EMPTY_ROOT,
            Some(node) => keccak256(&[&node]),
        }
    }

    /// The nodes on the way to `key`, whether it is there or not; none of an empty trie.
    #[must_use]
    pub fn proof(&self, key: &[u8]) -> Vec<Vec<u8>> {
        self.nodes(key).0
    }

    /// As [`Trie::proof`], of a key that is hashed.
    #[must_use]
    pub fn secure_proof(&self, key: &[u8]) -> Vec<Vec<u8>> {
        self.proof(&keccak256(&[key]))
    }

    fn nodes(&self, key: &[u8]) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
        let entries: Vec<_> = self.0.iter().map(|(key, value)| (digits(key), value.as_slice())).collect();
        if entries.is_empty() {
            return (vec![], None);
        }
        let mut proof = vec![];
        let root = node(&entries, 0, Some(&digits(key)), &mut proof);
        if root.len() < 32 {
            proof.push(root.clone());
        }
        proof.reverse();
        (proof, Some(root))
    }
}

fn digits(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect()
}

/// The node over `entries`, which agree up to the digit `at`. Nodes of 32 bytes or more on the way to
/// `target` are added to `proof`, deepest first.
fn node(entries: &[(Vec<u8>, &[u8])], at: usize, target: Option<&[u8]>, proof: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let mut payload = vec![];
    let first = &entries[0].0[at..];
    if let [(_, value)] = entries {
        put_bytes(&mut payload, &compact(first, true));
        put_bytes(&mut payload, value);
    } else {
        let shared = entries.iter().map(|(key, _)| common(first, &key[at..])).min().unwrap_or(0);
        if shared > 0 {
            let below = target.filter(|target| target.get(at..at + shared) == Some(&first[..shared]));
            put_bytes(&mut payload, &compact(&first[..shared], false));
            put_child(&mut payload, &node(entries, at + shared, below, proof));
        } else {
            let value = entries.iter().find(|(key, _)| key.len() == at).map(|(_, value)| *value);
            for digit in 0..16 {
                let below: Vec<_> =
                    entries.iter().filter(|(key, _)| key.get(at) == Some(&digit)).cloned().collect();
                if below.is_empty() {
                    put_bytes(&mut payload, &[]);
                } else {
                    let target = target.filter(|target| target.get(at) == Some(&digit));
                    put_child(&mut payload, &node(&below, at + 1, target, proof));
                }
            }
            put_bytes(&mut payload, value.unwrap_or_default());
        }
    }
    let mut whole = vec![];
    put_list(&mut whole, &payload);
    if target.is_some() && whole.len() >= 32 {
        proof.push(whole.clone());
    }
    whole
}

fn put_child(out: &mut Vec<u8>, node: &[u8]) {
    if node.len() < 32 {
        out.extend_from_slice(node);
    } else {
        put_bytes(out, &keccak256(&[node]));
    }
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Digits with their flag.
fn compact(digits: &[u8], is_leaf: bool) -> Vec<u8> {
    let flag = if is_leaf { 0x20 } else { 0 };
    let (first, rest) = match digits {
        [odd, rest @ ..] if digits.len() % 2 == 1 => (flag | 0x10 | odd, rest),
        _ => (flag, digits),
    };
    let pairs = rest.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
    [first].into_iter().chain(pairs).collect()
}
