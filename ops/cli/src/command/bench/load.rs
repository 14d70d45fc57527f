//! Sending to a plan, and hearing what became of it.
//!
//! Open loop: transaction `i` of a rate `r` is due `i / r` seconds after the start, whatever the network does. Several
//! senders take what is due, as many together as one request may hold; when all of them wait for answers, what is due
//! waits too, and its waiting counts as latency. Closed loop: as many are sent as keep the number outstanding.

use super::cpu;
use super::measure::Measured;
use super::network::Target;
use super::payload::{Made, Maker};
use crate::ending::Interrupt;
use crate::failure::Failure;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeugma_client::{Error, Happened};

/// What is due is looked for this often.
const TICK: Duration = Duration::from_millis(2);
/// After the counted seconds, so long for what is still on its way.
const STRAGGLING: Duration = Duration::from_secs(10);
/// A wish to end is noticed within this.
const LOOK: Duration = Duration::from_millis(20);

/// How transactions are sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// So many a second.
    Rate(u32),
    /// So many outstanding.
    Outstanding(u32),
}

/// Bounds of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) warm_up: Duration,
    pub(super) counted: Duration,
    pub(super) batch: usize,
    pub(super) connections: usize,
}

/// What senders and the follower share.
struct Shared<'m> {
    maker: &'m mut Maker,
    /// Made before, where making takes long.
    ready: VecDeque<Made>,
    /// When each that is on its way was due.
    outstanding: HashMap<[u8; 32], Instant>,
    /// How many were taken for sending.
    taken: u64,
    counts: Counts,
    failure: Option<Error>,
}

#[derive(Default)]
struct Counts {
    sent: u64,
    refused: u64,
    done: u64,
    failed: u64,
    blocks: u64,
    latencies: Vec<Duration>,
}

/// The seconds that count.
#[derive(Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

impl Window {
    fn holds(self, time: Instant) -> bool {
        time >= self.begin && time < self.end
    }
}

struct Run<'r, 'm> {
    target: &'r Target,
    pace: Pace,
    bounds: Bounds,
    start: Instant,
    window: Window,
    shared: Mutex<Shared<'m>>,
    /// Nothing more is sent, and nothing more is heard.
    over: AtomicBool,
}

/// Loads the target and gives what it carried.
pub(super) fn run(
    target: &Target,
    maker: &mut Maker,
    pace: Pace,
    bounds: Bounds,
    interrupt: &Interrupt,
) -> Result<Measured, Failure> {
    let ready = ready(maker, pace, bounds);
    let blocks = target.exit.follow_transactions(None);
    let (listening, heard) = std::sync::mpsc::channel();
    // Ahead a little, so that every thread runs when it begins.
    let start = Instant::now() + Duration::from_millis(1_500);
    let begin = start + bounds.warm_up;
    let window = Window { begin, end: begin + bounds.counted };
    let shared = Shared {
        maker,
        ready,
        outstanding: HashMap::new(),
        taken: 0,
        counts: Counts::default(),
        failure: None,
    };
    let run =
        Run { target, pace, bounds, start, window, shared: Mutex::new(shared), over: AtomicBool::new(false) };

    let (cpu, own) = std::thread::scope(|scope| -> Result<(Duration, Duration), Failure> {
        let run = &run;
        scope.spawn(move || run.hear(blocks, &listening));
        // The first block says that the stream is open: an idle network makes one a second.
        let opened = heard.recv_timeout(Duration::from_secs(10));
        let senders = if opened.is_ok() { bounds.connections } else { 0 };
        for _ in 0..senders {
            scope.spawn(move || run.send());
        }
        let measured = run.wait(interrupt);
        run.over.store(true, Ordering::Release);
        measured
    })?;
    let shared = run.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = shared.failure {
        return Err(Failure::client("the load", error));
    }
    let unseen = shared.outstanding.values().filter(|due| window.holds(**due)).count();
    let mut counts = shared.counts;
    counts.latencies.sort_unstable();
    Ok(Measured {
        pace,
        counted: bounds.counted,
        sent: counts.sent,
        refused: counts.refused,
        unseen: u64::try_from(unseen).unwrap_or(u64::MAX),
        done: counts.done,
        failed: counts.failed,
        blocks: counts.blocks,
        latencies: counts.latencies,
        cpu: (!target.processes.is_empty()).then_some(cpu),
        own_cpu: own,
    })
}

/// All transactions of the run, where making one takes long.
fn ready(maker: &mut Maker, pace: Pace, bounds: Bounds) -> VecDeque<Made> {
    let Pace::Rate(rate) = pace else { return VecDeque::new() };
    if !maker.signs() {
        return VecDeque::new();
    }
    let seconds = (bounds.warm_up + bounds.counted).as_secs() + 1;
    (0..seconds * u64::from(rate)).map(|_| maker.make()).collect()
}

impl<'m> Run<'_, 'm> {
    fn shared(&self) -> MutexGuard<'_, Shared<'m>> {
        // What another thread left when it panicked is counts: they are still told.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// How many are due now and not taken, and since when the first of them is.
    fn due(&self, shared: &Shared<'_>, now: Instant) -> u64 {
        match self.pace {
            Pace::Rate(rate) => {
                let passed = now.saturating_duration_since(self.start).min(self.window.end - self.start);
                let planned = passed.as_micros().saturating_mul(rate.into()) / 1_000_000;
                u64::try_from(planned).unwrap_or(u64::MAX).saturating_sub(shared.taken)
            }
            Pace::Outstanding(most) => {
                let out = u64::try_from(shared.outstanding.len()).unwrap_or(u64::MAX);
                u64::from(most).saturating_sub(out)
            }
        }
    }

    /// When transaction `number` was due.
    fn moment(&self, number: u64, now: Instant) -> Instant {
        match self.pace {
            Pace::Rate(rate) => {
                let micros = u128::from(number) * 1_000_000 / u128::from(rate);
                self.start + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
            }
            Pace::Outstanding(_) => now,
        }
    }

    /// Sends what is due until nothing more will be.
    fn send(&self) {
        std::thread::sleep(self.start.saturating_duration_since(Instant::now()));
        while !self.over() {
            let now = Instant::now();
            if now >= self.window.end {
                return;
            }
            let batch = self.take(now);
            if batch.is_empty() {
                std::thread::sleep(TICK);
                continue;
            }
            let bytes: Vec<&[u8]> = batch.iter().map(|made| made.bytes.as_slice()).collect();
            let answer = self.target.entry.submit_all(&bytes);
            let mut shared = self.shared();
            match answer {
                Ok(answer) => {
                    for (number, _) in answer.refused {
                        let gone = shared.outstanding.remove(&batch[number].id);
                        if gone.is_some_and(|due| self.window.holds(due)) {
                            shared.counts.refused += 1;
                        }
                    }
                }
                // The node has too much to do: all of them are refused.
                Err(Error::Declined { status: 503 | 408, .. }) => {
                    for made in &batch {
                        let gone = shared.outstanding.remove(&made.id);
                        if gone.is_some_and(|due| self.window.holds(due)) {
                            shared.counts.refused += 1;
                        }
                    }
                }
                Err(error) => {
                    shared.failure.get_or_insert(error);
                    self.over.store(true, Ordering::Release);
                }
            }
        }
    }

    /// Takes what is due, at most one request of it, and notes that it is on its way.
    fn take(&self, now: Instant) -> Vec<Made> {
        let mut shared = self.shared();
        let due = usize::try_from(self.due(&shared, now)).unwrap_or(usize::MAX).min(self.bounds.batch);
        let mut batch = Vec::with_capacity(due);
        for _ in 0..due {
            let made = match shared.ready.pop_front() {
                Some(made) => made,
                None => shared.maker.make(),
            };
            let moment = self.moment(shared.taken, now);
            shared.taken += 1;
            shared.counts.sent += u64::from(self.window.holds(moment));
            shared.outstanding.insert(made.id, moment);
            batch.push(made);
        }
        batch
    }

    /// Hears of final blocks until the run is over.
    fn hear(&self, blocks: zeugma_client::Follow, listening: &std::sync::mpsc::Sender<()>) {
        for block in blocks {
            let now = Instant::now();
            // Nobody waits for it after the first.
            let _ = listening.send(());
            match block {
                Ok(block) => self.note(&block, now),
                Err(error) => {
                    self.shared().failure.get_or_insert(error);
                    self.over.store(true, Ordering::Release);
                }
            }
            if self.over() {
                return;
            }
        }
    }

    fn note(&self, block: &Happened, now: Instant) {
        let mut shared = self.shared();
        let counts = self.window.holds(now);
        shared.counts.blocks += u64::from(counts);
        for passed in &block.transactions {
            // Another's, or of an earlier run.
            let Some(due) = shared.outstanding.remove(&passed.id) else { continue };
            match passed.done {
                true => {
                    shared.counts.done += u64::from(counts);
                    if self.window.holds(due) {
                        shared.counts.latencies.push(now.saturating_duration_since(due));
                    }
                }
                false => shared.counts.failed += u64::from(counts),
            }
        }
    }

    /// Waits for the counted seconds and for stragglers; gives the time that the nodes and this process used in them.
    fn wait(&self, interrupt: &Interrupt) -> Result<(Duration, Duration), Failure> {
        let own = [std::process::id()];
        let used = || (cpu::used(&self.target.processes), cpu::used(&own));
        self.until(self.window.begin, interrupt, || false)?;
        let before = used();
        self.until(self.window.end, interrupt, || false)?;
        let after = used();
        self.until(self.window.end + STRAGGLING, interrupt, || self.shared().outstanding.is_empty())?;
        Ok((after.0.saturating_sub(before.0), after.1.saturating_sub(before.1)))
    }

    fn until(&self, end: Instant, interrupt: &Interrupt, early: impl Fn() -> bool) -> Result<(), Failure> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.over() || early() {
                return Ok(());
            }
            interrupt.pause(left.min(LOOK))?;
        }
    }
}
