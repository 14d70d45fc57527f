//! Proofs of Merkle Patricia tries, walked strictly.
//!
//! A proof is the nodes from the root to where the key ends, and nothing else: [`Found`] is reached only
//! when every node was used, and each of them has the hash that the node before it names. So a proof of
//! absence that was cut short is refused, and so is one with a node too many; and no empty proof shows
//! anything but that the empty trie is empty. A node shorter than a hash stands inside its parent and
//! nowhere else. Every node has the one form that a trie can have: an extension leads to a branch, a branch
//! has two entries or more, a path has one encoding.
//!
//! Source: Ethereum yellow paper, appendix D.

use crate::rlp::{Item, whole};
use crate::ssz::Root;
use zeugma_crypto::hash::keccak256;
use zeugma_types::{Code, Refusal};

/// The root of the trie without keys: the hash of the empty string's encoding.
pub const EMPTY_ROOT: Root = [
    0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b,
    0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21,
];
/// The one node of the trie without keys.
const EMPTY_NODE: [u8; 1] = [0x80];

/// Most nodes of a proof: a key of 32 bytes has 64 digits, and its last node may be a leaf.
pub const MAX_NODES: usize = 65;

/// What a proof shows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// It has this value, which is not empty.
    Value(&'a [u8]),
    /// It has none.
    Absent,
}

/// Walks `proof` from `root` along `key`.
///
/// # Errors
/// [`Code::Empty`] without nodes, unless the trie is empty; [`Code::TooMany`]; [`Code::NotIncluded`] for a
/// node of another hash; [`Code::ProofShape`] for a proof that ends too soon or too late, and for a node
/// that no trie has; what [`crate::rlp`] refuses.
pub fn walk<'a, N: AsRef<[u8]>>(root: &Root, key: &[u8], proof: &'a [N]) -> Result<Found<'a>, Refusal> {
    if proof.len() > MAX_NODES {
        return Err(Refusal::new(Code::TooMany).needed(MAX_NODES).found(proof.len()));
    }
    if *root == EMPTY_ROOT {
        // Some nodes answer with the empty node, some with no node at all.
        return match proof {
            [] => Ok(Found::Absent),
            [node] if node.as_ref() == EMPTY_NODE => Ok(Found::Absent),
            _ => Err(shape("no node of an empty trie")),
        };
    }
    if proof.is_empty() {
        return Err(Refusal::new(Code::Empty));
    }
    let mut nodes = proof.iter().map(AsRef::as_ref);
    let mut path = Path::of(key);
    let mut node = next(&mut nodes, root)?;
    let mut wanted = Wanted::Any;
    let found = loop {
        let step = match Node::read(node)? {
            Node::Branch { entries, value } => {
                let Some(digit) = path.pop() else { break value.map_or(Found::Absent, Found::Value) };
                entries[usize::from(digit)]
            }
            _ if wanted == Wanted::Branch => return Err(shape("a branch below an extension")),
            Node::Leaf { digits, value } => {
                break if path.rest_is(&digits) { Found::Value(value) } else { Found::Absent };
            }
            Node::Extension { digits, child } => {
                wanted = Wanted::Branch;
                if !path.skip(&digits) {
                    break Found::Absent;
                }
                node = follow(child, &mut nodes)?;
                continue;
            }
        };
        wanted = Wanted::Any;
        match step {
            Child::None => break Found::Absent,
            child => node = follow(child, &mut nodes)?,
        }
    };
    if nodes.next().is_some() {
        return Err(shape("no node after the end"));
    }
    Ok(found)
}

fn shape(needed: &'static str) -> Refusal {
    Refusal::new(Code::ProofShape).needed(needed)
}

#[derive(PartialEq)]
enum Wanted {
    Any,
    Branch,
}

/// The bytes of a child: those inside its parent, or the next node of the proof.
fn follow<'a>(child: Child<'a>, nodes: &mut impl Iterator<Item = &'a [u8]>) -> Result<&'a [u8], Refusal> {
    match child {
        Child::None => Err(shape("a child")),
        Child::Inside(bytes) => Ok(bytes),
        Child::Hash(hash) => {
            let node = next(nodes, hash)?;
            if node.len() < 32 {
                return Err(shape("a short node inside its parent"));
            }
            Ok(node)
        }
    }
}

fn next<'a>(nodes: &mut impl Iterator<Item = &'a [u8]>, hash: &Root) -> Result<&'a [u8], Refusal> {
    let node = nodes.next().ok_or_else(|| shape("a node for each hash on the way"))?;
    let found = keccak256(&[node]);
    if found == *hash {
        return Ok(node);
    }
    Err(Refusal::new(Code::NotIncluded).needed(*hash).found(found))
}

/// What is left of a key, in digits of four bits.
struct Path<'a> {
    key: &'a [u8],
    at: usize,
}

impl<'a> Path<'a> {
    const fn of(key: &'a [u8]) -> Self {
        Self { key, at: 0 }
    }

    fn pop(&mut self) -> Option<u8> {
        let digit = digit(self.key, self.at)?;
        self.at += 1;
        Some(digit)
    }

    /// Goes past `digits` if the key goes on with them.
    fn skip(&mut self, digits: &Digits<'_>) -> bool {
        let fits = (0..digits.len()).all(|index| digit(self.key, self.at + index) == digits.get(index));
        if fits {
            self.at += digits.len();
        }
        fits
    }

    fn rest_is(&mut self, digits: &Digits<'_>) -> bool {
        self.skip(digits) && self.at == 2 * self.key.len()
    }
}

fn digit(bytes: &[u8], at: usize) -> Option<u8> {
    let byte = *bytes.get(at / 2)?;
    Some(if at.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
}

/// Digits in their compact encoding, after its flag.
struct Digits<'a> {
    bytes: &'a [u8],
    /// 1 for an odd number of digits, which begin in the flag's byte; 2 for an even one.
    start: usize,
}

impl Digits<'_> {
    const fn len(&self) -> usize {
        2 * self.bytes.len() - self.start
    }

    fn get(&self, index: usize) -> Option<u8> {
        digit(self.bytes, self.start + index)
    }
}

#[derive(Clone, Copy)]
enum Child<'a> {
    None,
    Hash(&'a Root),
    Inside(&'a [u8]),
}

enum Node<'a> {
    Branch { entries: [Child<'a>; 16], value: Option<&'a [u8]> },
    Leaf { digits: Digits<'a>, value: &'a [u8] },
    Extension { digits: Digits<'a>, child: Child<'a> },
}

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut items = whole(bytes)?.list()?;
        let first = items.item_with_bytes()?;
        let second = items.item_with_bytes()?;
        if items.is_empty() {
            return Self::short(first.0, second);
        }
        let mut entries = [Child::None; 16];
        entries[0] = child(first)?;
        entries[1] = child(second)?;
        for entry in &mut entries[2..] {
            *entry = child(items.item_with_bytes()?)?;
        }
        let value = items.item()?.bytes()?;
        items.finish()?;
        let value = (!value.is_empty()).then_some(value);
        let taken = entries.iter().filter(|entry| !matches!(entry, Child::None)).count();
        if taken + usize::from(value.is_some()) < 2 {
            return Err(shape("two entries of a branch"));
        }
        Ok(Self::Branch { entries, value })
    }

    /// A node of two items.
    fn short(path: Item<'a>, second: (Item<'a>, &'a [u8])) -> Result<Self, Refusal> {
        let path = path.bytes()?;
        let flag = path.first().ok_or_else(|| shape("a path with its flag"))?;
        let (is_leaf, start) = match flag >> 4 {
            0 if flag & 0x0f == 0 => (false, 2),
            1 => (false, 1),
            2 if flag & 0x0f == 0 => (true, 2),
            3 => (true, 1),
            _ => return Err(shape("a flag of a path")),
        };
        let digits = Digits { bytes: path, start };
        if is_leaf {
            let value = second.0.bytes()?;
            if value.is_empty() {
                return Err(shape("a value of a leaf"));
            }
            return Ok(Self::Leaf { digits, value });
        }
        if digits.len() == 0 {
            return Err(shape("a path of an extension"));
        }
        match child(second)? {
            Child::None => Err(shape("a child of an extension")),
            child => Ok(Self::Extension { digits, child }),
        }
    }
}

fn child<'a>((item, bytes): (Item<'a>, &'a [u8])) -> Result<Child<'a>, Refusal> {
    match item {
        Item::Bytes([]) => Ok(Child::None),
        Item::Bytes(hash) => match hash.try_into() {
            Ok(hash) => Ok(Child::Hash(hash)),
            Err(_) => Err(shape("a hash of 32 bytes")),
        },
        Item::List(_) if bytes.len() < 32 => Ok(Child::Inside(bytes)),
        Item::List(_) => Err(shape("a long node by its hash")),
    }
}
