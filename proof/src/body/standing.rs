//! What is in force: the latest leaf of every revocable path, sorted, under one root.
//!
//! A leaf proves what was said, not what still holds. Each epoch ends with a [`Standing`]: the RFC
//! 9162 root of the list of revocable paths, each with its latest leaf. Presence is one inclusion
//! proof; absence is two neighbours, or the edge of the list and one.

use super::Said;
use crate::tree::{Frontier, Hash, MAX_INCLUSION, leaf_hash, verify_inclusion};
use alloc::vec::Vec;
use zeugma_types::codec::put_list;
use zeugma_types::{
    Code, Decode, Encode, Epoch, HashSuite, Height, LeafHash, LeafIndex, LeafPath, Namespace, Purpose,
    Reader, Refusal, TreeSize,
};

/// What was in force when an epoch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The epoch.
    pub epoch: Epoch,
    /// Its last height, at which this is said.
    pub height: Height,
    /// Entries in the list.
    pub count: TreeSize,
    /// RFC 9162 SHA-256 root of the entries, ascending by path.
    pub root: Hash,
}

/// One entry of the list: a path and the latest leaf under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The path.
    pub path: LeafPath,
    /// SHA-256 leaf hash of the latest leaf.
    pub leaf: LeafHash,
    /// Its position in the outbox.
    pub index: LeafIndex,
}

impl InForce {
    fn hash(&self) -> Hash {
        leaf_hash(HashSuite::Sha256, &self.to_bytes())
    }
}

/// An entry and the proof that it stands at a position of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The entry.
    pub entry: InForce,
    /// Its position in the list.
    pub position: LeafIndex,
    /// Hashes from the entry up.
    pub proof: Vec<Hash>,
}

impl Standing {
    /// Checks that `shown` is in force.
    ///
    /// # Errors
    /// [`Code::NotStanding`].
    pub fn verify_presence(&self, shown: &Neighbour) -> Result<(), Refusal> {
        let entry = shown.entry.hash();
        verify_inclusion(HashSuite::Sha256, &entry, shown.position, self.count, &shown.proof, &self.root)
            .map_err(|_| Refusal::new(Code::NotStanding).needed(self.root))
    }

    /// Checks that nothing is in force under `path`: the entries next to where it would stand are
    /// `before` and `after`, and one of them is absent only at an edge of the list.
    ///
    /// # Errors
    /// [`Code::NotAbsent`].
    pub fn verify_absence(
        &self,
        path: &LeafPath,
        before: Option<&Neighbour>,
        after: Option<&Neighbour>,
    ) -> Result<(), Refusal> {
        for neighbour in before.into_iter().chain(after) {
            self.verify_presence(neighbour).map_err(|_| Refusal::new(Code::NotAbsent))?;
        }
        let ordered = before.is_none_or(|before| before.entry.path < *path)
            && after.is_none_or(|after| *path < after.entry.path);
        let adjacent = match (before, after) {
            (None, None) => self.count == TreeSize::ZERO,
            (None, Some(after)) => after.position == LeafIndex::ZERO,
            (Some(before), None) => before.position.next().map(LeafIndex::get) == Some(self.count.get()),
            (Some(before), Some(after)) => before.position.next() == Some(after.position),
        };
        if ordered && adjacent { Ok(()) } else { Err(Refusal::new(Code::NotAbsent)) }
    }
}

/// The list while it is being made.
#[derive(Clone, Debug, Default)]
pub struct StandingList {
    entries: Vec<InForce>,
}

impl StandingList {
    /// The list of these entries, in any order.
    ///
    /// # Errors
    /// [`Code::NotSorted`] when one path stands twice.
    pub fn new(mut entries: Vec<InForce>) -> Result<Self, Refusal> {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        if entries.windows(2).any(|pair| pair[0].path == pair[1].path) {
            return Err(Refusal::new(Code::NotSorted));
        }
        Ok(Self { entries })
    }

    /// The entries, ascending by path.
    #[must_use]
    pub fn entries(&self) -> &[InForce] {
        &self.entries
    }

    /// What this list says at the end of `epoch`.
    ///
    /// # Panics
    /// Never: a list in memory has fewer than `u64::MAX` entries.
    #[must_use]
    pub fn standing(&self, epoch: Epoch, height: Height) -> Standing {
        let mut tree = Frontier::new(HashSuite::Sha256);
        for entry in &self.entries {
            tree.append(entry.hash(), |_, _| {}).expect("a list in memory is shorter than 2^64");
        }
        Standing { epoch, height, count: tree.size(), root: tree.root() }
    }

    /// The entry at `position` with its proof, if there is one.
    #[must_use]
    pub fn neighbour(&self, position: usize) -> Option<Neighbour> {
        let entry = self.entries.get(position)?.clone();
        let mut nodes = alloc::collections::BTreeMap::new();
        let mut tree = Frontier::new(HashSuite::Sha256);
        for each in &self.entries {
            tree.append(each.hash(), |node, hash| {
                nodes.insert(node, *hash);
            })
            .expect("a list in memory is shorter than 2^64");
        }
        let index = LeafIndex::new(position as u64);
        let get = |node| nodes.get(&node).copied();
        let proof = crate::tree::inclusion(HashSuite::Sha256, index, tree.size(), &get)
            .expect("every perfect node was kept");
        Some(Neighbour { entry, position: index, proof })
    }
}

impl Said for Standing {
    const NAMESPACE: Namespace = Namespace::Standing;
    const PURPOSE: Purpose = Purpose::Standing;

    fn path(&self) -> LeafPath {
        LeafPath::standing(self.epoch)
    }
}

impl Encode for Standing {
    fn encode(&self, out: &mut Vec<u8>) {
        self.epoch.encode(out);
        self.height.encode(out);
        self.count.encode(out);
        self.root.encode(out);
    }
}

impl Decode for Standing {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            epoch: Epoch::decode(reader)?,
            height: Height::decode(reader)?,
            count: TreeSize::decode(reader)?,
            root: reader.array()?,
        })
    }
}

impl Encode for InForce {
    fn encode(&self, out: &mut Vec<u8>) {
        self.path.encode(out);
        self.leaf.encode(out);
        self.index.encode(out);
    }
}

impl Decode for InForce {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            path: LeafPath::decode(reader)?,
            leaf: LeafHash::decode(reader)?,
            index: LeafIndex::decode(reader)?,
        })
    }
}

impl Encode for Neighbour {
    fn encode(&self, out: &mut Vec<u8>) {
        self.entry.encode(out);
        self.position.encode(out);
        put_list(out, &self.proof, |out, hash| hash.encode(out));
    }
}

impl Decode for Neighbour {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            entry: InForce::decode(reader)?,
            position: LeafIndex::decode(reader)?,
            proof: reader.list(MAX_INCLUSION, Reader::array)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> StandingList {
        let entries = names.iter().enumerate().map(|(i, name)| InForce {
            path: LeafPath::registry(1, name).unwrap(),
            leaf: LeafHash::new([u8::try_from(i).unwrap(); 32]),
            index: LeafIndex::new(i as u64),
        });
        StandingList::new(entries.collect()).unwrap()
    }

    #[test]
    fn presence_and_absence_are_proved_at_every_place_of_a_list() {
        for count in 0..9 {
            let names = ["b", "d", "f", "h", "j", "l", "n", "p", "r"];
            let list = list(&names[..count]);
            let standing = list.standing(Epoch::new(1), Height::new(9));
            for position in 0..=count {
                let after = list.neighbour(position);
                let before = position.checked_sub(1).and_then(|before| list.neighbour(before));
                // A letter between the two neighbours.
                let absent = [b'a' + 2 * u8::try_from(position).unwrap()];
                let path = LeafPath::registry(1, core::str::from_utf8(&absent).unwrap()).unwrap();
                standing.verify_absence(&path, before.as_ref(), after.as_ref()).unwrap();
                if let Some(present) = &after {
                    standing.verify_presence(present).unwrap();
                    let taken = &present.entry.path;
                    standing.verify_absence(taken, before.as_ref(), after.as_ref()).unwrap_err();
                }
            }
        }
    }

    #[test]
    fn neighbours_with_an_entry_between_them_show_nothing() {
        let list = list(&["b", "d", "f"]);
        let standing = list.standing(Epoch::new(1), Height::new(9));
        let (b, f) = (list.neighbour(0).unwrap(), list.neighbour(2).unwrap());
        let path = LeafPath::registry(1, "d").unwrap();
        for (before, after) in [(Some(&b), Some(&f)), (Some(&b), None), (None, Some(&f)), (None, None)] {
            let refused = standing.verify_absence(&path, before, after).unwrap_err();
            assert_eq!(refused.code, Code::NotAbsent);
        }
    }

    #[test]
    fn a_path_stands_once() {
        let one = list(&["b"]).entries()[0].clone();
        assert_eq!(StandingList::new(Vec::from([one.clone(), one])).unwrap_err().code, Code::NotSorted);
    }
}
