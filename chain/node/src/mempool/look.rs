//! One look through the pool: what goes into a block, in order.
//!
//! At each place of an account stands the next of its transactions in the account's own order, so that order is kept
//! and nobody comes earlier than the account's arrivals allow. What an account has beyond an eighth of the block comes
//! after what all others have in front, so that it cannot fill a block's list with what it may be unable to pay for.

use super::class::{Amount, Class};
use super::pool::{Candidate, Own, Place, Pool, TransactionId, Turn, of_class};
use std::collections::btree_set::{Iter, Range};
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow::{self, Break, Continue};
use zeugma_types::AccountId;

/// How much of a block an account may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    Eighth,
    All,
}

/// Begun for one block.
pub(super) struct Look<'p> {
    pool: &'p Pool,
    carried: &'p HashSet<TransactionId>,
    room_at_first: Amount,
    /// What is left of it.
    room: Amount,
    chosen: Vec<Candidate>,
    /// How far each account was looked at, class by class.
    fronts: HashMap<(AccountId, Class), Range<'p, Own>>,
    /// How far what is behind of each account was looked at.
    behinds: HashMap<AccountId, Iter<'p, Own>>,
    /// What each account may still have before all others had something; none once it is beyond.
    eighths: HashMap<AccountId, Option<Amount>>,
    /// Places of what accounts have beyond that, in order.
    beyond: Vec<&'p Place>,
}

impl<'p> Look<'p> {
    pub(super) fn new(pool: &'p Pool, carried: &'p HashSet<TransactionId>, room: Amount) -> Self {
        Self {
            pool,
            carried,
            room_at_first: room,
            room,
            chosen: Vec::new(),
            fronts: HashMap::new(),
            behinds: HashMap::new(),
            eighths: HashMap::new(),
            beyond: Vec::new(),
        }
    }

    /// What is chosen; and where the look at what is behind stopped, if there was no room for all of it.
    pub(super) fn run(mut self, turn: Turn) -> (Vec<Candidate>, Option<Place>) {
        let stopped = match self.in_turn(turn) {
            Continue(()) => None,
            // Room for none of what is behind: the next look at it begins where this one would have.
            Break(at) => at.or(self.pool.behind_from),
        };
        (self.chosen, stopped)
    }

    fn in_turn(&mut self, turn: Turn) -> ControlFlow<Option<Place>> {
        let pool = self.pool;
        let first = match turn {
            Turn::Usual => None,
            Turn::Class(class) => {
                pool.order
                    .range(of_class(class))
                    .try_for_each(|place| self.in_front(place, Share::Eighth))?;
                Some(class)
            }
            Turn::Behind => {
                // Of an account with something in front, that goes first, in its own place.
                let may = |account: &AccountId| {
                    pool.accounts.get(account).is_some_and(|held| held.front.is_empty())
                };
                self.what_is_behind(|account| account.is_some_and(may))?;
                None
            }
        };
        let mut others = pool.order.iter().filter(|(class, _, _)| Some(*class) != first);
        others.try_for_each(|place| self.in_front(place, Share::Eighth))?;
        for place in std::mem::take(&mut self.beyond) {
            self.in_front(place, Share::All)?;
        }
        self.what_is_behind(|_| true)
    }

    /// Takes what stands at a place of the order; or leaves the place for later, when its account would have more than
    /// `share`.
    fn in_front(&mut self, place: &'p Place, share: Share) -> ControlFlow<Option<Place>> {
        let (pool, (class, _, id)) = (self.pool, place);
        let next = match self.account(id) {
            None => *id,
            Some(account) => {
                let left = self.fronts.entry((account, *class)).or_insert_with(|| {
                    let held = pool.accounts.get(&account).expect("an account holds what is ordered");
                    held.front.range(of_class(*class))
                });
                let Some((_, _, next)) = left.clone().next() else { return Continue(()) };
                if share == Share::Eighth && !self.carried.contains(next) {
                    let whole = self.room_at_first.eighth();
                    let one = Amount::one(pool.candidate(next).bytes.len());
                    let rest = match self.eighths.get(&account) {
                        // The first in any case.
                        None => Some(whole - one),
                        Some(Some(rest)) if one.within(*rest) => Some(*rest - one),
                        // And once it is beyond, all that follows: so its own order is kept.
                        Some(_) => None,
                    };
                    self.eighths.insert(account, rest);
                    if rest.is_none() {
                        self.beyond.push(place);
                        return Continue(());
                    }
                }
                left.next();
                *next
            }
        };
        if self.take(&next) { Continue(()) } else { Break(None) }
    }

    /// Takes what is behind, of those accounts that `may`, from where the last look stopped and round.
    fn what_is_behind(&mut self, may: impl Fn(Option<&AccountId>) -> bool) -> ControlFlow<Option<Place>> {
        let pool = self.pool;
        let (before, after) = match &pool.behind_from {
            None => (None, pool.behind.range::<Place, _>(..)),
            Some(from) => (Some(pool.behind.range(..from)), pool.behind.range(from..)),
        };
        for place in after.chain(before.into_iter().flatten()) {
            let (_, _, id) = place;
            let account = self.account(id);
            if !may(account.as_ref()) {
                continue;
            }
            let next = match account {
                None => Some(*id),
                Some(account) => {
                    let left = self.behinds.entry(account).or_insert_with(|| {
                        let held = pool.accounts.get(&account).expect("an account holds what is behind");
                        held.behind.iter()
                    });
                    left.next().map(|(_, _, id)| *id)
                }
            };
            if let Some(next) = next
                && !self.take(&next)
            {
                return Break(Some(*place));
            }
        }
        Continue(())
    }

    fn account(&self, id: &TransactionId) -> Option<AccountId> {
        self.pool.candidate(id).checked.account().copied()
    }

    /// Takes a transaction, unless the chain carries it. Says whether there was room for it.
    fn take(&mut self, id: &TransactionId) -> bool {
        if self.carried.contains(id) {
            return true;
        }
        let candidate = self.pool.candidate(id);
        let one = Amount::one(candidate.bytes.len());
        if !one.within(self.room) {
            return false;
        }
        self.room = self.room - one;
        self.chosen.push(candidate.clone());
        true
    }
}
