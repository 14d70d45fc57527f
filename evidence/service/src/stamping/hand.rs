//! Takes up checkpoints, and asks one authority. Each authority has a hand of its own: one that stalls holds up nobody.

use super::{Checkpoint, Got, Leg, message};
use crate::config::RevocationConfig;
use crate::desk::{Desk, Notes, now};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use zeugma_evidence_anchors::{Client, Gatherer, Offset, Reach};
use zeugma_types::{Code, Refusal, TreeSize};

/// Between two looks at what is new.
const LOOK: Duration = Duration::from_millis(250);
/// Between two requests to one authority while there is work: as many as it likes, and no flood.
const NEXT: Duration = Duration::from_millis(100);
/// The first rest after a failure.
const FIRST_REST: Duration = Duration::from_secs(1);

/// Which checkpoints are taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Each that the relay chain anchored.
    Anchored,
    /// The newest published one, so often.
    Published(Duration),
}

/// Takes up checkpoints.
pub(super) struct Taker {
    desk: Arc<Desk>,
    source: Source,
    /// Anchored sizes up to this one were there before there were authorities: of the first shard that was open.
    before: (u32, u64),
    last: Option<Instant>,
}

impl Taker {
    pub(super) fn new(desk: Arc<Desk>, source: Source) -> Self {
        let shard = desk.log().head().0;
        // Of an older log the newest alone: it covers all entries before it.
        let before = desk.anchors().last(shard).map_or(0, |last| last.saturating_sub(1));
        Self { desk, source, before: (shard, before), last: None }
    }

    /// Takes up what is new.
    ///
    /// # Errors
    /// [`Code::StoreFailed`], and the refusals of the published notes.
    pub(super) fn round(&mut self) -> Result<(), Refusal> {
        let newest = self.desk.log().head().0;
        for (shard, size) in self.desk.stamping().files().again() {
            // One that was only published has a later one, which covers all that it did.
            if self.desk.anchors().covering(shard, size.saturating_sub(1)) == Some(size) {
                self.begin_anchored(shard, size)?;
            }
        }
        match self.source {
            Source::Anchored => (0..=newest).try_for_each(|shard| self.anchored(shard)),
            Source::Published(every) => {
                if self.last.is_some_and(|last| last.elapsed() < every) {
                    return Ok(());
                }
                let Some(notes) = self.desk.ripe(newest)? else { return Ok(()) };
                let before = self.desk.stamping().files().last(newest).unwrap_or(0);
                if notes.size.get() > before {
                    self.begin(newest, &notes)?;
                    self.last = Some(Instant::now());
                }
                Ok(())
            }
        }
    }

    fn anchored(&self, shard: u32) -> Result<(), Refusal> {
        let (of, before) = self.before;
        let files = self.desk.stamping().files();
        let mut above = match files.last(shard) {
            Some(last) => last,
            None if shard == of => before,
            // Shards that were closed before there were authorities stay as they are.
            None if shard < of => return Ok(()),
            None => 0,
        };
        while let Some(size) = self.desk.anchors().covering(shard, above) {
            above = size;
            self.begin_anchored(shard, size)?;
        }
        Ok(())
    }

    fn begin_anchored(&self, shard: u32, size: u64) -> Result<(), Refusal> {
        let read = self.desk.anchors().read(shard, size);
        let anchored = read.map_err(|error| Refusal::new(Code::Damaged).found(error.to_string()))?;
        let size = TreeSize::new(size);
        self.begin(shard, &Notes { size, first: anchored.first, second: anchored.second })
    }

    fn begin(&self, shard: u32, notes: &Notes) -> Result<(), Refusal> {
        let stamping = self.desk.stamping();
        let legs = stamping.authorities().iter().map(|authority| Leg {
            institution: authority.institution().to_owned(),
            anchor: authority.fingerprint(),
            got: None,
        });
        let (first, second) = (notes.first.clone(), notes.second.clone());
        let checkpoint = Checkpoint { first, second, since: now(), legs: legs.collect() };
        let begun = stamping.files().begin(shard, notes.size.get(), &checkpoint, stamping.authorities());
        begun.map_err(|error| Refusal::new(Code::StoreFailed).found(error.to_string()))
    }
}

/// Asks one authority.
#[derive(Clone)]
pub(crate) struct Hand {
    desk: Arc<Desk>,
    client: Client,
    /// Its place among those configured.
    authority: usize,
}

impl Hand {
    pub(super) const fn new(desk: Arc<Desk>, client: Client, authority: usize) -> Self {
        Self { desk, client, authority }
    }

    /// Asks for the oldest pending leg. `Ok(false)`: there is none.
    ///
    /// # Errors
    /// The refusals of [`Client::stamp`], [`Code::Damaged`], [`Code::StoreFailed`]; the leg stays pending.
    pub(super) fn round(&self) -> Result<bool, Refusal> {
        let stamping = self.desk.stamping();
        let Some(key) = stamping.files().next(self.authority) else { return Ok(false) };
        let asked = self.ask(key);
        match &asked {
            Ok(offset) => stamping.granted(self.authority, *offset),
            Err(refusal) => stamping.refused(self.authority, refusal),
        }
        asked.map(|_| true)
    }

    fn ask(&self, key: (u32, u64)) -> Result<Offset, Refusal> {
        let stamping = self.desk.stamping();
        let read = stamping.read(key.0, key.1).inspect_err(|_| stamping.files().forget(key))?;
        let checkpoint = read.ok_or_else(|| Refusal::new(Code::Damaged).found(key.1))?;
        let message = message(&checkpoint.first, checkpoint.second.as_deref())?;
        let authority = &stamping.authorities()[self.authority];
        let answer = self.client.stamp(authority, &message)?;
        for missing in &answer.missing {
            let (subject, at, why) = (&missing.subject, &missing.at, &missing.why);
            tracing::warn!(%subject, %at, %why, "revocation data of a time authority was not to be had");
        }
        let (at, accuracy) = (answer.stamped.time(), answer.stamped.accuracy());
        let got = Got { at, stamp: answer.stamp };
        let kept = stamping.files().keep(key, self.authority, authority, got);
        kept.map_err(|error| Refusal::new(Code::StoreFailed).found(error.to_string()))?;
        Ok(Offset::of(at, accuracy, answer.asked))
    }

    /// Starts what takes up checkpoints and a hand for each authority; none without authorities.
    pub(crate) fn start(
        desk: &Arc<Desk>,
        source: Source,
        config: &crate::config::StampingConfig,
        stop: &watch::Receiver<bool>,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        let count = desk.stamping().authorities().len();
        if count == 0 {
            return Vec::new();
        }
        let timeout = Duration::from_secs(config.timeout_seconds);
        let mut client = Client::new(timeout);
        let reach = match config.revocation {
            RevocationConfig::None => None,
            RevocationConfig::Public => Some(Reach::Public),
            RevocationConfig::Anywhere => Some(Reach::Anywhere),
        };
        if let Some(reach) = reach {
            client = client.with_gatherer(Gatherer::new(timeout, reach));
        }
        let longest = Duration::from_secs(config.rest_seconds);
        let hands = (0..count).map(|authority| Self::new(Arc::clone(desk), client.clone(), authority));
        let mut tasks: Vec<_> = hands.map(|hand| tokio::spawn(asks(hand, longest, stop.clone()))).collect();
        tasks.push(tokio::spawn(takes_up(Taker::new(Arc::clone(desk), source), stop.clone())));
        tasks
    }
}

async fn takes_up(mut taker: Taker, mut stop: watch::Receiver<bool>) {
    while crate::run::pause(LOOK, &mut stop).await {
        let round = tokio::task::spawn_blocking(move || {
            let done = taker.round();
            (taker, done)
        });
        let Ok((back, done)) = round.await else { return };
        taker = back;
        if let Err(refusal) = done {
            tracing::warn!(%refusal, "a checkpoint was not taken up for time-stamps yet");
        }
    }
}

async fn asks(hand: Hand, longest: Duration, mut stop: watch::Receiver<bool>) {
    let (mut wait, mut rest) = (LOOK, FIRST_REST);
    while crate::run::pause(wait, &mut stop).await {
        let asking = hand.clone();
        let Ok(done) = tokio::task::spawn_blocking(move || asking.round()).await else { return };
        wait = match done {
            Ok(asked) => {
                rest = FIRST_REST;
                if asked { NEXT } else { LOOK }
            }
            // Whatever it was: the next answer is another one.
            Err(_) => {
                let wait = rest.min(longest);
                rest = rest.saturating_mul(2).min(longest);
                wait
            }
        };
    }
}
