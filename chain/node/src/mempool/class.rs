//! Classes of transactions, and how much of the pool each may hold.
//!
//! An eighth of the pool is each class's own: nothing of another class pushes out what is within it. What a class holds
//! beyond its eighth is there until a higher class, or one that is below its own eighth, asks for the room.

use std::ops::{Add, Sub};
use zeugma_ledger::{Action, Transaction};

/// What goes first. A transaction has the last class of its messages, so nothing is lifted by company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
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
    /// Every class, first to last.
    pub(super) const ALL: [Self; 4] = [Self::Safety, Self::Relay, Self::Records, Self::Payload];

    pub(super) fn of(transaction: &Transaction) -> Self {
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

    const fn place(self) -> usize {
        match self {
            Self::Safety => 0,
            Self::Relay => 1,
            Self::Records => 2,
            Self::Payload => 3,
        }
    }
}

/// Transactions, and bytes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) transactions: usize,
    pub(super) bytes: usize,
}

impl Amount {
    /// One transaction of so many bytes.
    pub(super) const fn one(bytes: usize) -> Self {
        Self { transactions: 1, bytes }
    }

    pub(super) fn min(self, other: Self) -> Self {
        Self { transactions: self.transactions.min(other.transactions), bytes: self.bytes.min(other.bytes) }
    }

    fn max(self, other: Self) -> Self {
        Self { transactions: self.transactions.max(other.transactions), bytes: self.bytes.max(other.bytes) }
    }

    pub(super) const fn eighth(self) -> Self {
        Self { transactions: self.transactions / 8, bytes: self.bytes / 8 }
    }

    /// Whether both are within `bound`.
    pub(super) const fn within(self, bound: Self) -> bool {
        self.transactions <= bound.transactions && self.bytes <= bound.bytes
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            transactions: self.transactions.saturating_add(other.transactions),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Sub for Amount {
    type Output = Self;

    /// What is left; nothing where there is less.
    fn sub(self, other: Self) -> Self {
        Self {
            transactions: self.transactions.saturating_sub(other.transactions),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// What each class holds of a pool.
pub(super) struct Shares {
    whole: Amount,
    held: [Amount; 4],
}

impl Shares {
    pub(super) fn new(whole: Amount) -> Self {
        Self { whole, held: [Amount::default(); 4] }
    }

    pub(super) fn total(&self) -> Amount {
        self.held.into_iter().fold(Amount::default(), Amount::add)
    }

    pub(super) fn add(&mut self, class: Class, amount: Amount) {
        let held = &mut self.held[class.place()];
        *held = *held + amount;
    }

    pub(super) fn remove(&mut self, class: Class, amount: Amount) {
        let held = &mut self.held[class.place()];
        *held = *held - amount;
    }

    fn of(&self, class: Class) -> Amount {
        self.held[class.place()]
    }

    /// What `class` may still take: what is free, what lower classes hold beyond their eighth, and in any case what its
    /// own eighth lacks.
    pub(super) fn room(&self, class: Class) -> Amount {
        let own = self.whole.eighth();
        let stays = |other: Class| if other > class { self.of(other).min(own) } else { self.of(other) };
        let taken = Class::ALL.into_iter().map(stays).fold(Amount::default(), Amount::add);
        (self.whole - taken).max(own - self.of(class))
    }

    /// Which class has to give way for `amount` more of `class`: none when there is room, or none that has to.
    pub(super) fn gives_way(&self, class: Class, amount: Amount) -> Option<Class> {
        let own = self.whole.eighth();
        let (total, after) = (self.total() + amount, self.of(class) + amount);
        let short_of = |of: fn(Amount) -> usize| {
            if of(total) <= of(self.whole) {
                return None;
            }
            let others = Class::ALL.into_iter().rev().filter(|other| *other != class);
            let mut beyond = others.filter(|other| of(self.of(*other)) > of(own));
            beyond.find(|other| *other > class || of(after) <= of(own))
        };
        short_of(|amount| amount.transactions).or_else(|| short_of(|amount| amount.bytes))
    }
}
