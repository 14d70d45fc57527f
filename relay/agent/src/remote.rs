//! A Zeugma chain over its API.

use crate::hub::{Error, Fate, Hub, Page, Told, Under};
use zeugma_adapter_zeugma::Certified;
use zeugma_client::Client;
use zeugma_ledger::Key;
use zeugma_proof::Proof;
use zeugma_types::{Height, LeafPath, NetworkId};

/// One node's API.
#[derive(Clone, Debug)]
pub struct Remote {
    name: String,
    client: Client,
}

impl Remote {
    /// The node behind `client`, of the chain that the configuration calls `name`.
    #[must_use]
    pub fn new(name: &str, client: Client) -> Self {
        Self { name: name.to_owned(), client }
    }

    fn told(&self, error: zeugma_client::Error) -> Error {
        let hub = self.name.clone();
        match error {
            zeugma_client::Error::Refused(refusal) => Error::Refused { hub, refusal: Box::new(refusal) },
            zeugma_client::Error::Unreachable { .. } | zeugma_client::Error::Declined { .. } => {
                Error::Silent { hub, why: error.to_string() }
            }
            zeugma_client::Error::Unreadable(_) | zeugma_client::Error::Unproven(_) => {
                Error::Odd { hub, why: error.to_string() }
            }
        }
    }
}

fn certified(found: zeugma_client::Certified) -> Certified {
    Certified { header: found.header, certificate: found.certificate }
}

impl Hub for Remote {
    fn name(&self) -> &str {
        &self.name
    }

    fn network(&self) -> Result<NetworkId, Error> {
        self.client.status().map(|status| status.network).map_err(|error| self.told(error))
    }

    fn latest(&self) -> Result<Option<Certified>, Error> {
        let found = self.client.latest_certified().map_err(|error| self.told(error))?;
        Ok(found.map(certified))
    }

    fn certified(&self, from: Height) -> Result<Option<Certified>, Error> {
        let found = self.client.certified(from).map_err(|error| self.told(error))?;
        Ok(found.map(certified))
    }

    fn proof(&self, path: &LeafPath, under: Under) -> Result<Option<Proof>, Error> {
        let under = match under {
            Under::First => zeugma_client::Under::First,
            Under::Latest => zeugma_client::Under::Latest,
        };
        let found = self.client.proof_of(path, under).map_err(|error| self.told(error))?;
        Ok(found.map(|file| file.proof))
    }

    fn state(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        self.client.state(key).map(|(_, value)| value).map_err(|error| self.told(error))
    }

    fn events(&self, from: Height, limit: u32) -> Result<Page, Error> {
        let events = self.client.events(from, limit).map_err(|error| self.told(error))?;
        let told = |block: zeugma_client::Happened| Told {
            height: block.height,
            time: block.time,
            events: block.events.into_iter().map(|told| told.event).collect(),
        };
        Ok(Page { next: events.next, blocks: events.blocks.into_iter().map(told).collect() })
    }

    fn submit(&self, transaction: &[u8]) -> Result<(), Error> {
        self.client.submit(transaction).map(drop).map_err(|error| self.told(error))
    }

    fn fate(&self, id: &[u8; 32]) -> Result<Fate, Error> {
        Ok(match self.client.fate(id).map_err(|error| self.told(error))? {
            zeugma_client::Fate::Unknown => Fate::Unknown,
            zeugma_client::Fate::Waiting => Fate::Waiting,
            zeugma_client::Fate::Dropped { refusal } => Fate::Dropped(refusal),
            zeugma_client::Fate::Final { height, outcome, .. } => Fate::Final { height, outcome },
        })
    }
}
