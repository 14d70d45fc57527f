//! A network of real nodes on the deterministic runtime and the simulated network.
//!
//! Every node begins through [`engine::start`], the one way a node begins, inside one task: aborting it is a
//! crash, and what the node had not synced is gone. Senders pass through the [`Tap`]; those of twins also through
//! the split between the two halves that they tell different stories. A bug is planted from outside the node where
//! that can be done: in the key, in the families, in what is lost at a crash, in what stands beside it.

use crate::genesis::genesis;
use crate::lax;
use crate::plan::{Plan, Villain, Weather};
use crate::planted::{BelievesRetired, Planted};
use crate::tap::{CERTIFICATES, Tap, VOTES};
use crate::villain;
use commonware_p2p::simulated::{self, Link, Network, Oracle, SplitForwarder, SplitOrigin, SplitTarget};
use commonware_p2p::{Manager as _, Recipients};
use commonware_runtime::{Handle, IoBuf, Quota, Spawner as _, Storage as _, Supervisor as _, deterministic};
use commonware_utils::{NZU32, NZUsize, probability};
use futures::channel::mpsc::{UnboundedSender, unbounded};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use zeugma_adapter_core::{Adapter, Of};
use zeugma_adapter_zeugma::Zeugma;
use zeugma_ledger::{Families, Genesis};
use zeugma_node::consensus::{PublicKey, Scheme};
use zeugma_node::engine::{self, Channels};
use zeugma_node::{NodeHandle, dkg};
use zeugma_proof::Committee;

/// Messages of one peer and channel in a second, as in production. The engine makes room for a second of all peers.
pub const QUOTA: Quota = Quota::per_second(NZU32!(512));

static ZEUGMA: Of<Zeugma> = Of::new();
static FAMILIES: [&dyn Adapter; 1] = [&ZEUGMA];
static BROKEN: Of<BelievesRetired> = Of::new();
static BROKEN_FAMILIES: [&dyn Adapter; 1] = [&BROKEN];

/// The families that every node follows.
fn families(planted: Planted) -> Families<'static> {
    let table = if planted == Planted::RetiredKeyAccepted { &BROKEN_FAMILIES } else { &FAMILIES };
    Families::new(table).with_planted(planted.in_ledger())
}

/// One validator.
pub struct Seat {
    /// Its key.
    pub key: PublicKey,
    scheme: Scheme,
    runs: u64,
    running: Option<Running>,
}

struct Running {
    tasks: Vec<Handle<()>>,
    handle: NodeHandle,
}

/// The two halves of the others that twins tell different stories.
type Halves = Option<Arc<[BTreeSet<PublicKey>; 2]>>;

/// See the module.
pub struct Net {
    /// The runtime.
    pub context: deterministic::Context,
    /// The hands on the links.
    pub oracle: Oracle<PublicKey, deterministic::Context>,
    /// The genesis.
    pub genesis: Genesis,
    /// The committee with the group key.
    pub committee: Committee,
    /// The validators, by place.
    pub seats: Vec<Seat>,
    /// What is overheard.
    pub tap: Tap,
    /// The seed of the run.
    pub seed: u64,
    /// The bug that every honest node has.
    pub planted: Planted,
    weather: Weather,
    split: BTreeSet<usize>,
}

/// Listens to a sender, and sends what one of twins says to its own half only.
fn forwarder(
    tap: Tap,
    place: usize,
    channel: u64,
    halves: Halves,
    beside: Option<UnboundedSender<IoBuf>>,
) -> impl SplitForwarder<PublicKey> {
    move |origin: SplitOrigin, recipients: &Recipients<PublicKey>, message: &IoBuf| {
        tap.hear(place, channel, message);
        if let Some(beside) = &beside {
            // What stands beside a node ends with it.
            let _ = beside.unbounded_send(message.clone());
        }
        let Some(halves) = &halves else { return Some(recipients.clone()) };
        let half = match origin {
            SplitOrigin::Primary => &halves[0],
            SplitOrigin::Secondary => &halves[1],
        };
        let chosen: Vec<PublicKey> = match recipients {
            Recipients::All => half.iter().cloned().collect(),
            Recipients::Some(some) => some.iter().filter(|key| half.contains(*key)).cloned().collect(),
            Recipients::One(one) => half.get(one).cloned().into_iter().collect(),
        };
        Some(Recipients::Some(chosen))
    }
}

impl Net {
    /// The network of a plan, with fair links and nobody running.
    pub async fn new(context: deterministic::Context, plan: &Plan, planted: Planted) -> Self {
        let genesis = genesis(plan.validators, plan.epoch_length);
        let files = dkg::insecure_dealer(&genesis, [7; 32]).expect("a key is dealt to distinct validators");
        let members = zeugma_node::members(&genesis).expect("the genesis names Ed25519 keys");
        let config = simulated::Config {
            max_size: engine::max_message(),
            max_peers_per_set: NonZeroUsize::new(plan.validators).expect("a network has validators"),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) = Network::new(context.child("network"), config);
        network.start();
        let _ = oracle.manager().track(0, members.clone());
        let seats = members.iter().zip(&files).map(|(key, file)| {
            let scheme = file.scheme(&genesis).expect("the dealer's files are of this genesis");
            Seat { key: key.clone(), scheme, runs: 0, running: None }
        });
        let seats = seats.collect();
        let committee = files[0].committee(&genesis).expect("the dealer's files are of this genesis");
        let mut net = Self {
            context,
            oracle,
            genesis,
            committee,
            seats,
            tap: Tap::default(),
            seed: plan.seed,
            planted,
            weather: plan.weather,
            split: BTreeSet::new(),
        };
        net.link().await;
        net
    }

    /// Starts the validator at `place` as its plan has it.
    pub async fn start(&mut self, place: usize, plan: &Plan) {
        match plan.villains.get(&place) {
            None => self.boot(place).await,
            Some(Villain::Silent) => {}
            Some(Villain::Garbage) => villain::start(self, place, false).await,
            Some(Villain::Flood) => villain::start(self, place, true).await,
            Some(Villain::Twins) => {
                let others = (0..self.seats.len()).filter(|other| *other != place);
                let (even, odd) = others
                    .partition(|other| (*other + usize::from(self.seed.is_multiple_of(2))).is_multiple_of(2));
                self.boot_twins(place, [even, odd]).await;
            }
        }
    }

    /// Boots an honest node from its storage.
    pub async fn boot(&mut self, place: usize) {
        assert!(self.seats[place].running.is_none(), "validator {place} runs already");
        let control = self.oracle.control(self.seats[place].key.clone());
        let mut channels = Vec::new();
        let (said, heard) = unbounded();
        let mut heard = (self.planted == Planted::QuorumMinusOne).then_some(heard);
        let mut beside = None;
        for number in 0..Channels::<(), ()>::COUNT {
            let registered = control.register(number, QUOTA).await;
            let (sender, mut receiver) = registered.expect("the simulated network runs");
            let votes = (heard.is_some() && number == VOTES).then(|| said.clone());
            if let Some(said) = votes.clone() {
                let context = self.context.child("votes").with_attribute("place", place);
                (receiver, _) = receiver.split_with(context, move |(_, message): &(_, IoBuf)| {
                    let _ = said.unbounded_send(message.clone());
                    SplitTarget::Primary
                });
            }
            let forward = forwarder(self.tap.clone(), place, number, None, votes);
            let (sender, second) = sender.split_with(forward);
            if number == CERTIFICATES
                && let Some(heard) = heard.take()
            {
                let schemes = self.seats.iter().map(|seat| seat.scheme.clone()).collect();
                let context = self.context.child("lax").with_attribute("place", place);
                beside = Some(context.spawn(move |_| lax::certify(schemes, heard, second)));
            }
            channels.push((sender, receiver));
        }
        let mut running = self.spawn(place, "", channels).await;
        running.tasks.extend(beside);
        self.seats[place].running = Some(running);
    }

    /// Boots two nodes under one key and share; each hears and speaks to its own half of the others.
    pub async fn boot_twins(&mut self, place: usize, halves: [Vec<usize>; 2]) {
        let keys = |half: &Vec<usize>| half.iter().map(|other| self.seats[*other].key.clone()).collect();
        let halves: Arc<[BTreeSet<PublicKey>; 2]> = Arc::new([keys(&halves[0]), keys(&halves[1])]);
        let control = self.oracle.control(self.seats[place].key.clone());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for number in 0..Channels::<(), ()>::COUNT {
            let registered = control.register(number, QUOTA).await;
            let (sender, receiver) = registered.expect("the simulated network runs");
            let split = forwarder(self.tap.clone(), place, number, Some(Arc::clone(&halves)), None);
            let senders = sender.split_with(split);
            let to = Arc::clone(&halves);
            let context =
                self.context.child("twins").with_attribute("place", place).with_attribute("channel", number);
            let receivers = receiver.split_with(context, move |(from, _)| {
                match (to[0].contains(from), to[1].contains(from)) {
                    (true, true) => SplitTarget::Both,
                    (true, false) => SplitTarget::Primary,
                    (false, true) => SplitTarget::Secondary,
                    (false, false) => SplitTarget::None,
                }
            });
            first.push((senders.0, receivers.0));
            second.push((senders.1, receivers.1));
        }
        let mut running = self.spawn(place, "-first", first).await;
        let other = self.spawn(place, "-second", second).await;
        running.tasks.extend(other.tasks);
        self.seats[place].running = Some(running);
    }

    async fn spawn<S, R>(&mut self, place: usize, suffix: &str, channels: Vec<(S, R)>) -> Running
    where
        S: commonware_p2p::Sender<PublicKey = PublicKey>,
        R: commonware_p2p::Receiver<PublicKey = PublicKey>,
    {
        let mut channels = channels.into_iter();
        let mut next = || channels.next().expect("one for each channel of a node");
        let channels = Channels {
            votes: next(),
            certificates: next(),
            resolver: next(),
            backfill: next(),
            broadcast: next(),
            gossip: next(),
        };
        let seat = &mut self.seats[place];
        let config = engine::Config {
            genesis: self.genesis.clone(),
            scheme: seat.scheme.clone(),
            me: seat.key.clone(),
            peers: self.oracle.manager(),
            blocker: self.oracle.control(seat.key.clone()),
            partition: partition(place, suffix),
            mempool_transactions: 10_000,
            mempool_bytes: 16 << 20,
            cache_pages: 64,
        };
        let context = self.context.child("validator").with_attribute("place", place);
        let context = context.with_attribute("run", seat.runs);
        let families = families(self.planted);
        seat.runs += 1;
        let (sender, receiver) = futures::channel::oneshot::channel();
        let task = context.spawn(move |context| async move {
            let started = engine::start(context, config, families, channels).await;
            let (consensus, handle) = started.expect("a node starts from its own storage");
            // The run may have ended meanwhile.
            let _ = sender.send(handle);
            let _ = consensus.await;
        });
        Running { tasks: vec![task], handle: receiver.await.expect("a node starts") }
    }

    /// Ends a node at whatever it does.
    pub async fn crash(&mut self, place: usize) {
        let Some(Running { tasks, handle }) = self.seats[place].running.take() else { return };
        drop(handle);
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            let _ = task.await;
        }
    }

    /// Forgets the votes of a node that does not run, as if they had never been synced.
    pub async fn forget_votes(&mut self, place: usize) {
        for epoch in 0..64 {
            // Epochs that it did not see have no partition.
            let _ = self.context.remove(&format!("{}-simplex-{epoch}", partition(place, "")), None).await;
        }
    }

    /// The handle of a validator that runs.
    #[must_use]
    pub fn node(&self, place: usize) -> Option<&NodeHandle> {
        self.seats[place].running.as_ref().map(|running| &running.handle)
    }

    /// How often validators started beyond the first time.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.seats.iter().map(|seat| seat.runs.saturating_sub(1)).sum()
    }

    /// Changes the links.
    pub async fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
        self.link().await;
    }

    /// Lets these hear only each other, and the others too; an empty side joins all again.
    pub async fn partition(&mut self, side: BTreeSet<usize>) {
        self.split = side;
        self.link().await;
    }

    /// Cuts two validators off from each other, until the next change of the links.
    pub async fn cut(&mut self, one: usize, other: usize) {
        for (from, to) in [(one, other), (other, one)] {
            let (from, to) = (self.seats[from].key.clone(), self.seats[to].key.clone());
            self.oracle.remove_link(from, to).await.expect("fair links are there");
        }
    }

    async fn link(&mut self) {
        let loss = self.weather.loss;
        let rate = match loss {
            0 => probability!(1.0),
            1..=20 => probability!(0.98),
            _ => probability!(0.9),
        };
        let link = Link {
            latency: Duration::from_millis(self.weather.latency),
            jitter: Duration::from_millis(self.weather.jitter),
            success_rate: rate,
        };
        for from in 0..self.seats.len() {
            for to in (0..self.seats.len()).filter(|to| *to != from) {
                let (one, other) = (self.seats[from].key.clone(), self.seats[to].key.clone());
                // A link that is not there is as good as removed.
                let _ = self.oracle.remove_link(one.clone(), other.clone()).await;
                if self.split.contains(&from) == self.split.contains(&to) {
                    let linked = self.oracle.add_link(one, other, link.clone()).await;
                    linked.expect("both ends are validators");
                }
            }
        }
    }
}

fn partition(place: usize, suffix: &str) -> String {
    format!("v{place}{suffix}")
}
