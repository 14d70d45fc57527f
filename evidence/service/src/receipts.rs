//! Receipts: the desk's signed promise, at once, for what is durable.
//!
//! A batch is signed once; each entry's receipt carries its path in the batch's tree. Only entries that took
//! neighbouring positions can share a signature, so an entry that was there before gets a receipt of its own, with the
//! time at which it was first received. Signing is deterministic: the same entry asked for again has the same receipt of its own.

use std::collections::BTreeMap;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_evidence_verify::bundle::Receipt;
use zeugma_proof::tree::{Frontier, Hash, Node, inclusion, leaf_hash};
use zeugma_types::{BlockTime, HashSuite, LeafIndex, Purpose, Span, TreeSize};

const SUITE: HashSuite = HashSuite::Sha256;

/// What receipts are signed with.
#[derive(Clone, Debug)]
pub(crate) struct Promiser {
    pub(crate) key: SecretKey,
    /// From receiving to the checkpoint that holds the entry.
    pub(crate) within: Span,
}

impl Promiser {
    /// The receipts of entries that stand at `first` and after it in the log of `origin`, all received at once.
    ///
    /// # Panics
    /// Never: the nodes of a tree that was just built are there.
    pub(crate) fn promise(
        &self,
        (origin, first): (&str, u64),
        leaves: &[&[u8]],
        received_at: BlockTime,
    ) -> Vec<Receipt> {
        let mut nodes: BTreeMap<Node, Hash> = BTreeMap::new();
        let mut frontier = Frontier::new(SUITE);
        for leaf in leaves {
            let hash = leaf_hash(SUITE, leaf);
            frontier
                .append(hash, |node, hash| {
                    nodes.insert(node, *hash);
                })
                .expect("a batch is far below the largest tree");
        }
        let root = frontier.root();
        let size = TreeSize::new(leaves.len() as u64);
        let unsigned = Receipt {
            origin: origin.to_owned(),
            received_at,
            due_at: received_at.after(self.within).unwrap_or(BlockTime::MAX),
            first: LeafIndex::new(first),
            size,
            place: LeafIndex::new(0),
            path: Vec::new(),
            signature: [0; 64],
        };
        let signature = self.key.sign(Purpose::Receipt, &[&unsigned.signed(&root)]);
        (0..size.get())
            .map(LeafIndex::new)
            .map(|place| {
                let path = inclusion(SUITE, place, size, &|node: Node| nodes.get(&node).copied());
                let path = path.expect("every node of the batch was kept");
                Receipt { place, path, signature, ..unsigned.clone() }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_receipt_of_a_batch_holds_for_its_entry_and_for_no_other() {
        let key = SecretKey::from_seed(&[7; 32]);
        let public = *key.public().as_bytes();
        let promiser = Promiser { key, within: Span::seconds(60) };
        for count in 1..=9_usize {
            let leaves: Vec<Vec<u8>> = (0..count).map(|n| vec![u8::try_from(n).unwrap(); 38]).collect();
            let leaves: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
            let receipts = promiser.promise(("log.example/one", 100), &leaves, BlockTime::new(5));
            for (place, receipt) in receipts.iter().enumerate() {
                receipt.verify(leaves[place], &public).unwrap();
                assert_eq!(receipt.position(), Some(LeafIndex::new(100 + place as u64)));
                let other = leaves[(place + 1) % count];
                assert_eq!(receipt.verify(other, &public).is_ok(), count == 1);
            }
        }
    }
}
