//! What runs did, added up.

use std::collections::BTreeMap;
use std::fmt;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs.
    pub runs: u64,
    /// Faults that were carried out, by kind; villains too.
    pub faults: BTreeMap<String, u64>,
    /// Views that validators gave up.
    pub nullified: u64,
    /// Starts of a validator beyond its first.
    pub restarts: u64,
    /// Final blocks.
    pub blocks: u64,
    /// Of those, the ones that became final through a later one.
    pub descended: u64,
    /// Epochs that were entered.
    pub epochs: u64,
    /// Transactions in final blocks.
    pub transactions: u64,
    /// Bad transactions refused on submission.
    pub bad_refused: u64,
    /// Leaves of the outbox.
    pub leaves: u64,
    /// Proofs that were checked.
    pub proofs: u64,
    /// Votes overheard.
    pub votes: u64,
    /// Conflicting votes of villains.
    pub equivocations: u64,
}

impl Report {
    /// Counts a fault.
    pub fn fault(&mut self, kind: &str) {
        *self.faults.entry(kind.to_owned()).or_default() += 1;
    }

    /// Adds another report.
    pub fn add(&mut self, other: &Self) {
        for (kind, times) in &other.faults {
            *self.faults.entry(kind.clone()).or_default() += times;
        }
        for (sum, more) in [
            (&mut self.runs, other.runs),
            (&mut self.nullified, other.nullified),
            (&mut self.restarts, other.restarts),
            (&mut self.blocks, other.blocks),
            (&mut self.descended, other.descended),
            (&mut self.epochs, other.epochs),
            (&mut self.transactions, other.transactions),
            (&mut self.bad_refused, other.bad_refused),
            (&mut self.leaves, other.leaves),
            (&mut self.proofs, other.proofs),
            (&mut self.votes, other.votes),
            (&mut self.equivocations, other.equivocations),
        ] {
            *sum += more;
        }
    }

    /// What a suite must have done and did not: a harness that injects nothing proves nothing.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let faults: u64 = self.faults.values().sum();
        [
            ("faults", faults),
            ("nullified views", self.nullified),
            ("restarts", self.restarts),
            ("blocks", self.blocks),
        ]
        .into_iter()
        .filter(|(_, count)| *count == 0)
        .map(|(what, _)| what)
        .collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs: {} blocks ({} through a later one), {} epochs, {} transactions final, {} bad ones refused, {} leaves, \
             {} proofs; {} views nullified, {} restarts, {} votes heard, {} equivocations; faults",
            self.runs,
            self.blocks,
            self.descended,
            self.epochs,
            self.transactions,
            self.bad_refused,
            self.leaves,
            self.proofs,
            self.nullified,
            self.restarts,
            self.votes,
            self.equivocations
        )?;
        for (kind, times) in &self.faults {
            write!(f, " {kind} {times}")?;
        }
        Ok(())
    }
}
