//! The hands that judge: one for each pack, in the order of the log, and one that asks whether the packs are in force.

use super::facts::{self, Anchor, When};
use super::files::{CHUNK, Given, Row};
use super::pool;
use super::{Judge, Judging};
use crate::desk::{Desk, now};
use crate::run::pause;
use crate::store::Position;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use zeugma_client::Client;
use zeugma_types::{BlockTime, Code, Encode as _, Refusal};

/// Between two looks at a log that does not grow.
const LOOK: Duration = Duration::from_millis(50);
/// The first rest after an abort; each doubles it.
const REST: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST: Duration = Duration::from_secs(60);
/// How often one entry is tried.
const TRIES: u32 = 5;

/// Judges for one pack.
#[derive(Debug)]
pub(super) struct Hand {
    desk: Arc<Desk>,
    at: usize,
    /// How often the next entry was tried.
    tries: u32,
}

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// Judged some, or went on to the next shard.
    Done,
    /// There was nothing.
    Idle,
}

impl Hand {
    pub(super) fn new(desk: &Arc<Desk>, at: usize) -> Self {
        Self { desk: Arc::clone(desk), at, tries: 0 }
    }

    fn judging(&self) -> &Judging {
        self.desk.judging()
    }

    fn judge(&self) -> &Judge {
        &self.judging().judges()[self.at]
    }

    /// Judges what is there, up to the end of one file.
    ///
    /// # Errors
    /// [`Code::NoVerdict`] when the evaluation was aborted: nothing is recorded, and the entry is tried again;
    /// [`Code::StoreFailed`], [`Code::Damaged`].
    pub(super) fn round(&mut self) -> Result<Round, Refusal> {
        let desk = Arc::clone(&self.desk);
        let (judging, log) = (desk.judging(), desk.log());
        let digest = self.judge().digest;
        let Position { shard, index } = judging.files.next(&digest);
        let (open, ..) = log.head();
        let size = log.size_of(shard)?.get();
        if index >= size {
            if shard >= open {
                return Ok(Round::Idle);
            }
            judging.files.turn(&digest, shard + 1);
            return Ok(Round::Done);
        }
        let reached = match self.judge().when {
            When::Received => size,
            When::Anchored => desk.anchors().last(shard).unwrap_or(0).min(size),
        };
        let end = reached.min((index / CHUNK + 1) * CHUNK);
        if index >= end {
            return Ok(Round::Idle);
        }
        let _turn = judging.turn.read().unwrap_or_else(PoisonError::into_inner);
        let (mut rows, mut at, mut failed) = (Vec::new(), index, None);
        while at < end {
            match self.one(Position { shard, index: at }) {
                Ok(given) => rows.extend(given.map(|given| Row { index: at, given })),
                Err(refusal) => {
                    failed = Some(refusal);
                    break;
                }
            }
            at += 1;
        }
        // What was judged before the one that failed is kept.
        if at > index {
            judging.files.add(&digest, Position { shard, index: at }, rows)?;
        }
        failed.map_or(Ok(Round::Done), Err)
    }

    /// What the pack gives on one entry; nothing on one that was erased.
    fn one(&mut self, position: Position) -> Result<Option<Given>, Refusal> {
        let desk = Arc::clone(&self.desk);
        let stored = match desk.log().stored(position) {
            Err(refusal) if refusal.code == Code::RecordErased => return Ok(None),
            stored => stored?,
        };
        let anchor = match self.judge().when {
            When::Received => None,
            When::Anchored => {
                let (_, anchored) = desk.anchored(position)?.ok_or_else(|| {
                    Refusal::new(Code::NoSuchEntry).needed("an anchor that covers it").found(position.index)
                })?;
                let received_at = BlockTime::new(stored.received_at);
                Some(Anchor::of(&anchored.first, &anchored.proof, received_at)?)
            }
        };
        let facts = match facts::of(stored.record.fields().iter(), anchor.as_ref()) {
            Ok(facts) => facts,
            Err(refusal) => return Ok(Some(self.missing(&refusal))),
        };
        match desk.judging().pool.evaluate(&self.judge().pack, &facts) {
            Ok(verdict) => {
                self.tries = 0;
                desk.judging().numbers()[self.at].given += 1;
                let verdict = desk.judging().sign(&verdict, &stored.entry.to_bytes(), now());
                Ok(Some(Given::Verdict(verdict)))
            }
            Err(aborted) => {
                desk.judging().numbers()[self.at].aborted += 1;
                self.tries += 1;
                let refusal = pool::refusal(&aborted);
                if refusal.code == Code::NoVerdict && self.tries < TRIES {
                    return Err(refusal);
                }
                Ok(Some(self.missing(&refusal)))
            }
        }
    }

    fn missing(&mut self, why: &Refusal) -> Given {
        self.tries = 0;
        self.judging().numbers()[self.at].missing += 1;
        tracing::warn!(pack = self.judge().pack.name, %why, "an entry has no verdict");
        Given::none(now(), why)
    }
}

/// Starts the hands of every pack; with a relay chain, also the one that asks it every `standing`.
pub(crate) fn start(
    desk: &Arc<Desk>,
    chain: Option<(Client, Duration)>,
    stop: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let count = desk.judging().judges().len();
    let hands = (0..count).map(|at| tokio::spawn(judge(Hand::new(desk, at), stop.clone())));
    let mut tasks: Vec<_> = hands.collect();
    if let Some((client, every)) = chain.filter(|_| count > 0) {
        tasks.push(tokio::spawn(ask(Arc::clone(desk), client, every, stop.clone())));
    }
    tasks
}

async fn judge(mut hand: Hand, mut stop: watch::Receiver<bool>) {
    let mut rest = REST;
    loop {
        let round = tokio::task::spawn_blocking(move || {
            let done = hand.round();
            (hand, done)
        });
        let Ok((back, done)) = round.await else { return };
        hand = back;
        let wait = match done {
            Ok(Round::Done) => {
                rest = REST;
                Duration::ZERO
            }
            Ok(Round::Idle) => LOOK,
            Err(refusal) => {
                tracing::warn!(%refusal, "no verdict yet");
                let wait = rest;
                rest = (rest * 2).min(LONGEST);
                wait
            }
        };
        if !pause(wait, &mut stop).await {
            return;
        }
    }
}

async fn ask(desk: Arc<Desk>, client: Client, every: Duration, mut stop: watch::Receiver<bool>) {
    let client = Arc::new(client);
    loop {
        let (desk, client) = (Arc::clone(&desk), Arc::clone(&client));
        let asked = tokio::task::spawn_blocking(move || {
            let judging = desk.judging();
            for judge in judging.judges() {
                if let Err(why) = judging.force.ask(&client, &judge.pack, &judge.digest) {
                    tracing::info!(pack = judge.pack.name, %why, "the pack is not confirmed in force");
                }
            }
        });
        if asked.await.is_err() || !pause(every, &mut stop).await {
            return;
        }
    }
}
