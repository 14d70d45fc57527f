//! Whether deposits are taken: the disk is tried each second, so that who balances load knows before a depositor does.

use crate::desk::Desk;
use crate::run::pause;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use zeugma_types::{Code, Refusal};

/// Between two tries.
const EVERY: Duration = Duration::from_secs(1);

/// What the last try found; before the first, that the index is not there yet.
#[derive(Clone, Debug)]
pub(crate) struct Health(watch::Sender<Result<(), Refusal>>);

impl Default for Health {
    fn default() -> Self {
        Self(watch::Sender::new(Err(Refusal::new(Code::IndexBehind))))
    }
}

impl Health {
    /// What the last try found.
    pub(crate) fn now(&self) -> Result<(), Refusal> {
        self.0.borrow().clone()
    }

    /// What it finds from here on.
    pub(crate) fn changes(&self) -> watch::Receiver<Result<(), Refusal>> {
        self.0.subscribe()
    }
}

/// Tries until it is time to end.
pub(crate) async fn watch(desk: Arc<Desk>, health: Health, mut stop: watch::Receiver<bool>) {
    loop {
        let prober = Arc::clone(&desk);
        let lost = || Err(Refusal::new(Code::WorkLost));
        let found =
            tokio::task::spawn_blocking(move || prober.log().probe()).await.unwrap_or_else(|_| lost());
        health.0.send_if_modified(|known| {
            let changed = *known != found;
            if changed {
                match &found {
                    Ok(()) => tracing::info!("deposits are taken"),
                    Err(refusal) => tracing::warn!(%refusal, "deposits are not taken"),
                }
                *known = found;
            }
            changed
        });
        if !pause(EVERY, &mut stop).await {
            return;
        }
    }
}
