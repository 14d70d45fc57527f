//! Building the one proof.

use super::service::{Service, storage};
use super::{Certified, Error, Under};
use crate::consensus::Runtime;
use crate::state::leaf_of;
use zeugma_proof::{Endorsement, Inclusion, Proof};
use zeugma_types::{HashSuite, LeafIndex};

impl<E: Runtime> Service<E> {
    /// The proof of a leaf, or `None` while it is not there or no certified header covers it.
    pub(super) async fn proof(&self, index: LeafIndex, under: Under) -> Result<Option<Proof>, Error> {
        let Some(height) = self.index.leaf(index).await.map_err(storage)? else { return Ok(None) };
        let certified = match under {
            Under::First => self.certified_from(height).await?,
            Under::Latest => self.latest_certified().await?.filter(|latest| latest.header.height >= height),
        };
        let Some(Certified { header, certificate }) = certified else { return Ok(None) };
        let Some(record) = self.outbox.record(height).await.map_err(storage)? else { return Ok(None) };
        let place = index.get().checked_sub(record.first_leaf).and_then(|place| usize::try_from(place).ok());
        let said = place
            .and_then(|place| record.said.get(place))
            .ok_or_else(|| storage("the index names a place without a leaf"))?;
        let leaf = leaf_of(self.chain.network, record.height, record.time, said);
        let path = self.outbox.inclusion(index, header.outbox.size).await.map_err(storage)?;
        let Some(path) = path else { return Ok(None) };
        Ok(Some(Proof {
            header,
            endorsement: Endorsement::Certificate(certificate),
            leaf,
            inclusion: Inclusion { suite: HashSuite::Sha256, index, path },
            opening: said.opening.clone(),
            consistency: None,
        }))
    }
}
