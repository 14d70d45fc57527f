//! Who holds what, and what stands against it: the one place where assets move.
//!
//! No asset is at home here, so every one came in through a client, and its name says which. The records of the room:
//!
//! | first byte | then | record |
//! |---|---|---|
//! | 1 | account (32), digest of the name (32) | [`Holding`]: what the account holds |
//! | 2 | digest of client and name (32) | [`Escrow`]: what went out through a client that is not its home |
//! | 3 | digest of the name (32) | [`Holding`]: all that came in and did not go home |
//! | 4 | digest of client and name (32) | [`super::Limit`]: how much of it may cross in a while |
//! | 5 | digest of client and name (32) | [`super::SetDelay`]: from which amount on it is held, and how long |
//! | 6 | client with its length, sequence `u64` | [`super::Hold`]: what a packet brought and is held |
//!
//! For each asset the third is the sum of the first two and of what is held, after every step ([`check`]). What comes back through a
//! client is at most what went out through it, and what goes home at most what came in: so a chain that forges
//! packets, or whose committee was bought, takes out what was entrusted to it and nothing else. A record of zero is
//! removed.

use super::amount::Amount;
use super::delay::{DELAYED, SetDelay, delay_key};
use super::denom::Denom;
use super::hold::{HOLD, Hold, hold_key};
use super::limit::{self, Cause, LIMITED, Limit, Way};
use super::order;
use crate::app::Room;
use crate::bounded::record;
use crate::halt::Run;
use crate::state::Store;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_types::{AccountId, ClientId, Code, Decode, Refusal, Span};

record! {
    /// So much of an asset.
    pub struct Holding {
        /// The asset.
        pub denom: Denom,
        /// How much; never zero.
        pub amount: Amount,
    }

    /// What went out through a client and is kept for its return.
    pub struct Escrow {
        /// The client.
        pub client: ClientId,
        /// The asset.
        pub denom: Denom,
        /// How much; never zero.
        pub amount: Amount,
    }
}

const HELD: u8 = 1;
const ESCROWED: u8 = 2;
const SUPPLIED: u8 = 3;

/// The key, in the application's room, of what an account holds.
#[must_use]
pub fn held_key(account: &AccountId, denom: &Denom) -> Vec<u8> {
    [&[HELD], account.as_bytes().as_slice(), &denom.digest()].concat()
}

/// The key, in the application's room, of what went out through a client.
#[must_use]
pub fn escrow_key(client: &ClientId, denom: &Denom) -> Vec<u8> {
    [&[ESCROWED], digest_of(client, denom).as_slice()].concat()
}

pub(super) fn digest_of(client: &ClientId, denom: &Denom) -> [u8; 32] {
    sha256(&[&sha256(&[client.as_str().as_bytes()]), &denom.digest()])
}

/// The key, in the application's room, of all that there is of an asset.
#[must_use]
pub fn supply_key(denom: &Denom) -> Vec<u8> {
    [&[SUPPLIED], denom.digest().as_slice()].concat()
}

/// An asset crosses by a client: from its home and out of escrow, or the other way home and into escrow. What went
/// one way and then the other leaves the books as they were.
///
/// # Errors
/// [`Code::MoreThanLocked`] when more comes back than went out, or goes home than came; [`Code::OutOfRange`] above
/// 2^256 of one asset; [`Code::LimitReached`], [`Code::AssetFrozen`] and [`Code::AssetNotListed`] for what is moved,
/// never for what is undone.
pub(super) fn cross(
    room: &mut Room<'_, '_>,
    client: &ClientId,
    denom: &Denom,
    amount: Amount,
    (way, cause): (Way, Cause),
) -> Run<()> {
    let home = denom.is_home_at(client);
    if cause == Cause::Moved {
        order::require_free(room, denom)?;
        if home && way == Way::In {
            order::require_listed(room, denom)?;
        }
    }
    limit::cross(room, client, denom, amount, (way, cause))?;
    let before = if home { supply(room, denom)? } else { escrowed(room, client, denom)? };
    let after = if home == (way == Way::In) {
        before.plus(amount).ok_or_else(overflow)?
    } else {
        before.minus(amount).ok_or_else(|| more_than(before, amount))?
    };
    if home {
        set_supply(room, denom, after)
    } else {
        set_escrow(room, client, denom, after)
    }
    Ok(())
}

/// Gives an account what entered.
pub(super) fn credit(room: &mut Room<'_, '_>, account: &AccountId, denom: &Denom, amount: Amount) -> Run<()> {
    let key = held_key(account, denom);
    let held = holding(room, &key)?.plus(amount).ok_or_else(overflow)?;
    room.save(&key, &Holding { denom: denom.clone(), amount: held });
    Ok(())
}

/// Takes from an account what leaves.
///
/// # Errors
/// [`Code::NotEnough`].
pub(super) fn debit(room: &mut Room<'_, '_>, account: &AccountId, denom: &Denom, amount: Amount) -> Run<()> {
    let key = held_key(account, denom);
    let held = holding(room, &key)?;
    let Some(left) = held.minus(amount) else {
        return Err(Refusal::new(Code::NotEnough)
            .needed(format!("{amount}"))
            .found(format!("{held}"))
            .into());
    };
    set(room, &key, left, || Holding { denom: denom.clone(), amount: left });
    Ok(())
}

fn holding(room: &Room<'_, '_>, key: &[u8]) -> Run<Amount> {
    Ok(room.load::<Holding>(key)?.map_or(Amount::ZERO, |holding| holding.amount))
}

fn supply(room: &Room<'_, '_>, denom: &Denom) -> Run<Amount> {
    holding(room, &supply_key(denom))
}

fn set_supply(room: &mut Room<'_, '_>, denom: &Denom, amount: Amount) {
    set(room, &supply_key(denom), amount, || Holding { denom: denom.clone(), amount });
}

fn escrowed(room: &Room<'_, '_>, client: &ClientId, denom: &Denom) -> Run<Amount> {
    let escrow = room.load::<Escrow>(&escrow_key(client, denom))?;
    Ok(escrow.map_or(Amount::ZERO, |escrow| escrow.amount))
}

fn set_escrow(room: &mut Room<'_, '_>, client: &ClientId, denom: &Denom, amount: Amount) {
    let record = || Escrow { client: client.clone(), denom: denom.clone(), amount };
    set(room, &escrow_key(client, denom), amount, record);
}

fn set<R: zeugma_types::Encode>(
    room: &mut Room<'_, '_>,
    key: &[u8],
    amount: Amount,
    record: impl FnOnce() -> R,
) {
    if amount == Amount::ZERO { room.remove(key) } else { room.save(key, &record()) }
}

fn overflow() -> Refusal {
    Refusal::new(Code::OutOfRange).needed("less than 2^256 of one asset")
}

fn more_than(locked: Amount, claimed: Amount) -> Refusal {
    Refusal::new(Code::MoreThanLocked).needed(format!("{locked}")).found(format!("{claimed}"))
}

/// That every asset is held, by accounts and by holds, and escrowed exactly as often as it came in, and every record lies under its own key.
///
/// # Errors
/// What does not hold, with the asset.
pub(crate) fn check(state: &Store, room: &[u8]) -> Result<(), String> {
    let mut owned: BTreeMap<String, Amount> = BTreeMap::new();
    let mut supplied: BTreeMap<String, Amount> = BTreeMap::new();
    for (key, value) in state.under(room) {
        let own = &key.as_bytes()[room.len()..];
        let broken = |what: &str| format!("{what} at {key:?}");
        let (sums, denom, amount, its_key) = match own.first() {
            Some(&HELD) => {
                let held = Holding::from_bytes(value).map_err(|refusal| broken(&format!("{refusal}")))?;
                let account = own.get(1..33).and_then(|bytes| bytes.try_into().ok());
                let account = AccountId::new(account.ok_or_else(|| broken("no account"))?);
                let key = held_key(&account, &held.denom);
                (&mut owned, held.denom, held.amount, key)
            }
            Some(&ESCROWED) => {
                let escrow = Escrow::from_bytes(value).map_err(|refusal| broken(&format!("{refusal}")))?;
                let key = escrow_key(&escrow.client, &escrow.denom);
                (&mut owned, escrow.denom, escrow.amount, key)
            }
            Some(&SUPPLIED) => {
                let all = Holding::from_bytes(value).map_err(|refusal| broken(&format!("{refusal}")))?;
                let key = supply_key(&all.denom);
                (&mut supplied, all.denom, all.amount, key)
            }
            Some(&LIMITED) => {
                let limit = Limit::from_bytes(value).map_err(|refusal| broken(&format!("{refusal}")))?;
                let within = limit.level.minus(limit.set.capacity).unwrap_or_default() <= limit.set.capacity;
                let its_key = limit::limit_key(&limit.set.client, &limit.set.denom);
                if own != its_key || !within || limit.set.check().is_err() {
                    return Err(broken("a limit beyond its ends, or under another's key"));
                }
                continue;
            }
            Some(&DELAYED) => {
                let set = SetDelay::from_bytes(value).map_err(|refusal| broken(&format!("{refusal}")))?;
                let never = set.delay == Span::ZERO || set.check().is_err();
                if own != delay_key(&set.client, &set.denom) || never {
                    return Err(broken("a delay of nothing, or under another's key"));
                }
                continue;
            }
            Some(&HOLD) => {
                let hold = Hold::from_bytes(value).map_err(|refusal| broken(&format!("{refusal}")))?;
                let key = hold_key(&hold.client, hold.sequence);
                (&mut owned, hold.denom, hold.amount, key)
            }
            _ => return Err(broken("an unknown record")),
        };
        if own != its_key || amount == Amount::ZERO {
            return Err(broken("a record of nothing, or under another's key"));
        }
        let sum = sums.entry(denom.as_str().into()).or_default();
        *sum = sum.plus(amount).ok_or_else(|| broken("a sum above 2^256"))?;
    }
    if owned == supplied { Ok(()) } else { Err(format!("held {owned:?}, supplied {supplied:?}")) }
}
