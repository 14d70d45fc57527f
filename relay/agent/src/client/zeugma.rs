//! A client of a Zeugma network: refreshed by one certificate, over hand-overs where the era changed; frozen by two
//! certified headers of one height.

use super::state::{Known, Signers, due};
use super::{evidence_claim, is_busy, load, load_state, show, update_claim};
use crate::error::Error;
use crate::hub::{Hub, Hubs, Under};
use crate::metrics::Metrics;
use crate::queue::{Queue, Work};
use std::sync::Arc;
use zeugma_adapter_core::{Client, Family as _, Status};
use zeugma_adapter_zeugma::{Certified, Evidence, Profile, State, Update, Zeugma};
use zeugma_ledger::bounded::Bytes;
use zeugma_ledger::tx::{SubmitMisbehaviour, UpdateClient};
use zeugma_types::{BlockTime, ClientId, Code, Encode as _, Era, LeafPath, Refusal};

/// A client of a Zeugma network as its network holds it, with its newest trusted state.
pub(crate) struct Light {
    pub(crate) client: Client<Profile>,
    pub(crate) latest: State,
}

impl Light {
    pub(crate) fn load(hub: &dyn Hub, id: &ClientId) -> Result<Self, Error> {
        let client = load::<Zeugma>(hub, id)?;
        let latest = load_state::<Zeugma>(hub, id, client.latest().height)?;
        Ok(Self { client, latest })
    }
}

/// The update that moves `light` to `target`, and the state it leads to: both verified.
pub(crate) fn update_to(
    of: &dyn Hub,
    light: &Light,
    target: Certified,
    now: BlockTime,
) -> Result<(Update, State), Error> {
    let mut handovers = Vec::new();
    // One hand-over an era, each proved under the key that it retires.
    for era in light.latest.era.get() + 1..=target.header.era.get() {
        let path = LeafPath::handover(Era::new(era));
        let missing = || Refusal::new(Code::UnknownEra).needed(light.latest.era.get()).found(era);
        handovers.push(of.proof(&path, Under::First)?.ok_or_else(missing)?);
    }
    let update = Update { handovers, target };
    let state = Zeugma::verify_update(&light.client.profile, &light.latest, &update, now)?;
    Ok((update, state))
}

/// The worker of one client of a Zeugma network.
pub struct ZeugmaWorker {
    hub: Arc<dyn Hub>,
    client: ClientId,
    of: Arc<Hubs>,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
}

impl ZeugmaWorker {
    /// The worker of `client` on `hub`, which follows the network of `of`.
    #[must_use]
    pub fn new(
        hub: Arc<dyn Hub>,
        client: ClientId,
        of: Arc<Hubs>,
        queue: Arc<Queue>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { hub, client, of, queue, metrics }
    }

    /// Looks for misbehaviour, then refreshes the client if it is due.
    ///
    /// # Errors
    /// [`Error`]; the next tick tries again.
    pub fn tick(&self, now: BlockTime) -> Result<(), Error> {
        let light = Light::load(&*self.hub, &self.client)?;
        match show::<Zeugma>(&self.metrics, &*self.hub, &self.client, &light.client, now) {
            Status::Active => {}
            // Recovery is a matter of people; the gauge says that it is needed.
            Status::Frozen | Status::Expired => return Ok(()),
        }
        if is_busy(&self.queue, &*self.hub, &evidence_claim(&self.client), now)? {
            return Ok(());
        }
        let mut liars = 0;
        let found = compare(&self.of, &light, now, &mut liars);
        (0..liars).for_each(|_| self.metrics.disagreed(self.of.name()));
        if let Some(evidence) = found {
            tracing::error!(chain = self.of.name(), "client.misbehaviour");
            let evidence = Bytes::new(evidence.to_bytes())?;
            let message = SubmitMisbehaviour { client: self.client.clone(), evidence }.into();
            let work = Work { claim: evidence_claim(&self.client), message };
            if self.queue.push(self.hub.name(), Vec::from([work]))? {
                self.metrics.misbehaved(self.of.name());
            }
            return Ok(());
        }
        if is_busy(&self.queue, &*self.hub, &update_claim(&self.client), now)? {
            return Ok(());
        }
        let Some(target) = self.of.latest()? else { return Ok(()) };
        let header = &target.header;
        let known = Known {
            trusted_at: light.latest.time,
            trusting: light.client.profile.trusting_period,
            chain_is_ahead: header.height > light.latest.height,
            signers: if header.era == light.latest.era { Signers::Same } else { Signers::Changed },
        };
        let Some(why) = due(&known, now) else { return Ok(()) };
        tracing::info!(client = %self.client, ?why, to = %header.height, "client.update");
        let (update, _) = update_to(&*self.of, &light, target, now)?;
        let message =
            UpdateClient { client: self.client.clone(), update: Bytes::new(update.to_bytes())? }.into();
        let work = Work { claim: update_claim(&self.client), message };
        self.queue.push(self.hub.name(), Vec::from([work])).map(drop)
    }
}

/// Compares what the nodes certified: two headers of one height, or two that cannot follow each other. A node that
/// shows what is not certified is counted in `liars`.
fn compare(of: &Hubs, light: &Light, now: BlockTime, liars: &mut u64) -> Option<Evidence> {
    let mut latest = Vec::new();
    for hub in of.each() {
        // A node that is down shows nothing; the others are compared.
        if let Ok(Some(certified)) = hub.latest() {
            latest.push((hub, certified.header.height));
        }
    }
    let common = latest.iter().map(|(_, height)| *height).min()?;
    let mut first: Option<Certified> = None;
    for (hub, _) in &latest {
        let Ok(Some(certified)) = hub.certified(common) else { continue };
        let Some(one) = &first else {
            first = Some(certified);
            continue;
        };
        let same_height = one.header.height == certified.header.height;
        if same_height && one.header.digest() == certified.header.digest() {
            continue;
        }
        let evidence = Evidence { one: one.clone(), other: certified };
        let trusted = [&light.latest, &light.latest];
        match Zeugma::verify_misbehaviour(&light.client.profile, trusted, &evidence, now) {
            Ok(_) => return Some(evidence),
            // Two headers of two heights, one after the other: no contradiction.
            Err(refusal) if refusal.code == Code::NoMisbehaviour => {}
            Err(refusal) => {
                tracing::warn!(chain = of.name(), %refusal, "a node showed what is not certified");
                *liars += 1;
            }
        }
    }
    None
}

/// The update that moves a client to the followed network's latest certified header, over hand-overs where the era
/// changed; nothing when it stands there. Verified.
///
/// # Errors
/// [`Error`].
pub fn update_to_latest(
    hub: &dyn Hub,
    client: &ClientId,
    of: &dyn Hub,
    now: BlockTime,
) -> Result<Option<UpdateClient>, Error> {
    let light = Light::load(hub, client)?;
    match of.latest()? {
        Some(target) if target.header.height > light.latest.height => {
            let (update, _) = update_to(of, &light, target, now)?;
            Ok(Some(UpdateClient { client: client.clone(), update: Bytes::new(update.to_bytes())? }))
        }
        _ => Ok(None),
    }
}

/// Evidence that nodes of the network that `client` follows certified two histories; verified, or nothing.
///
/// # Errors
/// [`Error`] when the client cannot be read.
pub fn contradiction(
    hub: &dyn Hub,
    client: &ClientId,
    of: &Hubs,
    now: BlockTime,
) -> Result<Option<SubmitMisbehaviour>, Error> {
    let light = Light::load(hub, client)?;
    let Some(evidence) = compare(of, &light, now, &mut 0) else { return Ok(None) };
    Ok(Some(SubmitMisbehaviour { client: client.clone(), evidence: Bytes::new(evidence.to_bytes())? }))
}
