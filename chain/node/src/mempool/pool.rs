//! The pool's decisions: what is kept, what makes room, what goes into a block first. No lock, no await.
//!
//! Order: by class, then by arrival; but an account's transactions go in the order of their sequences, in the
//! place of the first of them. What could not be admitted yet comes after all others, and calls for no block. A
//! full pool makes room by its youngest transaction of the lowest class, if that is
//! below the class of the new one. No account holds more than its share.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;
use zeugma_ledger::{Action, Checked, Transaction};
use zeugma_types::{AccountId, BlockTime, Code, Refusal};

/// Digest of a transaction.
pub(crate) type TransactionId = [u8; 32];

/// What goes first. A transaction has the last class of its messages, so nothing is lifted by company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Proof of misbehaviour, halts, governance: what keeps the network safe.
    Safety,
    /// Client updates, packets and time-outs, which lapse.
    Relay,
    /// Anchors, registry, set-up.
    Records,
    /// Payloads that the ledger does not read.
    Payload,
}

impl Class {
    fn of(transaction: &Transaction) -> Self {
        let Transaction::Signed { body, .. } = transaction else { return Self::Payload };
        body.messages
            .iter()
            .map(|message| Self::of_action(Action::of(message)))
            .max()
            .unwrap_or(Self::Payload)
    }

    const fn of_action(action: Action) -> Self {
        match action {
            Action::SubmitMisbehaviour
            | Action::ReportSplitView
            | Action::HaltRoute
            | Action::CancelRecovery
            | Action::Govern => Self::Safety,
            Action::UpdateClient | Action::Relay | Action::ResumeRoute | Action::FinishRecovery => {
                Self::Relay
            }
            Action::Opaque => Self::Payload,
            _ => Self::Records,
        }
    }
}

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
    /// When a block first could not admit it yet.
    deferred: Option<BlockTime>,
}

impl Entry {
    fn place(&self) -> (Class, u64, TransactionId) {
        (self.class, self.arrival, *self.candidate.id())
    }
}

/// See the module.
pub(crate) struct Pool {
    limits: Limits,
    entries: HashMap<TransactionId, Entry>,
    by_bytes: HashMap<Bytes, TransactionId>,
    order: BTreeSet<(Class, u64, TransactionId)>,
    deferred: BTreeSet<(Class, u64, TransactionId)>,
    accounts: BTreeMap<AccountId, BTreeSet<(u64, TransactionId)>>,
    bytes: usize,
    arrivals: u64,
}

impl Pool {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: HashMap::new(),
            by_bytes: HashMap::new(),
            order: BTreeSet::new(),
            deferred: BTreeSet::new(),
            accounts: BTreeMap::new(),
            bytes: 0,
            arrivals: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn contains(&self, id: &TransactionId) -> bool {
        self.entries.contains_key(id)
    }

    /// The checked form of exactly these bytes, if they are here.
    pub(crate) fn checked(&self, bytes: &Bytes) -> Option<Arc<Checked>> {
        let entry = self.entries.get(self.by_bytes.get(bytes)?)?;
        Some(Arc::clone(&entry.candidate.checked))
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
        if let Some(account) = candidate.checked.account()
            && self.accounts.get(account).is_some_and(|held| held.len() >= self.limits.per_account)
        {
            let found = u64::try_from(self.limits.per_account).unwrap_or(u64::MAX);
            return Err(Refusal::new(Code::BlockFull).needed("fewer waiting of this account").found(found));
        }
        let class = Class::of(candidate.checked.transaction());
        while self.entries.len() >= self.limits.transactions
            || self.bytes.saturating_add(candidate.bytes.len()) > self.limits.bytes
        {
            match self.order.last().max(self.deferred.last()).copied() {
                Some((last, _, loser)) if last > class => drop(self.remove(&loser)),
                _ => return Err(Refusal::new(Code::BlockFull).needed("room in the mempool")),
            }
        }
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.bytes += candidate.bytes.len();
        self.order.insert((class, arrival, id));
        self.by_bytes.insert(candidate.bytes.clone(), id);
        if let Some(account) = candidate.checked.account() {
            self.accounts.entry(*account).or_default().insert((candidate.sequence(), id));
        }
        self.entries.insert(id, Entry { candidate, class, arrival, deferred: None });
        Ok(true)
    }

    pub(crate) fn remove(&mut self, id: &TransactionId) -> Option<Candidate> {
        let entry = self.entries.remove(id)?;
        if !self.order.remove(&entry.place()) {
            self.deferred.remove(&entry.place());
        }
        let candidate = entry.candidate;
        self.by_bytes.remove(&candidate.bytes);
        self.bytes -= candidate.bytes.len();
        if let Some(account) = candidate.checked.account()
            && let Some(held) = self.accounts.get_mut(account)
        {
            held.remove(&(candidate.sequence(), *id));
            if held.is_empty() {
                self.accounts.remove(account);
            }
        }
        Some(candidate)
    }

    /// Puts a transaction behind those that may be admitted. Says since when it waits there.
    pub(crate) fn defer(&mut self, id: &TransactionId, now: BlockTime) -> Option<BlockTime> {
        let entry = self.entries.get_mut(id)?;
        let since = *entry.deferred.get_or_insert(now);
        let place = entry.place();
        self.order.remove(&place);
        self.deferred.insert(place);
        Some(since)
    }

    /// Whether anything is here that may be admitted and is not among `carried`.
    pub(crate) fn has_beyond(&self, carried: &HashSet<TransactionId>) -> bool {
        // Most calls end at the first entry; `carried` is at most a few blocks.
        self.order.iter().any(|(_, _, id)| !carried.contains(id))
    }

    /// What goes into a block, in order, without what `carried` holds, within both bounds.
    pub(crate) fn choose(
        &self,
        carried: &HashSet<TransactionId>,
        most: usize,
        most_bytes: usize,
    ) -> Vec<Candidate> {
        let (mut chosen, mut total) = (Vec::new(), 0_usize);
        // Up to where an account's transactions were looked at: none is looked at twice.
        let mut looked: HashMap<AccountId, (u64, TransactionId)> = HashMap::new();
        for (_, _, id) in self.order.iter().chain(&self.deferred) {
            let entry = self.entries.get(id).expect("what is ordered is held");
            let up_to = (entry.candidate.sequence(), *id);
            // Before this one, the account's earlier sequences; after those, this one.
            let together: Vec<TransactionId> = match entry.candidate.checked.account() {
                None => vec![*id],
                Some(account) => {
                    let from = looked.insert(*account, up_to);
                    if let Some(from) = from
                        && from >= up_to
                    {
                        looked.insert(*account, from);
                        continue;
                    }
                    let held = self.accounts.get(account).expect("an account holds what is ordered");
                    let range = (from.map_or(Bound::Unbounded, Bound::Excluded), Bound::Included(up_to));
                    held.range(range).map(|(_, id)| *id).collect()
                }
            };
            for id in together {
                if carried.contains(&id) {
                    continue;
                }
                let candidate = &self.entries.get(&id).expect("what an account holds is held").candidate;
                if chosen.len() == most || total + candidate.bytes.len() > most_bytes {
                    return chosen;
                }
                total += candidate.bytes.len();
                chosen.push(candidate.clone());
            }
        }
        chosen
    }
}
