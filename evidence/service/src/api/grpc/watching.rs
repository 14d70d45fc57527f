//! Where an entry stands, told at each change: what a long poll is for REST.

use super::super::Api;
use super::super::entries::{Reached, Wait, look, stands};
use super::super::problem::Problem;
use super::bounded::late;
use super::status::status;
use super::{convert, v1};
use crate::access::Action;
use crate::store::Position;
use axum::http::HeaderMap;
use futures::stream::{BoxStream, StreamExt as _, unfold};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tonic::Status;
use zeugma_types::{Code, Refusal};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// Longest life of one stream; a client that waits longer asks again.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// One stream.
pub(super) struct Watching {
    api: Api,
    heads: HeaderMap,
    position: Position,
    until: Reached,
    /// What was told last.
    told: Option<v1::Standing>,
    /// What is to be told next.
    next: Option<v1::Standing>,
    done: bool,
    end: Instant,
    /// When the caller wants no more of it.
    deadline: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

impl Watching {
    /// Takes a place, and looks for the first time: that is what the audit log is told of.
    pub(super) async fn begin(
        api: &Api,
        heads: HeaderMap,
        position: Position,
        until: Reached,
        deadline: Option<Instant>,
    ) -> Result<Self, Problem> {
        let full = |_| Problem(Refusal::new(Code::QueueFull));
        let place = Arc::clone(&api.streams).try_acquire_owned().map_err(full)?;
        let seen = stands(api, &heads, position, Wait::default()).await?;
        Ok(Self {
            api: api.clone(),
            heads,
            position,
            until,
            told: None,
            done: seen.has(until),
            next: Some(convert::standing(position, &seen)),
            end: Instant::now() + LONGEST,
            deadline,
            _place: place,
        })
    }

    /// Each change, the first look first; it ends once the entry is as far as was asked for.
    pub(super) fn stream(self) -> BoxStream<'static, Result<v1::WatchEntryResponse, Status>> {
        unfold(Some(self), async |watching| {
            let mut watching = watching?;
            match watching.change().await {
                Ok(Some(standing)) => {
                    Some((Ok(v1::WatchEntryResponse { standing: Some(standing) }), Some(watching)))
                }
                Ok(None) => None,
                Err(_) if watching.is_late() => Some((Err(late(&watching.api)), None)),
                Err(problem) => Some((Err(status(&watching.api, problem)), None)),
            }
        })
        .boxed()
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    async fn change(&mut self) -> Result<Option<v1::Standing>, Problem> {
        loop {
            if let Some(next) = self.next.take() {
                self.told = Some(next.clone());
                return Ok(Some(next));
            }
            if self.done {
                return Ok(None);
            }
            if Instant::now() >= self.end || self.is_late() {
                let longest = format!("{} s", LONGEST.as_secs());
                return Err(Problem(Refusal::new(Code::RequestTooSlow).needed(longest)));
            }
            if !crate::run::pause(LOOK, &mut self.api.stop).await {
                return Err(Problem(Refusal::new(Code::WorkLost).found("the service stops")));
            }
            // A token that was revoked since, or whose time is over, opens nothing more.
            let tenant = self.api.shown(&self.heads)?;
            tenant.role.require(Action::Read)?;
            let seen = look(&self.api, &tenant, self.position).await?;
            self.done = seen.has(self.until);
            let seen = convert::standing(self.position, &seen);
            // An age that grew is no change.
            if self.told.as_ref().map(ageless) != Some(ageless(&seen)) {
                self.next = Some(seen);
            }
        }
    }
}

fn ageless(standing: &v1::Standing) -> v1::Standing {
    let mut standing = standing.clone();
    for leg in &mut standing.stamps {
        leg.pending_age_seconds = None;
    }
    standing
}
