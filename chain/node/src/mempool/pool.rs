//! The pool's decisions: what is kept, what makes room, what goes into a block first. No lock, no await.
//!
//! **Order among accounts.** By [`Class`], then by arrival; but what an account has beyond an eighth of a block comes
//! after what all others have. Nothing is lifted: neither by what stands in the same transaction, nor by another of the
//! same account.
//!
//! **Order of one account.** By class, then by sequence: within a class its transactions go in the order of their
//! sequences, in the places that they took by arrival. So a watcher's evidence waits for none of its own packets.
//! (A sequence is used once, in any order inside the account's window: what an account lets fall behind its own later
//! ones by more than the window is lost to it.)
//!
//! **Behind.** What a block could not admit yet is behind all others, and with it what comes later in the order of its
//! account: an account that asks for more than it can pay for holds up itself alone, and its first claim is served
//! first when its allowance has refilled. What is behind calls for no block; it goes with the next one that is made,
//! and the network makes one each heartbeat.
//!
//! **Turns.** A flood that is paid for would still keep what comes after it out of every block. So of each eight
//! blocks that a validator proposes, one begins with each of the lower classes, and one with what is behind (see
//! [`TURNS`]): each has at least an eighth of the network's blocks, whatever the others send. The leader's own count
//! decides, so that the turn of a class does not always fall to the same leader.
//!
//! **Room.** Each class has an eighth of the pool for itself ([`super::class`]). No account holds more than an eighth
//! of what its class has left, one transaction excepted: it leaves eight parts for others, and `n` accounts that take
//! all they can leave `8 / (8 + n)` of it to the next.
//!
//! **What accounts in collusion can do.** They are named by the network and each pays out of its allowance. As long as
//! they pay for every block they can slow a class down to its eighth. Within one class they come before those who
//! arrive later, and by no more than the pool holds. Where they are more than a hundred, or where the network takes
//! payloads without a sender, they can fill the pool's room of one class, so that another of that class finds a place
//! only when one becomes free. They can keep no class out of the blocks, and call for none that they cannot pay for.

use super::class::{Amount, Class, Shares};
use super::look::Look;
use bytes::Bytes;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use zeugma_ledger::{Checked, Transaction};
use zeugma_types::{AccountId, BlockTime, Code, Refusal};

/// Digest of a transaction.
pub(crate) type TransactionId = [u8; 32];
/// Class, number of the arrival, and the transaction that took the place.
pub(super) type Place = (Class, u64, TransactionId);
/// The order of one account: class, sequence, transaction.
pub(super) type Own = (Class, u64, TransactionId);

/// What a block begins with; the usual order follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The first class.
    Usual,
    /// This one.
    Class(Class),
    /// What could not be admitted before.
    Behind,
}

/// The turns of a validator's own blocks, round and round.
const TURNS: [Turn; 8] = [
    Turn::Usual,
    Turn::Usual,
    Turn::Usual,
    Turn::Class(Class::Relay),
    Turn::Usual,
    Turn::Class(Class::Records),
    Turn::Class(Class::Payload),
    Turn::Behind,
];

/// Bounds of the pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) transactions: usize,
    pub(crate) bytes: usize,
    pub(crate) per_account: usize,
}

/// A transaction that may go into a block.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) bytes: Bytes,
    pub(crate) checked: Arc<Checked>,
}

impl Candidate {
    pub(crate) fn id(&self) -> &TransactionId {
        self.checked.digest()
    }

    fn sequence(&self) -> u64 {
        match self.checked.transaction() {
            Transaction::Signed { body, .. } => body.sequence,
            Transaction::Open(_) => 0,
        }
    }
}

struct Entry {
    candidate: Candidate,
    class: Class,
    arrival: u64,
    /// When a block first could not admit it yet, for itself rather than for an earlier one of its account.
    deferred: Option<BlockTime>,
}

impl Entry {
    fn place(&self) -> Place {
        (self.class, self.arrival, *self.candidate.id())
    }

    fn own(&self) -> Own {
        (self.class, self.candidate.sequence(), *self.candidate.id())
    }

    fn amount(&self) -> Amount {
        Amount::one(self.candidate.bytes.len())
    }
}

/// What one account holds. All of `front` comes before all of `behind` in its order.
#[derive(Default)]
pub(super) struct Held {
    pub(super) front: BTreeSet<Own>,
    pub(super) behind: BTreeSet<Own>,
    bytes: usize,
}

impl Held {
    fn amount(&self) -> Amount {
        Amount { transactions: self.front.len() + self.behind.len(), bytes: self.bytes }
    }
}

/// See the module.
pub(crate) struct Pool {
    per_account: usize,
    shares: Shares,
    entries: HashMap<TransactionId, Entry>,
    by_bytes: HashMap<Bytes, TransactionId>,
    /// Places of what may be admitted.
    pub(super) order: BTreeSet<Place>,
    /// Places of what is behind.
    pub(super) behind: BTreeSet<Place>,
    /// Where the next look at what is behind begins: after a look that found no room for all of it.
    pub(super) behind_from: Option<Place>,
    pub(super) accounts: HashMap<AccountId, Held>,
    arrivals: u64,
    turn: usize,
}

impl Pool {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            per_account: limits.per_account,
            shares: Shares::new(Amount { transactions: limits.transactions, bytes: limits.bytes }),
            entries: HashMap::new(),
            by_bytes: HashMap::new(),
            order: BTreeSet::new(),
            behind: BTreeSet::new(),
            behind_from: None,
            accounts: HashMap::new(),
            arrivals: 0,
            turn: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.shares.total().bytes
    }

    pub(crate) fn contains(&self, id: &TransactionId) -> bool {
        self.entries.contains_key(id)
    }

    /// The checked form of exactly these bytes, if they are here.
    pub(crate) fn checked(&self, bytes: &Bytes) -> Option<Arc<Checked>> {
        let entry = self.entries.get(self.by_bytes.get(bytes)?)?;
        Some(Arc::clone(&entry.candidate.checked))
    }

    /// What has a place here.
    pub(super) fn candidate(&self, id: &TransactionId) -> &Candidate {
        &self.entries.get(id).expect("what has a place is held").candidate
    }

    /// Keeps `candidate`. Says whether it is new.
    ///
    /// # Errors
    /// [`Code::BlockFull`] when there is no room; it may be sent again later.
    pub(crate) fn insert(&mut self, candidate: Candidate) -> Result<bool, Refusal> {
        let id = *candidate.id();
        if self.entries.contains_key(&id) {
            return Ok(false);
        }
        let class = Class::of(candidate.checked.transaction());
        let entry = Entry { candidate, class, arrival: self.arrivals, deferred: None };
        self.require_room(&entry)?;
        while let Some(class) = self.shares.gives_way(class, entry.amount()) {
            let youngest = self.youngest(class).expect("a class that has to give way holds something");
            self.remove(&youngest);
        }
        self.arrivals += 1;
        self.shares.add(class, entry.amount());
        self.by_bytes.insert(entry.candidate.bytes.clone(), id);
        let mut line = &mut self.order;
        if let Some(account) = entry.candidate.checked.account() {
            let held = self.accounts.entry(*account).or_default();
            held.bytes += entry.candidate.bytes.len();
            let own = entry.own();
            if held.behind.first().is_some_and(|first| *first < own) {
                held.behind.insert(own);
                line = &mut self.behind;
            } else {
                held.front.insert(own);
            }
        }
        line.insert(entry.place());
        self.entries.insert(id, entry);
        Ok(true)
    }

    /// Its account has not its share yet, and its class has room for it.
    fn require_room(&self, entry: &Entry) -> Result<(), Refusal> {
        let (room, more) = (self.shares.room(entry.class), entry.amount());
        if let Some(held) = entry.candidate.checked.account().and_then(|account| self.accounts.get(account)) {
            let (held, share) = (held.amount(), (room - more).eighth());
            let full = Refusal::new(Code::BlockFull);
            if held.transactions >= self.per_account.min(share.transactions) {
                return Err(full.needed("fewer waiting of this account").found(held.transactions));
            }
            if held.bytes + more.bytes > share.bytes {
                return Err(full.needed("fewer bytes waiting of this account").found(held.bytes));
            }
        }
        if more.within(room) {
            Ok(())
        } else {
            Err(Refusal::new(Code::BlockFull).needed("room in the mempool"))
        }
    }

    fn youngest(&self, class: Class) -> Option<TransactionId> {
        let last = |line: &BTreeSet<Place>| line.range(of_class(class)).next_back().copied();
        last(&self.order).max(last(&self.behind)).map(|(_, _, id)| id)
    }

    pub(crate) fn remove(&mut self, id: &TransactionId) -> Option<Candidate> {
        let entry = self.entries.remove(id)?;
        if !self.order.remove(&entry.place()) {
            self.behind.remove(&entry.place());
        }
        self.shares.remove(entry.class, entry.amount());
        self.by_bytes.remove(&entry.candidate.bytes);
        if let Some(account) = entry.candidate.checked.account()
            && let Some(held) = self.accounts.get_mut(account)
        {
            held.bytes -= entry.candidate.bytes.len();
            if !held.front.remove(&entry.own()) {
                held.behind.remove(&entry.own());
            }
            if held.front.is_empty() && held.behind.is_empty() {
                self.accounts.remove(account);
            }
        }
        Some(entry.candidate)
    }

    /// Puts a transaction, and what comes after it in the order of its account, behind those that may be admitted.
    /// Says since when it waits there.
    pub(crate) fn defer(&mut self, id: &TransactionId, now: BlockTime) -> Option<BlockTime> {
        let entry = self.entries.get_mut(id)?;
        let since = *entry.deferred.get_or_insert(now);
        let (place, own) = (entry.place(), entry.own());
        let held = entry.candidate.checked.account().and_then(|account| self.accounts.get_mut(account));
        let Some(held) = held else {
            self.order.remove(&place);
            self.behind.insert(place);
            return Some(since);
        };
        let later = held.front.split_off(&own);
        for (_, _, id) in &later {
            let place = self.entries.get(id).expect("what an account holds is held").place();
            self.order.remove(&place);
            self.behind.insert(place);
        }
        held.behind.extend(later);
        Some(since)
    }

    /// Whether anything is here that may be admitted and is not among `carried`.
    pub(crate) fn has_beyond(&self, carried: &HashSet<TransactionId>) -> bool {
        // Most calls end at the first entry; `carried` is at most a few blocks.
        self.order.iter().any(|(_, _, id)| !carried.contains(id))
    }

    /// What goes into the next block of this validator, in order, without what `carried` holds, within both bounds.
    pub(crate) fn choose(
        &mut self,
        carried: &HashSet<TransactionId>,
        most: usize,
        most_bytes: usize,
    ) -> Vec<Candidate> {
        let turn = TURNS[self.turn];
        self.turn = (self.turn + 1) % TURNS.len();
        let room = Amount { transactions: most, bytes: most_bytes };
        let (chosen, stopped) = Look::new(self, carried, room).run(turn);
        self.behind_from = stopped;
        chosen
    }
}

/// Every place, or everything of one account, in a class.
pub(super) fn of_class(class: Class) -> RangeInclusive<(Class, u64, TransactionId)> {
    (class, u64::MIN, [u8::MIN; 32])..=(class, u64::MAX, [u8::MAX; 32])
}
