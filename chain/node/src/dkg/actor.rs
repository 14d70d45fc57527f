//! The ceremony's hands: its store, its messages, its clock.

use super::{Ceremony, Error, Message, Outcome, Record, Step};
use crate::consensus::{PublicKey, Runtime};
use commonware_codec::{Decode as _, Encode as _};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_macros::select;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_storage::metadata::{self, Metadata};
use commonware_utils::{ordered::Set, sequence::U64};
use std::num::NonZeroU32;
use std::time::Duration;
use zeugma_types::NetworkId;

/// What a ceremony is told.
pub struct Config {
    /// The network whose key is made: its genesis names the members.
    pub network: NetworkId,
    /// Counts from 1; a ceremony that failed is repeated under the next number, by all.
    pub attempt: u64,
    /// The committee.
    pub members: Set<PublicKey>,
    /// This member.
    pub me: ed25519::PrivateKey,
    /// Prefix of the storage partition.
    pub partition: String,
    /// How often unanswered messages are sent again.
    pub tick: Duration,
    /// How long to go on answering others once the outcome is held.
    pub linger: Duration,
}

type Store<E> = Metadata<E, U64, Vec<u8>>;

const SEED: u64 = 0;
const DEALING: u64 = 1 << 32;
const LOG: u64 = 2 << 32;
const CONFIRMATION: u64 = 3 << 32;
/// Longest stored record, in bytes.
const MAX_RECORD: usize = 1 << 20;

fn stored(error: impl std::fmt::Display) -> Error {
    Error::Stored(error.to_string())
}

/// Runs one ceremony to its end, from where an earlier run of the same attempt left it. It never gives up on a silent
/// member; whoever starts it decides how long to wait.
///
/// # Errors
/// Why there is no key.
pub async fn run<E, S, R>(
    mut context: E,
    config: Config,
    (mut sender, mut receiver): (S, R),
) -> Result<Outcome, Error>
where
    E: Runtime,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let count = u32::try_from(config.members.len()).ok().and_then(NonZeroU32::new).ok_or(Error::TooFew(0))?;
    let partition = format!("{}-{}", config.partition, config.attempt);
    let codec_config = ((0..=MAX_RECORD).into(), ());
    let mut store: Store<E> =
        Metadata::init(context.child("store"), metadata::Config { partition, codec_config })
            .await
            .map_err(stored)?;
    // The seed is durable before anything is dealt from it: a restart deals the same shares.
    let seed: [u8; 32] = match store.get(&U64::new(SEED)) {
        Some(seed) => seed.as_slice().try_into().map_err(|_| stored("seed"))?,
        None => {
            let mut seed = [0_u8; 32];
            rand_core::Rng::fill_bytes(&mut context, &mut seed);
            store = store.put_sync(U64::new(SEED), seed.to_vec()).await.map_err(stored)?;
            seed
        }
    };
    let mut records = Vec::new();
    for (place, member) in (0_u64..).zip(config.members.iter()) {
        if let Some(bytes) = store.get(&U64::new(DEALING + place)) {
            records.push(Record::Dealing(member.clone(), bytes.clone()));
        }
        if let Some(bytes) = store.get(&U64::new(LOG + place)) {
            records.push(Record::Log(member.clone(), bytes.clone()));
        }
        if let Some(bytes) = store.get(&U64::new(CONFIRMATION + place)) {
            records.push(Record::Confirmation(member.clone(), bytes.clone()));
        }
    }
    let mut ceremony = Ceremony::new(
        &config.network,
        config.attempt,
        config.members.clone(),
        config.me.clone(),
        seed,
        records,
    )?;
    tracing::info!(member = %config.me.public_key(), attempt = config.attempt, "key generation begins");
    let mut step = Step::default();
    ceremony.advance(&mut context, &mut step)?;
    store = save(store, &config.members, step.save).await?;
    let mut next = context.current();
    let mut until = None;
    loop {
        if ceremony.done() {
            let deadline = *until.get_or_insert(context.current() + config.linger);
            if ceremony.settled() || context.current() >= deadline {
                break;
            }
        }
        if context.current() >= next {
            tell(&ceremony, &mut sender);
            next = context.current() + config.tick;
        }
        let received = select! {
            _ = context.sleep_until(next) => continue,
            message = receiver.recv() => message,
        };
        let Ok((from, bytes)) = received else {
            let missing: Vec<_> = ceremony.missing().iter().map(ToString::to_string).collect();
            return Err(Error::Closed(missing.join(", ")));
        };
        let Ok(message) = Message::decode_cfg(bytes, &count) else { continue };
        let was_done = ceremony.done();
        let step = ceremony.receive(&mut context, &from, message)?;
        let progressed = !step.save.is_empty() || ceremony.done() != was_done;
        // Records first, then the reply: a crash in between costs one repeated message.
        store = save(store, &config.members, step.save).await?;
        if let Some(reply) = step.reply {
            sender.send(Recipients::One(from), reply.encode(), true);
        }
        if progressed {
            next = context.current();
        }
    }
    // The others may still lack our last word.
    tell(&ceremony, &mut sender);
    drop(store);
    Ok(ceremony.outcome().expect("the loop ends only once all confirmed"))
}

fn tell<S: Sender<PublicKey = PublicKey>>(ceremony: &Ceremony, sender: &mut S) {
    for (to, message) in ceremony.outgoing() {
        sender.send(Recipients::One(to), message.encode(), true);
    }
}

async fn save<E: Runtime>(
    mut store: Store<E>,
    members: &Set<PublicKey>,
    records: Vec<Record>,
) -> Result<Store<E>, Error> {
    if records.is_empty() {
        return Ok(store);
    }
    for record in records {
        let (base, member, bytes) = match record {
            Record::Dealing(member, bytes) => (DEALING, member, bytes),
            Record::Log(member, bytes) => (LOG, member, bytes),
            Record::Confirmation(member, bytes) => (CONFIRMATION, member, bytes),
        };
        let place = members.position(&member).ok_or_else(|| stored("a record of no member"))?;
        store.put(U64::new(base + place as u64), bytes);
    }
    store.sync().await.map_err(stored)
}
