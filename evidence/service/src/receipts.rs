//! Receipts: the desk's signed promise, at once, for what is durable.
//!
//! A batch is signed once; each entry's receipt carries its path in the batch's tree. Only entries that took
//! neighbouring positions can share a signature, so an entry that was there before gets a receipt of its own, with the
//! time at which it was first received. Signing is deterministic: the same entry asked for again has the same receipt of its own.

use zeugma_crypto::ed25519::SecretKey;
use zeugma_evidence_verify::bundle::Receipt;
use zeugma_proof::tree::{Hash, node_hash};
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
    /// The receipts of entries that stand at `first` and after it in the log of `origin`, all received at once, by the
    /// hashes of their leaves.
    ///
    /// # Panics
    /// Without a leaf.
    pub(crate) fn promise(
        &self,
        (origin, first): (&str, u64),
        leaves: Vec<Hash>,
        received_at: BlockTime,
    ) -> Vec<Receipt> {
        let size = TreeSize::new(leaves.len() as u64);
        let levels = levels(leaves);
        let root = levels.last().and_then(|level| level.first()).expect("a batch has a leaf");
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
        let signature = self.key.sign(Purpose::Receipt, &[&unsigned.signed(root)]);
        (0..size.get())
            .map(LeafIndex::new)
            .map(|place| Receipt { place, path: path(&levels, place), signature, ..unsigned.clone() })
            .collect()
    }
}

/// All nodes of a batch's tree, from the leaves to the root. On each level the last node without a neighbour goes up as it
/// is: the same tree as that of RFC 9162, which splits at powers of two.
fn levels(leaves: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves];
    while let Some(below) = levels.last().filter(|below| below.len() > 1) {
        let above = below.chunks(2).map(|pair| match pair {
            [left, right] => node_hash(SUITE, left, right),
            alone => alone[0],
        });
        let above = above.collect();
        levels.push(above);
    }
    levels
}

/// The neighbours from a leaf up.
fn path(levels: &[Vec<Hash>], place: LeafIndex) -> Vec<Hash> {
    let mut at = usize::try_from(place.get()).expect("a batch is held in memory");
    let mut path = Vec::with_capacity(levels.len());
    for level in levels {
        path.extend(level.get(at ^ 1));
        at /= 2;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_proof::tree::leaf_hash;

    #[test]
    fn each_receipt_of_a_batch_holds_for_its_entry_and_for_no_other() {
        let key = SecretKey::from_seed(&[7; 32]);
        let public = *key.public().as_bytes();
        let promiser = Promiser { key, within: Span::seconds(60) };
        for count in 1..=33_usize {
            let leaves: Vec<Vec<u8>> = (0..count).map(|n| vec![u8::try_from(n).unwrap(); 38]).collect();
            let hashes = leaves.iter().map(|leaf| leaf_hash(SUITE, leaf)).collect();
            let receipts = promiser.promise(("log.example/one", 100), hashes, BlockTime::new(5));
            for (place, receipt) in receipts.iter().enumerate() {
                receipt.verify(&leaves[place], &public).unwrap();
                assert_eq!(receipt.position(), Some(LeafIndex::new(100 + place as u64)));
                let other = &leaves[(place + 1) % count];
                assert_eq!(receipt.verify(other, &public).is_ok(), count == 1);
            }
        }
    }
}
