//! How long a large amount is held when it arrives by one client: a delay, by client and asset.
//!
//! An amount above the threshold is held ([`super::hold`]) for the delay, in which whoever guards the route may give
//! it back. It is known from the packet and the block's time alone when that ends, and it ends a minute or more before
//! the packet's timeout, or, of an asset that is sent on, before the next packet's. Where the timeout leaves no such
//! room, the packet gets the error acknowledgement: its sender can send it again with a later timeout.
//!
//! Many small amounts are not held. What they are together, a limit bounds ([`super::limit`]).

use super::amount::Amount;
use super::book::digest_of;
use super::denom::Denom;
use crate::app::Room;
use crate::bounded::record;
use crate::halt::Run;
use crate::limits::{HOP_SECONDS, MAX_TIMEOUT_AHEAD};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, ClientId, Code, Refusal, Span, UnixSeconds};

record! {
    /// What governance sets: see [`crate::gov::Change::Delay`].
    pub struct SetDelay {
        /// The client by which the asset arrives.
        pub client: ClientId,
        /// The asset, by its name here.
        pub denom: Denom,
        /// The largest amount that is not held.
        pub threshold: Amount,
        /// How long more is held; zero takes the delay away.
        pub delay: Span,
    }
}

/// The first byte of these records in the application's room.
pub(super) const DELAYED: u8 = 5;
/// Longest delay: with a packet that may travel for a day, and is sent on, it still leaves a minute for each hop.
const LONGEST: Span = Span::seconds(MAX_TIMEOUT_AHEAD - 3 * HOP_SECONDS);

/// The key, in the application's room, of the delay of an asset by a client.
#[must_use]
pub fn delay_key(client: &ClientId, denom: &Denom) -> Vec<u8> {
    [&[DELAYED], digest_of(client, denom).as_slice()].concat()
}

impl SetDelay {
    /// # Errors
    /// [`Code::BadParameters`] for a delay after which no packet has time left.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.delay > LONGEST {
            let relation = "a delay of at most 23 hours and 57 minutes: packets time out within a day";
            return Err(Refusal::new(Code::BadParameters).needed(relation));
        }
        Ok(())
    }
}

/// Until when this amount is held, if it is; `deadline` is when it must have gone on.
///
/// # Errors
/// [`Code::NoRoomToHold`] with the earliest deadline that would do.
pub(super) fn release_at(
    room: &Room<'_, '_>,
    client: &ClientId,
    denom: &Denom,
    amount: Amount,
    deadline: UnixSeconds,
) -> Run<Option<BlockTime>> {
    match room.load::<SetDelay>(&delay_key(client, denom))? {
        Some(set) if amount > set.threshold => Ok(Some(fitting(room.now(), set.delay, deadline)?)),
        Some(_) | None => Ok(None),
    }
}

fn fitting(now: BlockTime, delay: Span, deadline: UnixSeconds) -> Result<BlockTime, Refusal> {
    let refused = |needed: u64| Refusal::new(Code::NoRoomToHold).needed(needed).found(deadline.get());
    let release_at = now.after(delay).ok_or_else(|| refused(u64::MAX))?;
    let needed = release_at.get().div_ceil(1_000).saturating_add(HOP_SECONDS);
    if needed > deadline.get() { Err(refused(needed)) } else { Ok(release_at) }
}

/// Puts a delay in force, or takes it away. What is held already keeps its release time.
pub(super) fn set(room: &mut Room<'_, '_>, set: &SetDelay) {
    let key = delay_key(&set.client, &set.denom);
    if set.delay == Span::ZERO { room.remove(&key) } else { room.save(&key, set) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_ends_a_minute_before_its_deadline_or_is_refused() {
        let fits = |now, delay, deadline| {
            fitting(BlockTime::new(now), Span::millis(delay), UnixSeconds::new(deadline))
                .map(BlockTime::get)
                .map_err(|refusal| refusal.code)
        };
        assert_eq!(fits(1_000_000, 100_000, 1_160), Ok(1_100_000));
        assert_eq!(fits(1_000_000, 100_000, 1_159), Err(Code::NoRoomToHold));
        assert_eq!(fits(1_000_000, 100_001, 1_160), Err(Code::NoRoomToHold), "part of a second is one");
        assert_eq!(fits(1_000_000, 0, 0), Err(Code::NoRoomToHold));
        assert_eq!(fits(u64::MAX, 1, u64::MAX), Err(Code::NoRoomToHold));
        assert_eq!(fits(u64::MAX, 0, u64::MAX), Ok(u64::MAX));
    }

    #[test]
    fn a_delay_that_no_packet_outlives_is_refused() {
        let set = |delay| SetDelay {
            client: ClientId::new("test-0").unwrap(),
            denom: Denom::new("transfer/test-0/coin").unwrap(),
            threshold: Amount::ZERO,
            delay,
        };
        assert_eq!(set(LONGEST).check(), Ok(()));
        let longer = Span::millis(LONGEST.get() + 1);
        assert_eq!(set(longer).check().unwrap_err().code, Code::BadParameters);
        assert_eq!(set(Span::ZERO).check(), Ok(()));
    }
}
