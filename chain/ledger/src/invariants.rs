//! What holds of every state, and between a state and a later one, as functions for tests, simulations and
//! a doctor's look at a store.
//!
//! | rule | of a state |
//! |---|---|
//! | S1 | an acknowledgement stands only beside a receipt that says received |
//! | S2 | a packet of ours that is open has a sequence below the next one |
//! | S3 | a packet whose answer comes later and the packet it waits for name each other; the first has no acknowledgement, the second is open |
//! | S4 | the trusted states of a client are exactly those its record lists |
//! | S5 | a client has a record, a route and a next sequence, or none of them |
//! | S6 | the governors counted are the accounts that are governors, and enough |
//! | S7 | entries in force stand once, in their bucket, in order; changes that wait stand in order |
//! | S8 | of every asset, what accounts hold, what is in escrow and what packets that are held brought is together what came in |
//! | S9 | a packet that is held was received, has no acknowledgement and awaits no other; it can be released before its timeout, and stands in its route's list; what the transfer application holds is of such packets, one each |
//!
//! | rule | between a state and a later one |
//! |---|---|
//! | T1 | a receipt never changes and never goes |
//! | T2 | an acknowledgement never changes and never goes |
//! | T3 | the next sequence never falls, and a packet that was resolved is never open again |
//! | T4 | a sequence that an account used stays used |
//! | T5 | a hold keeps its times while it lasts; a packet received before is never held again |

use crate::account::Account;
use crate::app::transfer;
use crate::gov::{Counters, Parameters, Schedule};
use crate::ibc::{ClientRecord, Held, HeldOf, HeldPacket, Link, Receipt};
use crate::limits::{MAX_PROFILE, STANDING_BUCKETS};
use crate::roles::Role;
use crate::standing::Bucket;
use crate::state::{Key, Slot, Store};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_adapter_core::Client;
use zeugma_crypto::hash::sha256;
use zeugma_types::{ClientId, Decode, Encode, Height, Reader, Refusal, Sequence};

/// A rule that does not hold, with where.
pub type Broken = String;

/// Checks S1 to S9.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(state: &Store) -> Result<(), Broken> {
    packets(state)?;
    clients(state)?;
    governors(state)?;
    orders(state)?;
    let room = Slot::Application(transfer::NUMBER, &[]).key();
    transfer::check(state, room.as_bytes()).map_err(|broken| format!("S8: {broken}"))?;
    holds(state, room.as_bytes())
}

/// Checks T1 to T5.
///
/// # Errors
/// The first rule that does not hold.
pub fn check_later(before: &Store, after: &Store) -> Result<(), Broken> {
    for (rule, tag) in [("T1", 0x22), ("T2", 0x23)] {
        for (key, value) in before.under(&[tag]) {
            require(after.get(key) == Some(value), rule, key)?;
        }
    }
    for (key, value) in before.under(&[0x20]) {
        let (client, _) = client_of(key)?;
        let next: Sequence = read(value, key)?;
        let later: Sequence = load(after, Slot::NextSend(&client))?.unwrap_or(Sequence::ZERO);
        require(later >= next, "T3", key)?;
        for (open, _) in after.under(&[0x21]) {
            let (its, sequence) = client_of(open)?;
            let was_open = before.get(open).is_some();
            require(its != client || sequence >= Some(next) || was_open, "T3", open)?;
        }
    }
    for (key, value) in before.under(&[0x02]) {
        let was: Account = read(value, key)?;
        let now: Account = read(after.get(key).ok_or_else(|| broken("T4", key))?, key)?;
        let mut again = now.used.clone();
        require(now.used.highest >= was.used.highest, "T4", key)?;
        require(again.take(was.used.highest).is_err(), "T4", key)?;
    }
    for (key, value) in after.under(&[0x26]) {
        let (client, sequence) = packet_of(key)?;
        let received = before.get(&Slot::Receipt(&client, sequence).key()).is_some();
        let was = before.get(key);
        require(was == Some(value) || was.is_none() && !received, "T5", key)?;
    }
    Ok(())
}

fn holds(state: &Store, room: &[u8]) -> Result<(), Broken> {
    let mut of_transfer = BTreeSet::new();
    let mut listed: BTreeMap<ClientId, Vec<HeldPacket>> = BTreeMap::new();
    for (key, value) in state.under(&[0x26]) {
        let (client, sequence) = packet_of(key)?;
        let held: Held = read(value, key)?;
        let receipt: Option<Receipt> = load(state, Slot::Receipt(&client, sequence))?;
        require(receipt == Some(Receipt::Received), "S9", key)?;
        for other in [Slot::Acknowledgement(&client, sequence), Slot::Pending(&client, sequence)] {
            require(state.get(&other.key()).is_none(), "S9", key)?;
        }
        require(held.release_at.whole_seconds() < held.timeout, "S9", key)?;
        let one = HeldPacket { sequence, release_at: held.release_at };
        listed.entry(client.clone()).or_default().push(one);
        if held.port.as_str() == transfer::PORT {
            of_transfer.insert((client, sequence));
        }
    }
    for (key, value) in state.under(&[0x27]) {
        let list: HeldOf = read(value, key)?;
        let found = listed.remove(&client_of(key)?.0).unwrap_or_default();
        require(!found.is_empty() && list.packets.as_slice() == found, "S9", key)?;
    }
    let kept = transfer::held(state, room).map_err(|refusal| format!("S9: {refusal}"))?;
    if listed.is_empty() && kept == of_transfer {
        return Ok(());
    }
    Err(format!("S9: not listed {listed:?}; held {of_transfer:?}, kept {kept:?}"))
}

fn packets(state: &Store) -> Result<(), Broken> {
    for (key, _) in state.under(&[0x23]) {
        let (client, sequence) = packet_of(key)?;
        let receipt: Option<Receipt> = load(state, Slot::Receipt(&client, sequence))?;
        require(receipt == Some(Receipt::Received), "S1", key)?;
    }
    for (key, _) in state.under(&[0x21]) {
        let (client, sequence) = packet_of(key)?;
        let next: Option<Sequence> = load(state, Slot::NextSend(&client))?;
        require(next.is_some_and(|next| sequence < next), "S2", key)?;
    }
    for (key, value) in state.under(&[0x24]) {
        let (client, sequence) = packet_of(key)?;
        let child: Link = read(value, key)?;
        let back: Option<Link> = load(state, Slot::Parent(&child.client, child.sequence))?;
        require(back == Some(Link { client: client.clone(), sequence }), "S3", key)?;
        let receipt: Option<Receipt> = load(state, Slot::Receipt(&client, sequence))?;
        require(receipt == Some(Receipt::Received), "S3", key)?;
        require(state.get(&Slot::Acknowledgement(&client, sequence).key()).is_none(), "S3", key)?;
    }
    for (key, value) in state.under(&[0x25]) {
        let (client, sequence) = packet_of(key)?;
        let parent: Link = read(value, key)?;
        let back: Option<Link> = load(state, Slot::Pending(&parent.client, parent.sequence))?;
        require(back == Some(Link { client: client.clone(), sequence }), "S3", key)?;
        require(state.get(&Slot::Commitment(&client, sequence).key()).is_some(), "S3", key)?;
    }
    Ok(())
}

/// A profile, passed over.
#[derive(Clone)]
struct Skipped;

impl Decode for Skipped {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.take(reader.remaining()).map(|_| Self)
    }
}

fn clients(state: &Store) -> Result<(), Broken> {
    let mut listed: BTreeMap<ClientId, BTreeSet<Height>> = BTreeMap::new();
    for (key, value) in state.under(&[0x10]) {
        let (id, _) = client_of(key)?;
        let record: ClientRecord = read(value, key)?;
        let client: Client<Skipped> = Client::decode_with(record.client.as_slice(), MAX_PROFILE)
            .map_err(|refusal| format!("S4 at {key:?}: {refusal}"))?;
        listed.insert(id, client.stored().iter().map(|stored| stored.height).collect());
    }
    let mut held: BTreeMap<ClientId, BTreeSet<Height>> = BTreeMap::new();
    for (key, _) in state.under(&[0x11]) {
        let (id, height) = packet_of(key)?;
        held.entry(id).or_default().insert(Height::new(height.get()));
    }
    if listed != held {
        return Err(format!("S4: listed {listed:?}, held {held:?}"));
    }
    for tag in [0x12, 0x20] {
        let mut beside = BTreeSet::new();
        for (key, _) in state.under(&[tag]) {
            beside.insert(client_of(key)?.0);
        }
        if !beside.iter().eq(listed.keys()) {
            return Err(format!("S5: records of {:?}, beside {beside:?}", listed.keys()));
        }
    }
    Ok(())
}

fn governors(state: &Store) -> Result<(), Broken> {
    let mut governors = 0;
    for (key, value) in state.under(&[0x02]) {
        let account: Account = read(value, key)?;
        governors += u32::from(account.roles.has(Role::Governor));
    }
    let counters: Option<Counters> = load(state, Slot::Counters)?;
    let parameters: Option<Parameters> = load(state, Slot::Parameters)?;
    let (Some(counters), Some(parameters)) = (counters, parameters) else {
        return Err("S6: no counters or parameters".into());
    };
    require(counters.governors == governors, "S6", &Slot::Counters.key())?;
    require(governors >= u32::from(parameters.governors_needed), "S6", &Slot::Parameters.key())
}

fn orders(state: &Store) -> Result<(), Broken> {
    for number in 0..STANDING_BUCKETS {
        let slot = Slot::Standing(number);
        let Some(bucket) = load::<Bucket>(state, slot)? else { continue };
        let entries = bucket.entries.as_slice();
        require(entries.windows(2).all(|pair| pair[0].path < pair[1].path), "S7", &slot.key())?;
        let here = |path: &[u8]| sha256(&[path])[0] % STANDING_BUCKETS == number;
        require(entries.iter().all(|entry| here(&entry.path.to_bytes())), "S7", &slot.key())?;
    }
    let schedule: Option<Schedule> = load(state, Slot::Schedule)?;
    let waiting = schedule.as_ref().map_or(&[][..], |schedule| schedule.waiting.as_slice());
    let place = |at: usize| (waiting[at].activation, waiting[at].proposal);
    let ordered = (1..waiting.len()).all(|at| place(at - 1) < place(at));
    require(ordered, "S7", &Slot::Schedule.key())
}

fn broken(rule: &str, key: &Key) -> Broken {
    format!("{rule} does not hold at {key:?}")
}

fn require(holds: bool, rule: &str, key: &Key) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(broken(rule, key)) }
}

fn read<T: Decode>(value: &[u8], key: &Key) -> Result<T, Broken> {
    T::from_bytes(value).map_err(|refusal| format!("{key:?} does not decode: {refusal}"))
}

fn load<T: Decode>(state: &Store, slot: Slot<'_>) -> Result<Option<T>, Broken> {
    let key = slot.key();
    state.get(&key).map(|value| read(value, &key)).transpose()
}

/// The client in a key, and the number after it.
fn client_of(key: &Key) -> Result<(ClientId, Option<Sequence>), Broken> {
    let parts = || -> Option<(ClientId, Option<Sequence>)> {
        let (length, rest) = key.as_bytes().get(1..)?.split_first()?;
        let (client, rest) = rest.split_at_checked(usize::from(*length))?;
        let client = ClientId::new(core::str::from_utf8(client).ok()?).ok()?;
        let number = if rest.is_empty() { None } else { Some(Sequence::from_bytes(rest).ok()?) };
        Some((client, number))
    };
    parts().ok_or_else(|| format!("{key:?} names no client"))
}

fn packet_of(key: &Key) -> Result<(ClientId, Sequence), Broken> {
    match client_of(key)? {
        (client, Some(number)) => Ok((client, number)),
        (_, None) => Err(format!("{key:?} names no packet")),
    }
}
