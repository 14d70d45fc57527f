//! A client of a CometBFT chain: refreshed by bisection, frozen by two commits of one height.

use super::state::{Due, Known, Signers, due};
use super::{evidence_claim, is_busy, load, load_state, show, update_claim};
use crate::error::Error;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::queue::{Queue, Work};
use std::sync::Arc;
use zeugma_adapter_cometbft::{CometBft, Profile, State, Update};
use zeugma_adapter_core::{Client, Status};
use zeugma_endpoint_cometbft::{Comparison, Endpoints, Finding, Followed, Source as _};
use zeugma_ledger::bounded::Bytes;
use zeugma_ledger::limits::MAX_MESSAGES;
use zeugma_ledger::tx::{SubmitMisbehaviour, UpdateClient};
use zeugma_types::{BlockTime, ClientId, Encode as _, Height};

/// The worker of one client of a CometBFT chain.
pub struct CometWorker {
    hub: Arc<dyn Hub>,
    client: ClientId,
    endpoints: Arc<Endpoints>,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    /// Most bytes of one transaction's messages.
    batch_bytes: usize,
}

impl CometWorker {
    /// The worker of `client` on `hub`, whose chain is reached over `endpoints`.
    #[must_use]
    pub fn new(
        hub: Arc<dyn Hub>,
        client: ClientId,
        endpoints: Arc<Endpoints>,
        queue: Arc<Queue>,
        metrics: Arc<Metrics>,
        batch_bytes: usize,
    ) -> Self {
        Self { hub, client, endpoints, queue, metrics, batch_bytes }
    }

    /// Looks for misbehaviour, then refreshes the client if it is due.
    ///
    /// # Errors
    /// [`Error`]; the next tick tries again.
    pub fn tick(&self, now: BlockTime) -> Result<(), Error> {
        let client = load::<CometBft>(&*self.hub, &self.client)?;
        let done = match show::<CometBft>(&self.metrics, &*self.hub, &self.client, &client, now) {
            Status::Active => self.watch(&client, now).and_then(|found| match found {
                Watched::Clean => self.refresh(&client, now),
                Watched::Found => Ok(()),
            }),
            // Recovery is a matter of people; the gauge says that it is needed.
            Status::Frozen | Status::Expired => Ok(()),
        };
        self.metrics.disagreements(self.endpoints.chain(), self.endpoints.disagreements());
        done
    }

    fn refresh(&self, client: &Client<Profile>, now: BlockTime) -> Result<(), Error> {
        if is_busy(&self.queue, &*self.hub, &update_claim(&self.client), now)? {
            return Ok(());
        }
        let latest = client.latest();
        let tip = self.endpoints.status(now)?;
        let trusted = load_state::<CometBft>(&*self.hub, &self.client, latest.height)?;
        let signers = self.signers(&trusted, tip.latest, now)?;
        let known = Known {
            trusted_at: latest.time,
            trusting: client.profile.trusting_period,
            chain_is_ahead: tip.latest > latest.height,
            signers,
        };
        let Some(why) = due(&known, now) else { return Ok(()) };
        let mut followed = Followed::new(client.profile.clone(), trusted)?;
        let steps = self.endpoints.walk(&mut followed, tip.latest, now)?;
        tracing::info!(client = %self.client, ?why, steps = steps.len(), to = %tip.latest, "client.update");
        debug_assert!(matches!(why, Due::Age | Due::SignersChanged));
        let works = self.updates(steps)?;
        if !works.is_empty() {
            self.queue.push(self.hub.name(), works)?;
        }
        Ok(())
    }

    /// Whether the newest header is of another set than the trusted state announced: a hint, proved by the walk.
    fn signers(&self, trusted: &State, tip: Height, now: BlockTime) -> Result<Signers, Error> {
        if tip <= trusted.height {
            return Ok(Signers::Same);
        }
        let header = self.endpoints.ask(now, |endpoint| endpoint.signed_header(tip))?.header;
        let same = header.next_validators_hash == trusted.next_validators_hash;
        Ok(if same { Signers::Same } else { Signers::Changed })
    }

    /// As many steps as one transaction takes; the rest follows from the state that they lead to.
    fn updates(&self, steps: Vec<Update>) -> Result<Vec<Work>, Error> {
        let mut works = Vec::new();
        let mut length = 0;
        for (place, step) in steps.into_iter().enumerate().take(MAX_MESSAGES - 1) {
            let bytes = step.to_bytes();
            length += bytes.len();
            if place > 0 && length > self.batch_bytes {
                break;
            }
            let message = UpdateClient { client: self.client.clone(), update: Bytes::new(bytes)? }.into();
            // The first claim is the client's: one update at a time. The others only number the steps.
            let claim = update_claim(&self.client);
            let claim = if place == 0 { claim } else { format!("{claim}/{place}") };
            works.push(Work { claim, message });
        }
        Ok(works)
    }

    fn watch(&self, client: &Client<Profile>, now: BlockTime) -> Result<Watched, Error> {
        if is_busy(&self.queue, &*self.hub, &evidence_claim(&self.client), now)? {
            return Ok(Watched::Found);
        }
        let Some((height, 2..)) = self.endpoints.common_height(now) else { return Ok(Watched::Clean) };
        let Comparison::Differ { one, other } = self.endpoints.compare(height, now)? else {
            return Ok(Watched::Clean);
        };
        tracing::warn!(chain = self.endpoints.chain(), %height, "endpoints name two headers of one height");
        let mut trusted = Vec::new();
        for stored in client.stored() {
            trusted.push(load_state::<CometBft>(&*self.hub, &self.client, stored.height)?);
        }
        match self.endpoints.examine(&client.profile, &trusted, (one, other), height, now)? {
            Finding::Agreed => Ok(Watched::Clean),
            Finding::Lied { endpoint, refusal } => {
                let liar = self.endpoints.list().get(endpoint).map(|wary| wary.endpoint.address());
                tracing::warn!(chain = self.endpoints.chain(), ?liar, %refusal, "an endpoint lied");
                Ok(Watched::Clean)
            }
            Finding::Misbehaviour { updates, evidence, at } => {
                tracing::error!(chain = self.endpoints.chain(), height = %at.height, "client.misbehaviour");
                let mut works = self.updates(updates)?;
                let evidence = Bytes::new(evidence.to_bytes())?;
                let message = SubmitMisbehaviour { client: self.client.clone(), evidence }.into();
                works.push(Work { claim: evidence_claim(&self.client), message });
                if self.queue.push(self.hub.name(), works)? {
                    self.metrics.misbehaved(self.endpoints.chain());
                }
                Ok(Watched::Found)
            }
        }
    }
}

enum Watched {
    Clean,
    Found,
}
