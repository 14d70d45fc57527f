//! How much of an asset may cross one border in a while: a limit of the net flow, by client and asset.
//!
//! A level rests at the capacity. What leaves lowers it, what enters raises it, and with time it returns to rest: all
//! the way in the time of one refill. It stays between zero and twice the capacity, so within a refill no more than
//! twice the capacity crosses net in one direction, whatever is proved. What is undone, by a timeout or an error, is given back and is never refused:
//! it moves the level toward rest and not beyond, since a use that time has already forgotten is not forgotten twice.
//!
//! The level is looked at in the one place where assets cross ([`super::book`]), so no path leads around it. Who is
//! refused learns what is left and what he asked for; the record is readable by anyone.

use super::amount::Amount;
use super::book::digest_of;
use super::denom::Denom;
use crate::app::Room;
use crate::bounded::record;
use crate::halt::Run;
use alloc::format;
use alloc::vec::Vec;
use zeugma_types::{BlockTime, ClientId, Code, Refusal, Span};

record! {
    /// What governance sets: see [`crate::gov::Change::Limit`].
    pub struct SetLimit {
        /// The client by which the asset crosses.
        pub client: ClientId,
        /// The asset, by its name here.
        pub denom: Denom,
        /// How much may leave, or enter, net; zero takes the limit away.
        pub capacity: Amount,
        /// How long the level takes from its end to rest.
        pub refill: Span,
    }

    /// A limit and where its level is.
    pub struct Limit {
        /// What was set.
        pub set: SetLimit,
        /// What may leave now: between zero and twice the capacity.
        pub level: Amount,
        /// When it was so.
        pub at: BlockTime,
    }
}

/// The first byte of these records in the application's room.
pub(super) const LIMITED: u8 = 4;

/// The key, in the application's room, of the limit of an asset by a client.
#[must_use]
pub fn limit_key(client: &ClientId, denom: &Denom) -> Vec<u8> {
    [&[LIMITED], digest_of(client, denom).as_slice()].concat()
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Toward us.
    In,
    /// Away from us.
    Out,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Somebody moves the asset.
    Moved,
    /// What was moved is taken back.
    Undone,
}

impl SetLimit {
    /// # Errors
    /// [`Code::BadParameters`] with the relation that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |relation| Err(Refusal::new(Code::BadParameters).needed(relation));
        if self.capacity.plus(self.capacity).is_none() {
            return bad("a capacity below 2^255");
        }
        if self.capacity != Amount::ZERO && self.refill == Span::ZERO {
            return bad("a limit refills in some time");
        }
        Ok(())
    }

    fn most(&self) -> Amount {
        self.capacity.plus(self.capacity).unwrap_or(Amount::MAX)
    }
}

impl Limit {
    /// A limit at rest.
    #[must_use]
    pub const fn new(set: SetLimit, at: BlockTime) -> Self {
        Self { level: set.capacity, set, at }
    }

    /// The level at `now`, which is not before the level's own time.
    #[must_use]
    pub fn level_at(&self, now: BlockTime) -> Amount {
        let refill = self.set.refill.get();
        let passed = now.get().saturating_sub(self.at.get()).min(refill);
        let back = self.set.capacity.part(passed, refill);
        let rest = self.set.capacity;
        if self.level < rest {
            self.level.plus(back).map_or(rest, |level| level.min(rest))
        } else {
            self.level.minus(back).map_or(rest, |level| level.max(rest))
        }
    }

    /// The level after `amount` crossed.
    ///
    /// # Errors
    /// [`Code::LimitReached`] with what is left, unless it is undone.
    fn cross(&mut self, way: Way, cause: Cause, amount: Amount, now: BlockTime) -> Result<(), Refusal> {
        let (level, rest, most) = (self.level_at(now), self.set.capacity, self.set.most());
        let moved = match way {
            Way::Out => level.minus(amount),
            Way::In => level.plus(amount).filter(|level| *level <= most),
        };
        self.level = match (cause, moved) {
            (Cause::Moved, Some(level)) => level,
            (Cause::Moved, None) => {
                let left = if way == Way::Out { Some(level) } else { most.minus(level) };
                let left = left.unwrap_or(Amount::ZERO);
                return Err(Refusal::new(Code::LimitReached)
                    .needed(format!("at most {left} now"))
                    .found(format!("{amount}")));
            }
            // Toward rest and not beyond.
            (Cause::Undone, moved) if way == Way::In && level < rest => {
                moved.map_or(rest, |moved| moved.min(rest))
            }
            (Cause::Undone, moved) if way == Way::Out && level > rest => {
                moved.map_or(rest, |moved| moved.max(rest))
            }
            (Cause::Undone, _) => level,
        };
        self.at = now;
        Ok(())
    }
}

/// An amount crosses; without a limit, nothing is looked at.
pub(super) fn cross(
    room: &mut Room<'_, '_>,
    client: &ClientId,
    denom: &Denom,
    amount: Amount,
    (way, cause): (Way, Cause),
) -> Run<()> {
    #[cfg(feature = "planted")]
    if room.plants(crate::PlantedBug::LimitIgnored) {
        return Ok(());
    }
    let key = limit_key(client, denom);
    let Some(mut limit) = room.load::<Limit>(&key)? else { return Ok(()) };
    limit.cross(way, cause, amount, room.now())?;
    room.save(&key, &limit);
    Ok(())
}

/// Puts a limit in force, at rest, or takes it away.
pub(super) fn set(room: &mut Room<'_, '_>, set: SetLimit) {
    let key = limit_key(&set.client, &set.denom);
    if set.capacity == Amount::ZERO {
        room.remove(&key);
    } else {
        let limit = Limit::new(set, room.now());
        room.save(&key, &limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(capacity: u64, refill: u64) -> Limit {
        let set = SetLimit {
            client: ClientId::new("test-0").unwrap(),
            denom: Denom::new("transfer/test-0/coin").unwrap(),
            capacity: Amount::new(capacity),
            refill: Span::millis(refill),
        };
        set.check().unwrap();
        Limit::new(set, BlockTime::ZERO)
    }

    fn number(amount: Amount) -> i128 {
        alloc::string::ToString::to_string(&amount).parse().unwrap()
    }

    #[test]
    fn what_leaves_is_bounded_and_comes_back_with_time() {
        let mut limit = limit(100, 1_000);
        let at = BlockTime::new;
        let out = |limit: &mut Limit, amount, now| {
            limit.cross(Way::Out, Cause::Moved, Amount::new(amount), at(now))
        };
        out(&mut limit, 60, 0).unwrap();
        let refused = out(&mut limit, 41, 0).unwrap_err();
        assert_eq!(refused.code, Code::LimitReached);
        assert_eq!((number(limit.level_at(at(0))), number(limit.level_at(at(300)))), (40, 70));
        out(&mut limit, 70, 300).unwrap();
        assert_eq!(number(limit.level_at(at(300))), 0);
        assert_eq!(number(limit.level_at(at(5_000))), 100, "at rest, and not above");
    }

    #[test]
    fn a_capacity_that_cannot_be_doubled_and_one_that_never_refills_are_refused() {
        let mut set = limit(1, 1).set;
        set.capacity = Amount::MAX;
        assert_eq!(set.check().unwrap_err().code, Code::BadParameters);
        set.capacity = Amount::new(1);
        set.refill = Span::ZERO;
        assert_eq!(set.check().unwrap_err().code, Code::BadParameters);
        set.capacity = Amount::ZERO;
        assert_eq!(set.check(), Ok(()), "taking it away needs no time");
    }

    proptest! {
        /// The oracle counts what crossed; time stands still, so nothing refills.
        #[test]
        fn at_one_instant_the_net_flow_stays_within_the_capacity_and_what_is_undone_is_as_if_it_never_was(
            acts in prop::collection::vec((any::<bool>(), any::<bool>(), 1..70_u64), 1..40),
        ) {
            let mut limit = limit(100, 1_000);
            let mut net = 0_i128;
            for (out, undo, amount) in acts {
                let (way, back) = if out { (Way::Out, Way::In) } else { (Way::In, Way::Out) };
                let after = if out { net + i128::from(amount) } else { net - i128::from(amount) };
                let taken = limit.cross(way, Cause::Moved, Amount::new(amount), BlockTime::ZERO).is_ok();
                prop_assert_eq!(taken, after.abs() <= 100);
                if !taken { continue }
                // Only a use that moved away from rest is there to be given back.
                let away = after.abs() == net.abs() + i128::from(amount);
                if undo && away {
                    limit.cross(back, Cause::Undone, Amount::new(amount), BlockTime::ZERO).unwrap();
                } else {
                    net = after;
                }
                prop_assert_eq!(number(limit.level), 100 - net);
            }
        }

        /// Whatever is undone whenever: never refused, never further from rest.
        #[test]
        fn giving_back_is_never_refused_and_never_opens_more_than_rest(
            first in 0..200_u64, way: bool, amount in any::<[u8; 32]>(), later in 0..2_000_u64,
        ) {
            let mut limit = limit(100, 1_000);
            limit.level = Amount::new(first);
            let before = number(limit.level_at(BlockTime::new(later))) - 100;
            let way = if way { Way::In } else { Way::Out };
            limit.cross(way, Cause::Undone, Amount::from_be_bytes(amount), BlockTime::new(later)).unwrap();
            let after = number(limit.level) - 100;
            prop_assert!(after.abs() <= before.abs() && after * before >= 0, "{} to {}", before, after);
        }
    }
}
