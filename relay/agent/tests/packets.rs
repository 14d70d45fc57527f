//! Packets between two networks in memory, whose ledgers are the real one: delivered, acknowledged, closed by timeout;
//! and the agent killed between any two of its calls.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use world::{Fuse, Fused, InMemory, Network, secret};
use zeugma_agent::client::ZeugmaWorker;
use zeugma_agent::hub::{Hub, Hubs};
use zeugma_agent::metrics::Metrics;
use zeugma_agent::queue::{Queue, Work};
use zeugma_agent::route::{Bounds, End, Route};
use zeugma_agent::submit::Submitter;
use zeugma_ledger::bounded::Bytes;
use zeugma_ledger::tx::Opaque;
use zeugma_ledger::{Event, Message, Role};
use zeugma_types::{BlockTime, ClientId, Span};

const BOUNDS: Bounds = Bounds { messages: 20, bytes: 200_000 };

struct Pair {
    a: Network,
    b: Network,
    client: ClientId,
}

/// Two networks that follow each other.
fn pair() -> Pair {
    let (mut a, mut b) = (Network::new(1), Network::new(2));
    a.block();
    b.block();
    let client = a.follow(&b, Span::seconds(3_600));
    // A client is not started from a header of the future.
    while b.now() < a.now() {
        b.block();
    }
    assert_eq!(b.follow(&a, Span::seconds(3_600)), client);
    Pair { a, b, client }
}

/// An agent between two hubs, driven by hand.
struct Driven {
    submitters: Vec<Submitter>,
    workers: Vec<ZeugmaWorker>,
    route: Route,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
}

fn agent(path: &Path, hubs: [Arc<dyn Hub>; 2], client: &ClientId) -> Driven {
    let queue = Arc::new(Queue::open(path).unwrap());
    let metrics = Arc::new(Metrics::default());
    let share = || (Arc::clone(&queue), Arc::clone(&metrics));
    let submitter = |hub: &Arc<dyn Hub>| {
        let (queue, metrics) = share();
        Submitter::new(Arc::clone(hub), secret(Role::Relayer), queue, metrics)
    };
    let worker = |own: &Arc<dyn Hub>, other: &Arc<dyn Hub>| {
        let (queue, metrics) = share();
        let of = Arc::new(Hubs::new(other.name(), vec![Arc::clone(other)], || BlockTime::ZERO));
        ZeugmaWorker::new(Arc::clone(own), client.clone(), of, queue, metrics)
    };
    let end = |hub: &Arc<dyn Hub>| End { hub: Arc::clone(hub), client: client.clone() };
    let (shared, metrics_of_route) = share();
    Driven {
        submitters: hubs.iter().map(submitter).collect(),
        workers: vec![worker(&hubs[0], &hubs[1]), worker(&hubs[1], &hubs[0])],
        route: Route::new("r", [end(&hubs[0]), end(&hubs[1])], shared, metrics_of_route, BOUNDS),
        queue,
        metrics,
    }
}

impl Driven {
    /// One round of every worker. What fails is tried again in the next.
    fn tick(&mut self, now: BlockTime) -> Vec<String> {
        let mut failed = Vec::new();
        failed.extend(self.workers.iter().filter_map(|worker| worker.tick(now).err()));
        failed.extend(self.route.tick(now).err());
        failed.extend(self.submitters.iter_mut().filter_map(|submitter| submitter.tick(now).err()));
        failed.iter().map(ToString::to_string).collect()
    }
}

fn blocks(a: &InMemory, b: &InMemory) {
    a.lock().block();
    b.lock().block();
}

fn now(a: &InMemory, b: &InMemory) -> BlockTime {
    let (a, b) = (a.lock().now(), b.lock().now());
    a.max(b)
}

fn received(event: &Event) -> bool {
    matches!(event, Event::PacketReceived(_))
}

fn acknowledged(event: &Event) -> bool {
    matches!(event, Event::PacketAcknowledged(_))
}

fn closed(event: &Event) -> bool {
    matches!(event, Event::PacketClosed(_))
}

fn timed_out(event: &Event) -> bool {
    matches!(event, Event::PacketTimedOut(_))
}

fn line(metrics: &Metrics, now: BlockTime, start: &str) -> i64 {
    let text = metrics.text(now);
    let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn packets_are_delivered_both_ways_in_batches_and_one_is_closed_by_timeout() {
    let mut pair = pair();
    for number in 0..5 {
        pair.a.send(&pair.client, 3_000, &format!("to b {number}"));
        pair.b.send(&pair.client, 3_000, &format!("to a {number}"));
    }
    // Its time is over before the agent starts.
    pair.a.send(&pair.client, 2, "too late");
    for _ in 0..4 {
        pair.a.block();
        pair.b.block();
    }
    let (a, b) = (InMemory::new("north", pair.a), InMemory::new("south", pair.b));
    let dir = tempfile::tempdir().unwrap();
    let mut agent = agent(&dir.path().join("q"), [a.clone(), b.clone()], &pair.client);
    let start = now(&a, &b);
    agent.tick(start);
    assert!(line(&agent.metrics, start, "zeugma_relay_oldest_open_packet_seconds{route=\"r/a-to-b\"}") >= 4);
    let mut rounds = 0;
    while a.lock().count(acknowledged) < 5
        || b.lock().count(acknowledged) < 5
        || a.lock().count(timed_out) < 1
    {
        blocks(&a, &b);
        let failed = agent.tick(now(&a, &b));
        assert!(failed.is_empty(), "{failed:?}");
        rounds += 1;
        assert!(rounds < 30, "packets are stuck: {:?} {:?}", a.lock().refused, b.lock().refused);
    }
    assert_eq!((a.lock().count(received), b.lock().count(received)), (5, 5));
    assert_eq!((a.lock().count(closed), b.lock().count(closed)), (0, 1));
    assert_eq!((a.lock().count(timed_out), b.lock().count(timed_out)), (1, 0));
    assert!(a.lock().refused.is_empty() && b.lock().refused.is_empty(), "nothing was refused");
    // One transaction and one update for all that was due at once.
    let updates = |network: &InMemory| {
        network.lock().done.iter().filter(|message| matches!(message, Message::UpdateClient(_))).count()
    };
    assert!(updates(&b) <= 3, "{} updates for eleven packets", updates(&b));

    blocks(&a, &b);
    let end = now(&a, &b);
    assert!(agent.tick(end).is_empty());
    for side in ["a-to-b", "b-to-a"] {
        let open = format!("zeugma_relay_open_packets{{route=\"r/{side}\"}}");
        assert_eq!(line(&agent.metrics, end, &open), 0);
    }
    assert_eq!(line(&agent.metrics, end, "zeugma_relay_client_frozen{chain=\"north\""), 0);
    println!("eleven packets in {rounds} rounds; {} + {} updates", updates(&a), updates(&b));
}

#[test]
fn a_client_is_refreshed_at_a_third_of_its_trusting_period_and_not_before() {
    let mut pair = pair();
    let client = pair.client.clone();
    for network in [&mut pair.a, &mut pair.b] {
        network.chain.wait(Span::seconds(1_100));
        network.block();
    }
    let (a, b) = (InMemory::new("north", pair.a), InMemory::new("south", pair.b));
    let dir = tempfile::tempdir().unwrap();
    let mut agent = agent(&dir.path().join("q"), [a.clone(), b.clone()], &client);
    assert!(agent.tick(now(&a, &b)).is_empty());
    assert!(agent.queue.tasks().unwrap().is_empty(), "1100 seconds are less than a third of 3600");
    a.lock().chain.wait(Span::seconds(101));
    b.lock().chain.wait(Span::seconds(101));
    blocks(&a, &b);
    let at = now(&a, &b);
    assert!(agent.tick(at).is_empty());
    let name = "zeugma_relay_client_expires_in_seconds{chain=\"north\",client=\"zeugma-0\"}";
    assert!(line(&agent.metrics, at, name) <= 2_400);
    blocks(&a, &b);
    blocks(&a, &b);
    let at = now(&a, &b);
    assert!(agent.tick(at).is_empty());
    assert!(line(&agent.metrics, at, name) > 3_590, "refreshed");
    assert_eq!(a.lock().count(|event| matches!(event, Event::ClientUpdated(_))), 1);
}

#[test]
fn two_certified_headers_of_one_height_freeze_the_client() {
    let mut pair = pair();
    let client = pair.client.clone();
    let mut fork = pair.b.clone();
    pair.b.send(&client, 1_000, "one history");
    fork.send(&client, 1_000, "another");
    let (a, b) = (InMemory::new("north", pair.a), InMemory::new("south", pair.b));
    let twin = InMemory::new("south", fork);
    let dir = tempfile::tempdir().unwrap();
    let queue = Arc::new(Queue::open(&dir.path().join("q")).unwrap());
    let metrics = Arc::new(Metrics::default());
    let of = Arc::new(Hubs::new("south", vec![b.clone() as Arc<dyn Hub>, twin], || BlockTime::ZERO));
    let watcher = ZeugmaWorker::new(a.clone(), client, of, Arc::clone(&queue), Arc::clone(&metrics));
    let mut submitter = Submitter::new(a.clone(), secret(Role::Relayer), queue, Arc::clone(&metrics));
    let at = now(&a, &b);
    watcher.tick(at).unwrap();
    submitter.tick(at).unwrap();
    a.lock().block();
    submitter.tick(now(&a, &b)).unwrap();
    assert_eq!(a.lock().count(|event| matches!(event, Event::ClientFrozen(_))), 1);
    watcher.tick(now(&a, &b)).unwrap();
    assert_eq!(line(&metrics, at, "zeugma_relay_client_frozen{chain=\"north\""), 1);
    assert_eq!(line(&metrics, at, "zeugma_relay_misbehaviour_total{chain=\"south\"}"), 1);
}

/// A wish whose effect the ledger does not make idempotent: each transaction with it counts.
fn wish() -> Work {
    let message = Message::Opaque(Opaque { payload: Bytes::new(*b"exactly once").unwrap() });
    Work { claim: "wish".into(), message }
}

fn wishes(network: &InMemory) -> usize {
    network.lock().done.iter().filter(|message| matches!(message, Message::Opaque(_))).count()
}

#[test]
fn a_kill_between_any_two_calls_loses_nothing_and_repeats_nothing() {
    let mut ready = pair();
    ready.a.send(&ready.client, 3_000, "in time");
    ready.b.send(&ready.client, 2, "too late");
    for _ in 0..4 {
        ready.a.block();
        ready.b.block();
    }
    // Most of the time is spent waiting for the disk to sync: several lives at once.
    let (next, end) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let boundary = next.fetch_add(1, Ordering::Relaxed);
                    if boundary >= end.load(Ordering::Relaxed) {
                        return;
                    }
                    if !life(&ready, boundary) {
                        end.fetch_min(boundary, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let kills = end.load(Ordering::Relaxed);
    assert!(kills > 100, "only {kills} boundaries: the fuse was not in the way");
    println!("killed at each of {kills} boundaries");
}

/// One life of an agent that is killed at a boundary; says whether it lived that long.
fn life(ready: &Pair, boundary: u64) -> bool {
    let (a, b) = (InMemory::new("north", ready.a.clone()), InMemory::new("south", ready.b.clone()));
    let dir = tempfile::tempdir().unwrap();
    let mut path = dir.path().join("q0");
    {
        let queue = Queue::open(&path).unwrap();
        assert!(queue.push("north", vec![wish()]).unwrap());
    }
    let mut fuse = Fuse::at(boundary);
    let mut alive = start(&path, &a, &b, &fuse, &ready.client);
    let mut dead = Vec::new();
    let mut rounds = 0;
    let over = |a: &InMemory, b: &InMemory| {
        a.lock().count(acknowledged) == 1 && b.lock().count(timed_out) == 1 && wishes(a) == 1
    };
    // Three more rounds than needed, for whatever would be done twice.
    let mut more = 3;
    while more > 0 {
        if over(&a, &b) {
            more -= 1;
        }
        let failed = alive.tick(now(&a, &b));
        if fuse.is_blown() && dead.is_empty() {
            // What a kill leaves is the file as it is, not as it would be closed.
            let left: PathBuf = dir.path().join("q1");
            std::fs::copy(&path, &left).unwrap();
            path = left;
            fuse = Fuse::at(u64::MAX);
            dead.push(std::mem::replace(&mut alive, start(&path, &a, &b, &fuse, &ready.client)));
        } else {
            assert!(failed.is_empty(), "boundary {boundary}: {failed:?}");
        }
        blocks(&a, &b);
        rounds += 1;
        assert!(rounds < 40, "boundary {boundary}: stuck; {:?} {:?}", a.lock().refused, b.lock().refused);
    }
    assert_eq!(wishes(&a), 1, "boundary {boundary}");
    for (network, seen) in
        [(&a, acknowledged as fn(&Event) -> bool), (&b, received), (&a, closed), (&b, timed_out)]
    {
        assert_eq!(network.lock().count(seen), 1, "boundary {boundary}");
    }
    for hub in ["north", "south"] {
        assert!(alive.queue.open_tasks(hub).unwrap().is_empty(), "boundary {boundary}: a task is still open");
    }
    !dead.is_empty()
}

fn start(path: &Path, a: &Arc<InMemory>, b: &Arc<InMemory>, fuse: &Arc<Fuse>, client: &ClientId) -> Driven {
    let fused = |hub: &Arc<InMemory>| -> Arc<dyn Hub> {
        Arc::new(Fused { hub: Arc::clone(hub), fuse: Arc::clone(fuse) })
    };
    agent(path, [fused(a), fused(b)], client)
}

#[test]
fn a_transaction_that_a_node_forgot_is_sent_again_and_a_sequence_that_another_used_is_read_again() {
    let pair = pair();
    let (a, b) = (InMemory::new("north", pair.a), InMemory::new("south", pair.b));
    let dir = tempfile::tempdir().unwrap();
    let mut agent = agent(&dir.path().join("q"), [a.clone(), b.clone()], &pair.client);
    assert!(agent.queue.push("north", vec![wish()]).unwrap());
    assert!(agent.tick(now(&a, &b)).is_empty());
    assert_eq!(a.lock().waiting.len(), 1);
    // The node restarts and forgets what waited.
    a.lock().waiting.clear();
    for _ in 0..6 {
        blocks(&a, &b);
        assert!(agent.tick(now(&a, &b)).is_empty());
    }
    assert_eq!(wishes(&a), 1);

    // Somebody else uses the next sequence of the same key before the agent's transaction is in a block.
    assert!(agent.queue.push("north", vec![wish()]).unwrap());
    assert!(agent.tick(now(&a, &b)).is_empty());
    {
        let mut network = a.lock();
        network.waiting.clear();
        network.run(Role::Relayer, Opaque { payload: Bytes::new(*b"another").unwrap() });
    }
    for _ in 0..10 {
        blocks(&a, &b);
        assert!(agent.tick(now(&a, &b)).is_empty());
    }
    assert_eq!(wishes(&a), 3, "the other's, and both of ours");
    assert!(agent.queue.open_tasks("north").unwrap().is_empty());
    let at = now(&a, &b);
    assert_eq!(
        line(&agent.metrics, at, "zeugma_relay_submissions_total{chain=\"north\",result=\"signed-anew\"}"),
        1
    );
}
