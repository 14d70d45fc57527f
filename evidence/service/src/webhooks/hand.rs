//! The calls: which webhook is due, one attempt, and what becomes of it.

use super::Hooks;
use super::address::{Checked, Refused};
use super::compose::next;
use super::hook::{Attempt, Delivery, Hook};
use super::metrics::Ending;
use crate::audit::{About, Audit, Ended, Who};
use crate::calling::https;
use crate::desk::{Desk, now};
use crate::run::pause;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use ureq::Agent;
use ureq::unversioned::resolver::DefaultResolver;
use zeugma_types::{Code, Refusal};

/// Between two looks at what is new.
const LOOK: Duration = Duration::from_millis(250);
/// Before a webhook is looked at again for which the disk or the log failed.
const REST: Duration = Duration::from_secs(5);
/// Longest reason that is kept of an attempt, in characters.
const MAX_WHY: usize = 200;

/// Starts what calls.
///
/// # Errors
/// Those of the configured roots.
pub(crate) fn start(
    hooks: &Arc<Hooks>,
    desk: &Arc<Desk>,
    audit: &Arc<Audit>,
    stop: &watch::Receiver<bool>,
) -> Result<tokio::task::JoinHandle<()>, Refusal> {
    let agent = match agent(hooks) {
        // A machine that believes nobody serves all the same, and says why nothing is delivered.
        Err(refusal) if hooks.config.ca.is_none() => {
            tracing::warn!(%refusal, "no webhook can be called");
            Err(refusal)
        }
        agent => Ok(agent?),
    };
    let hand = Hand { agent, hooks: Arc::clone(hooks), desk: Arc::clone(desk), audit: Arc::clone(audit) };
    Ok(tokio::spawn(hand.run(stop.clone())))
}

/// An agent that goes nowhere but to addresses that were checked, and follows nobody elsewhere.
pub(super) fn agent(hooks: &Hooks) -> Result<Agent, Refusal> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .proxy(None)
        .https_only(!hooks.config.plain_http)
        .timeout_global(Some(Duration::from_secs(hooks.config.timeout_seconds)))
        .user_agent(concat!("zeugma-evidence/", env!("CARGO_PKG_VERSION")))
        .build();
    let resolver = Checked { guard: Arc::clone(&hooks.guard), inner: DefaultResolver::default() };
    Ok(https(hooks.config.ca.as_deref(), None)?.agent_by(config, resolver))
}

#[derive(Clone)]
struct Hand {
    hooks: Arc<Hooks>,
    desk: Arc<Desk>,
    audit: Arc<Audit>,
    agent: Result<Agent, Refusal>,
}

impl Hand {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let calls = Arc::new(Semaphore::new(self.hooks.config.calls));
        let mut tenants: HashMap<String, Arc<Semaphore>> = HashMap::new();
        let mut under_way = JoinSet::new();
        while pause(LOOK, &mut stop).await {
            while under_way.try_join_next().is_some() {}
            for hook in self.hooks.take(now()) {
                let most = self.hooks.config.calls_of_tenant;
                let own =
                    tenants.entry(hook.tenant.clone()).or_insert_with(|| Arc::new(Semaphore::new(most)));
                // Its tenant's place first: who waits for that one keeps none of the others'.
                let (own, calls, hand) = (Arc::clone(own), Arc::clone(&calls), self.clone());
                let mut stopped = stop.clone();
                under_way.spawn(async move {
                    let id = hook.id.clone();
                    let called = async {
                        let failed = {
                            let _own = own.acquire_owned().await;
                            let _place = calls.acquire_owned().await;
                            hand.clone().call(hook).await
                        };
                        if failed {
                            tokio::time::sleep(REST).await;
                        }
                    };
                    tokio::select! {
                        () = called => {}
                        // One that is under way ends by its own time; what it did is told again after the next start.
                        _ = stopped.wait_for(|stop| *stop) => {}
                    }
                    hand.hooks.give_back(&id);
                });
            }
        }
    }

    /// One attempt, if there is something to tell. `true` when the disk or the log failed.
    async fn call(self, hook: Hook) -> bool {
        let (id, tenant) = (hook.id.clone(), hook.tenant.clone());
        let hand = self.clone();
        let done = tokio::task::spawn_blocking(move || hand.attempt(hook)).await;
        match done {
            Ok(Ok(false)) => false,
            Err(_) => true,
            Ok(Ok(true)) => {
                tracing::warn!(webhook = id, tenant, "a webhook failed for too long: it is called no more");
                let about = About::Name(format!("{id} of {tenant}"));
                // An audit log that cannot be written is told by its own metrics.
                let _ = self.audit.record(Who::Machine, "webhook.disabled", &about, &Ended::Done).await;
                false
            }
            Ok(Err(refusal)) if refusal.code == Code::NoSuchName => false,
            Ok(Err(refusal)) => {
                tracing::warn!(%refusal, webhook = id, "a webhook waits for the disk");
                true
            }
        }
    }

    /// Sends what is on its way, or what is to be told next. `true` when the webhook is disabled by this.
    fn attempt(&self, mut hook: Hook) -> Result<bool, Refusal> {
        if hook.pending.is_none() {
            hook.pending = next(&self.desk, &mut hook)?;
            if hook.pending.is_none() {
                return Ok(false);
            }
            // Durable before it is sent: after a crash the same bytes go under the same name.
            self.hooks.keep(hook.clone())?;
        }
        let Some(delivery) = hook.pending.clone() else { return Ok(false) };
        let (attempt, ending) = self.send(&hook.url, &delivery);
        self.hooks.numbers.attempted(ending);
        if let Some(why) = &attempt.why {
            tracing::info!(webhook = hook.id, delivery = delivery.id, why, "a delivery has not arrived");
        }
        let config = &self.hooks.config;
        let disabled = hook.attempted(attempt, (config.rest_seconds, config.disable_seconds));
        self.hooks.keep(hook)?;
        if disabled {
            self.hooks.numbers.disabled();
        }
        Ok(disabled)
    }

    fn send(&self, url: &str, delivery: &Delivery) -> (Attempt, Ending) {
        let (at, began) = (now(), Instant::now());
        let (status, why, ending) = match self.post(url, delivery) {
            Ok(status @ 200..=299) => (Some(status), None, Ending::Delivered),
            Ok(status @ 300..=399) => {
                (Some(status), Some("a redirect is not followed".to_owned()), Ending::Answered)
            }
            Ok(status) => (Some(status), Some(format!("status {status}")), Ending::Answered),
            Err(refusal) => {
                let ending = match refusal.code {
                    Code::AddressRefused => Ending::Refused,
                    _ => Ending::Unanswered,
                };
                let why = refusal.to_string();
                (None, Some(why.chars().take(MAX_WHY).collect()), ending)
            }
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (id, kind) = (delivery.id.clone(), delivery.kind.clone());
        (Attempt { delivery: id, kind, at: at.get(), milliseconds, status, why }, ending)
    }

    /// The status that was answered. Nothing of the body is read.
    fn post(&self, url: &str, delivery: &Delivery) -> Result<u16, Refusal> {
        self.hooks.guard.parse(url)?;
        let at = now().whole_seconds();
        let signature = self.desk.keys().desk.sign_webhook(&delivery.id, at, delivery.body.as_bytes())?;
        let agent = self.agent.as_ref().map_err(Clone::clone)?;
        let sent = agent
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", &delivery.id)
            .header("webhook-timestamp", at.get().to_string())
            .header("webhook-signature", format!("v1a,{}", STANDARD.encode(signature)))
            .send(&delivery.body);
        sent.map(|answer| answer.status().as_u16()).map_err(refused)
    }
}

/// Why there was no answer.
fn refused(error: ureq::Error) -> Refusal {
    match error {
        ureq::Error::Timeout(_) => Refusal::new(Code::TooSlow).found(error.to_string()),
        ureq::Error::Other(inner) => match inner.downcast::<Refused>() {
            Ok(refused) => refused.0,
            Err(inner) => Refusal::new(Code::NotDelivered).found(inner.to_string()),
        },
        error => Refusal::new(Code::NotDelivered).found(error.to_string()),
    }
}
