//! What one node says of the chain, read through its handle: the only thing the rules look at.

use crate::network::Net;
use zeugma_node::{FinalBlock, Under};
use zeugma_proof::{Certificate, Proof};
use zeugma_types::{Height, LeafIndex};

/// A final block and its certificate, where it has one of its own.
#[derive(Clone, Debug)]
pub struct Said {
    /// The block with what it did.
    pub block: FinalBlock,
    /// The certificate.
    pub certificate: Option<Certificate>,
}

/// One node's chain from height 1, and proofs of its leaves under the first certified header.
#[derive(Clone, Debug)]
pub struct View {
    /// The validator's place.
    pub place: usize,
    /// Its blocks, in order.
    pub blocks: Vec<Said>,
    /// Proofs by index; `None` where the node gives none. Empty where they were not asked for.
    pub proofs: Vec<Option<Proof>>,
}

impl View {
    /// Reads a node that runs up to `height`.
    ///
    /// # Errors
    /// In words, when the node does not answer or a final block is missing.
    pub async fn read(net: &Net, place: usize, height: u64, proofs: bool) -> Result<Self, String> {
        let node = net.node(place).ok_or_else(|| format!("validator {place} does not run"))?;
        let fault = |error: zeugma_node::Error| format!("validator {place}: {error}");
        let mut blocks = Vec::new();
        for height in (1..=height).map(Height::new) {
            let block = node.block(height).await.map_err(fault)?;
            let block = block.ok_or_else(|| format!("validator {place} lost block {height}"))?;
            let certificate = node.certificate(height).await.map_err(fault)?;
            blocks.push(Said { block, certificate });
        }
        let mut given = Vec::new();
        if proofs {
            let covered = blocks.iter().rev().find(|said| said.certificate.is_some());
            let leaves = covered.map_or(0, |said| said.block.header.outbox.size.get());
            for index in (0..leaves).map(LeafIndex::new) {
                given.push(node.proof_by_index(index, Under::First).await.map_err(fault)?);
            }
        }
        Ok(Self { place, blocks, proofs: given })
    }
}
