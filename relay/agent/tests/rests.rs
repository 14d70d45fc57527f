//! What a network refused rests before it is tried again, on clocks that the test moves.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

mod world;

use std::sync::Arc;
use world::{InMemory, Network, secret};
use zeugma_agent::client::ZeugmaWorker;
use zeugma_agent::hub::{Hub, Hubs};
use zeugma_agent::metrics::Metrics;
use zeugma_agent::queue::Queue;
use zeugma_agent::submit::Submitter;
use zeugma_ledger::{Message, Outcome, Role};
use zeugma_types::{BlockTime, Code, Span};

const TRUSTING: Span = Span::seconds(300);
/// More than a third of it, so that an update is due; and more than a header may be ahead of the block that takes it.
const AHEAD: Span = Span::seconds(120);

/// A client of `south` on `north`, and its watcher.
struct Watched {
    north: Arc<InMemory>,
    south: Arc<InMemory>,
    worker: ZeugmaWorker,
    submitter: Submitter,
    queue: Arc<Queue>,
    _dir: tempfile::TempDir,
}

impl Watched {
    fn new() -> Self {
        let (mut north, mut south) = (Network::new(1), Network::new(2));
        south.block();
        while north.now() < south.now() {
            north.block();
        }
        let client = north.follow(&south, TRUSTING);
        let (north, south) = (InMemory::new("north", north), InMemory::new("south", south));
        let dir = tempfile::tempdir().unwrap();
        let queue = Arc::new(Queue::open(&dir.path().join("q")).unwrap());
        let metrics = Arc::new(Metrics::default());
        let hub: Arc<dyn Hub> = north.clone();
        let of = Arc::new(Hubs::new("south", vec![south.clone()], || BlockTime::ZERO));
        let worker = ZeugmaWorker::new(hub.clone(), client, of, queue.clone(), metrics.clone());
        let submitter = Submitter::new(hub, secret(Role::Relayer), queue.clone(), metrics);
        Self { north, south, worker, submitter, queue, _dir: dir }
    }

    /// South goes on and north stands: its next block cannot take a header of south's yet. Gives the time there.
    fn south_goes_ahead(&self) -> BlockTime {
        let mut south = self.south.lock();
        south.chain.wait(AHEAD);
        south.block();
        south.now()
    }

    fn tick(&mut self, now: BlockTime) {
        self.worker.tick(now).unwrap();
        self.submitter.tick(now).unwrap();
    }

    /// The watcher asks, a block answers, the watcher hears of it.
    fn round(&mut self, now: BlockTime) {
        self.tick(now);
        self.north.lock().block();
        self.submitter.tick(now).unwrap();
        assert!(self.queue.open_tasks("north").unwrap().is_empty(), "answered, one way or the other");
    }

    fn refused(&self) -> usize {
        let network = self.north.lock();
        for outcome in &network.refused {
            assert!(
                matches!(outcome, Outcome::Refused { refusal, .. } if refusal.code == Code::HeaderAhead),
                "{outcome:?}"
            );
        }
        network.refused.len()
    }

    fn updates(&self) -> usize {
        let network = self.north.lock();
        network.done.iter().filter(|message| matches!(message, Message::UpdateClient(_))).count()
    }
}

#[test]
fn a_refused_update_rests_longer_each_time_before_it_is_tried_again() {
    let mut watched = Watched::new();
    let mut now = watched.south_goes_ahead();
    let later = |now: BlockTime, millis: u64| now.after(Span::millis(millis)).unwrap();
    for (number, rest) in (1..).zip([1_000, 2_000, 4_000, 8_000]) {
        watched.round(now);
        assert_eq!(watched.refused(), number, "it is tried, and once");
        // A rest is shortened by up to half, so that watchers do not come back together.
        for waited in [0, rest / 4, rest / 2] {
            watched.tick(later(now, waited));
            assert!(watched.queue.open_tasks("north").unwrap().is_empty(), "it rests after {waited} ms");
            assert!(watched.north.lock().waiting.is_empty());
        }
        now = later(now, rest);
    }
    assert_eq!(watched.updates(), 0);

    // North has caught up.
    watched.north.lock().chain.wait(AHEAD);
    watched.round(now);
    assert_eq!((watched.refused(), watched.updates()), (4, 1));

    // What succeeded is forgiven: the next refusal's rest is the first again.
    now = watched.south_goes_ahead();
    watched.round(now);
    assert_eq!(watched.refused(), 5);
    watched.tick(later(now, 500));
    assert!(watched.queue.open_tasks("north").unwrap().is_empty());
    watched.round(later(now, 1_000));
    assert_eq!(watched.refused(), 6);
}
