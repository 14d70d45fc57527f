//! What validators say to each other, overheard: conflicting votes and views that were given up.
//!
//! The rule is that of the engine's paper in plain terms: a validator notarizes at most one proposal of a view,
//! finalizes at most one, and never both finalizes a view and gives it up. It holds over restarts.

use commonware_codec::ReadExt as _;
use commonware_consensus::simplex::types::Proposal;
use commonware_consensus::types::Round;
use commonware_p2p::utils::mux;
use commonware_runtime::IoBuf;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use zeugma_node::consensus::Digest;

/// The channel of votes.
pub const VOTES: u64 = 0;
/// The channel of certificates.
pub const CERTIFICATES: u64 = 1;

/// What one validator voted in one view.
#[derive(Clone, Default)]
struct Votes {
    notarized: Option<Digest>,
    finalized: Option<Digest>,
    nullified: bool,
}

/// What was overheard.
#[derive(Default)]
pub struct Heard {
    votes: BTreeMap<(usize, u64, u64), Votes>,
    /// Epoch and view of every view that was given up.
    pub nullified: BTreeSet<(u64, u64)>,
    /// Conflicting votes, in words.
    pub conflicts: BTreeSet<String>,
    /// Votes heard.
    pub count: u64,
}

/// A shared ear.
#[derive(Clone, Default)]
pub struct Tap(Arc<Mutex<Heard>>);

impl Tap {
    /// Looks at what was heard so far.
    pub fn with<T>(&self, look: impl FnOnce(&mut Heard) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes note of what the validator at `place` sends.
    pub fn hear(&self, place: usize, channel: u64, message: &IoBuf) {
        if channel == VOTES || channel == CERTIFICATES {
            self.with(|heard| heard.note(place, channel, message.clone()));
        }
    }
}

impl Heard {
    /// `None` when the message is none of the engine's, which nothing follows from.
    fn note(&mut self, place: usize, channel: u64, message: IoBuf) -> Option<()> {
        let (_, mut message) = mux::parse(message).ok()?;
        let kind = u8::read(&mut message).ok()?;
        if channel == CERTIFICATES {
            if kind == 1 {
                let round = Round::read(&mut message).ok()?;
                self.nullified.insert((round.epoch().get(), round.view().get()));
            }
            return Some(());
        }
        match kind {
            1 => {
                let round = Round::read(&mut message).ok()?;
                self.vote(place, round, None, kind);
            }
            _ => {
                let proposal = Proposal::<Digest>::read(&mut message).ok()?;
                self.vote(place, proposal.round, Some(proposal.payload), kind);
            }
        }
        Some(())
    }

    fn vote(&mut self, place: usize, round: Round, payload: Option<Digest>, kind: u8) {
        self.count += 1;
        let (epoch, view) = (round.epoch().get(), round.view().get());
        let votes = self.votes.entry((place, epoch, view)).or_default();
        let slot = match kind {
            0 => Some(&mut votes.notarized),
            2 => Some(&mut votes.finalized),
            _ => None,
        };
        let mut twice = false;
        match (slot, payload) {
            (Some(slot), Some(payload)) => {
                twice = slot.is_some_and(|before| before != payload);
                *slot = Some(payload);
            }
            _ => votes.nullified = true,
        }
        let both = votes.nullified && votes.finalized.is_some();
        if twice || both {
            let what = if twice { "signed two proposals" } else { "finalized and gave up" };
            self.conflicts.insert(format!("validator {place} {what} in epoch {epoch} view {view}"));
        }
    }
}
