//! Four real nodes, each on a machine with its own disk, and an ear on the wire.
//!
//! The ear is outside: power cuts do not touch it. It notes what every validator signed in every view, over all its
//! runs, and which blocks are final for whoever listened: a finalization certificate was sent, or three finalizing
//! votes from which anyone makes one.

use super::disk::{Cache, Disk, Syncs};
use super::machine::{Death, Machine};
use crate::support::{QUOTA, genesis_of};
use commonware_codec::ReadExt as _;
use commonware_consensus::simplex::types::Proposal;
use commonware_consensus::types::Round;
use commonware_p2p::simulated::{self, Link, Network, Oracle, SplitOrigin};
use commonware_p2p::utils::mux;
use commonware_p2p::{Manager as _, Recipients};
use commonware_runtime::{Clock as _, Handle, IoBuf, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{NZUsize, probability};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeugma_ledger::{Families, Genesis};
use zeugma_node::consensus::{Digest, PublicKey, Scheme};
use zeugma_node::engine::{self, Channels};
use zeugma_node::{NodeHandle, dkg};

/// Validators; three of them are a quorum.
pub const VALIDATORS: usize = 4;
const QUORUM: usize = 3;
const VOTES: u64 = 0;
const CERTIFICATES: u64 = 1;

/// What one validator signed in one view.
#[derive(Default)]
struct Signed {
    notarized: Option<Digest>,
    finalized: Option<Digest>,
    nullified: bool,
}

/// What was heard.
#[derive(Default)]
pub struct Heard {
    signed: BTreeMap<(usize, u64, u64), Signed>,
    finalizing: BTreeMap<(u64, u64, Digest), BTreeSet<usize>>,
    /// Digests of the headers that are final.
    pub finals: BTreeSet<Digest>,
    /// Validators that signed two things of which only one may be signed.
    pub twice: BTreeSet<String>,
}

impl Heard {
    /// `None` when the message is none of the engine's, which nothing follows from.
    fn note(&mut self, place: usize, channel: u64, message: IoBuf) -> Option<()> {
        let (_, mut message) = mux::parse(message).ok()?;
        let kind = u8::read(&mut message).ok()?;
        match (channel, kind) {
            (CERTIFICATES, 2) => {
                let proposal = Proposal::<Digest>::read(&mut message).ok()?;
                self.finals.insert(proposal.payload);
            }
            (VOTES, 0 | 2) => {
                let proposal = Proposal::<Digest>::read(&mut message).ok()?;
                self.vote(place, kind, proposal.round, Some(proposal.payload));
            }
            (VOTES, 1) => self.vote(place, kind, Round::read(&mut message).ok()?, None),
            _ => {}
        }
        Some(())
    }

    fn vote(&mut self, place: usize, kind: u8, round: Round, payload: Option<Digest>) {
        let (epoch, view) = (round.epoch().get(), round.view().get());
        let signed = self.signed.entry((place, epoch, view)).or_default();
        let mut twice = false;
        match (kind, payload) {
            (0, Some(payload)) => {
                twice = signed.notarized.replace(payload).is_some_and(|before| before != payload)
            }
            (_, Some(payload)) => {
                twice = signed.finalized.replace(payload).is_some_and(|before| before != payload);
                let voters = self.finalizing.entry((epoch, view, payload)).or_default();
                voters.insert(place);
                if voters.len() >= QUORUM {
                    self.finals.insert(payload);
                }
            }
            _ => signed.nullified = true,
        }
        // A view is finalized or given up, never both by one validator.
        if twice || signed.nullified && signed.finalized.is_some() {
            self.twice.insert(format!("validator {place} signed twice in epoch {epoch} view {view}"));
        }
    }
}

/// A shared ear.
#[derive(Clone, Default)]
pub struct Ear(Arc<Mutex<Heard>>);

impl Ear {
    pub fn with<T>(&self, look: impl FnOnce(&mut Heard) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One validator.
pub struct Seat {
    key: PublicKey,
    scheme: Scheme,
    /// Its disk, which outlives its programs.
    pub disk: Disk,
    runs: u64,
    running: Option<Running>,
}

struct Running {
    task: Handle<()>,
    handle: NodeHandle,
    death: Death,
}

/// See the module.
pub struct Net {
    pub context: deterministic::Context,
    oracle: Oracle<PublicKey, deterministic::Context>,
    pub genesis: Genesis,
    pub seats: Vec<Seat>,
    pub ear: Ear,
}

impl Net {
    pub async fn new(context: deterministic::Context, seed: u64, epoch_length: u64, syncs: Syncs) -> Self {
        let genesis = genesis_of(VALIDATORS as u8, epoch_length);
        let files = dkg::insecure_dealer(&genesis, [7; 32]).unwrap();
        let members = zeugma_node::members(&genesis).unwrap();
        let config = simulated::Config {
            max_size: engine::max_message(),
            max_peers_per_set: NZUsize!(64),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) = Network::new(context.child("network"), config);
        network.start();
        oracle.manager().track(0, members.clone());
        let link = Link {
            latency: Duration::from_millis(10),
            jitter: Duration::from_millis(8),
            success_rate: probability!(1.0),
        };
        for from in members.iter() {
            for to in members.iter().filter(|to| *to != from) {
                oracle.add_link(from.clone(), to.clone(), link.clone()).await.unwrap();
            }
        }
        let seats = members.iter().zip(&files).zip(0_u64..).map(|((key, file), place)| Seat {
            key: key.clone(),
            scheme: file.scheme(&genesis).unwrap(),
            disk: Disk::new(seed.wrapping_mul(31) + place, syncs),
            runs: 0,
            running: None,
        });
        let seats = seats.collect();
        Self { context, oracle, genesis, seats, ear: Ear::default() }
    }

    /// Starts a node from its disk.
    ///
    /// # Errors
    /// Why it does not start; `None` when its power failed meanwhile.
    pub async fn boot(&mut self, place: usize) -> Result<(), Option<String>> {
        let seat = &mut self.seats[place];
        assert!(seat.running.is_none(), "validator {place} runs already");
        let control = self.oracle.control(seat.key.clone());
        let mut channels = Vec::new();
        for number in 0..Channels::<(), ()>::COUNT {
            let (sender, receiver) = control.register(number, QUOTA).await.unwrap();
            let ear = self.ear.clone();
            let (sender, _) = sender.split_with(
                move |_: SplitOrigin, recipients: &Recipients<PublicKey>, message: &IoBuf| {
                    ear.with(|heard| heard.note(place, number, message.clone()));
                    Some(recipients.clone())
                },
            );
            channels.push((sender, receiver));
        }
        let mut channels = channels.into_iter();
        let mut next = || channels.next().unwrap();
        let channels = Channels {
            votes: next(),
            certificates: next(),
            resolver: next(),
            backfill: next(),
            broadcast: next(),
            gossip: next(),
        };
        let config = engine::Config {
            genesis: self.genesis.clone(),
            scheme: seat.scheme.clone(),
            me: seat.key.clone(),
            peers: self.oracle.manager(),
            blocker: control,
            partition: "node".into(),
            mempool_transactions: 10_000,
            mempool_bytes: 16 << 20,
            cache_pages: 64,
        };
        let context = self.context.child("validator").with_attribute("place", place);
        let (machine, death) = Machine::start(context.with_attribute("run", seat.runs), seat.disk.clone());
        seat.runs += 1;
        let (sender, mut receiver) = futures::channel::oneshot::channel();
        // One task holds the whole node: aborting it ends the program.
        let task = machine.spawn(move |machine| async move {
            match engine::start(machine, config, Families::new(&[]), channels).await {
                Ok((consensus, handle)) => {
                    let _ = sender.send(Ok(handle));
                    let ended = consensus.await;
                    panic!("consensus ended: {ended:?}");
                }
                Err(why) => drop(sender.send(Err(why))),
            }
        });
        let mut why = "it does not start in 60 s".to_owned();
        for _ in 0..6_000 {
            self.context.sleep(Duration::from_millis(10)).await;
            match receiver.try_recv() {
                Ok(Some(Ok(handle))) => {
                    self.seats[place].running = Some(Running { task, handle, death });
                    return Ok(());
                }
                Ok(Some(Err(refused))) => why = refused,
                Ok(None) if death.why().is_some() => why = death.why().unwrap_or_default(),
                Ok(None) if self.seats[place].disk.is_dark() => why.clear(),
                Ok(None) => continue,
                Err(_) => why = death.why().unwrap_or_else(|| "it ended".into()),
            }
            break;
        }
        task.abort();
        let _ = task.await;
        if why.is_empty() { Err(None) } else { Err(Some(why)) }
    }

    /// The power of these fails in one moment.
    pub async fn cut(&mut self, places: &[usize], cache: Cache) {
        let now = self.context.current();
        places.iter().for_each(|place| self.seats[*place].disk.cut(now, cache));
        self.end(places).await;
    }

    /// These programs are killed; their machines go on.
    pub async fn kill(&mut self, places: &[usize]) {
        places.iter().for_each(|place| self.seats[*place].disk.kill());
        self.end(places).await;
    }

    async fn end(&mut self, places: &[usize]) {
        let running = places.iter().filter_map(|place| self.seats[*place].running.take());
        let running: Vec<Running> = running.collect();
        running.iter().for_each(|running| running.task.abort());
        for Running { task, handle, .. } in running {
            drop(handle);
            let _ = task.await;
        }
    }

    /// The nodes that run.
    pub fn up(&self) -> Vec<usize> {
        (0..self.seats.len()).filter(|place| self.seats[*place].running.is_some()).collect()
    }

    pub fn node(&self, place: usize) -> Option<&NodeHandle> {
        self.seats[place].running.as_ref().map(|running| &running.handle)
    }

    /// Why a node that should run ended by itself, if it did.
    pub fn death(&self, place: usize) -> Option<String> {
        let running = self.seats[place].running.as_ref()?;
        running.death.why().or_else(|| running.handle.stopped().borrow().clone())
    }

    /// What `question` answers, or `None` when it does not within a second: a machine without power never does.
    pub async fn ask<T>(&self, question: impl Future<Output = Result<T, zeugma_node::Error>>) -> Option<T> {
        let patience = self.context.sleep(Duration::from_secs(1));
        match futures::future::select(Box::pin(question), Box::pin(patience)).await {
            futures::future::Either::Left((answer, _)) => answer.ok(),
            futures::future::Either::Right(_) => None,
        }
    }

    pub async fn height(&self, place: usize) -> Option<u64> {
        self.ask(self.node(place)?.height()).await.map(|height| height.get())
    }
}
