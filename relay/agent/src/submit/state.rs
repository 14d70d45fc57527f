//! What a submitter does next: decisions without I/O.
//!
//! ```text
//! queued -> signed -> sent -> final
//!    ^________|________|        (signed anew only when the old transaction can never be in a block)
//! ```
//!
//! A transaction can never be in a block once its sequence was used by another, or once a final block is later than
//! its bound. Before that it is sent again as it is, under its one name.

use zeugma_ledger::limits::MAX_TRANSACTION;
use zeugma_ledger::outcome::Recorded;
use zeugma_ledger::{Outcome, tx::Until};
use zeugma_types::codec::put_bytes;
use zeugma_types::{BlockTime, Code, Decode, Encode, Height, Permanence, Reader, Refusal, Span};

use crate::hub::Fate;

/// How long a transaction is good after it was signed.
pub const LIFETIME: Span = Span::seconds(120);
/// After which silence a transaction that a node no longer knows is sent again.
pub const RESEND: Span = Span::seconds(3);

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// Its name.
    pub id: [u8; 32],
    /// The account's sequence that it uses.
    pub sequence: u64,
    /// The block time after which it can be in no block.
    pub until: BlockTime,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Wished for.
    Queued,
    /// Signed and kept, perhaps sent.
    Signed(Signed),
    /// A node took it.
    Sent {
        /// What was sent.
        signed: Signed,
        /// When, by our clock.
        at: BlockTime,
    },
    /// Over.
    Final {
        /// The block, or the height known when it was refused without one.
        height: Height,
        /// What became of it.
        outcome: Outcome,
    },
}

impl Stage {
    /// The signed transaction, while one may still be in a block.
    #[must_use]
    pub const fn signed(&self) -> Option<&Signed> {
        match self {
            Self::Signed(signed) | Self::Sent { signed, .. } => Some(signed),
            Self::Queued | Self::Final { .. } => None,
        }
    }

    /// Which of so many messages were refused: the one that is named, or all where none can be.
    #[must_use]
    pub fn refused(&self, messages: usize) -> Vec<usize> {
        match self {
            Self::Final { outcome: Outcome::Refused { message, .. }, .. } => vec![usize::from(*message)],
            Self::Final { outcome: Outcome::NotAdmitted { .. }, .. } => (0..messages).collect(),
            _ => Vec::new(),
        }
    }

    /// The bounds that the transaction is signed with.
    #[must_use]
    pub fn until(now: BlockTime) -> Until {
        Until { height: Height::MAX, time: now.after(LIFETIME).unwrap_or(BlockTime::MAX) }
    }
}

/// What was observed of a signed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A node took it.
    Taken,
    /// A node refused to take it.
    Refused(Refusal),
    /// Where a node says it stands, and the time of the newest final block there.
    Stands {
        /// Its fate.
        fate: Fate,
        /// The newest final block's time.
        tip: BlockTime,
    },
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing now.
    Wait,
    /// Note that it was sent.
    NoteSent,
    /// Send it again, as it is.
    SendAgain,
    /// It may be in a block although it was refused: ask for its fate before anything else.
    AskFate,
    /// It can never be in a block: sign anew, with the sequence read again from the chain.
    SignAnew,
    /// It is over.
    Finish {
        /// The block, or zero.
        height: Height,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What to do about a signed transaction after this observation.
#[must_use]
pub fn next(stage: &Stage, seen: &Seen, now: BlockTime) -> Act {
    let Some(signed) = stage.signed() else { return Act::Wait };
    match seen {
        Seen::Taken => Act::NoteSent,
        Seen::Refused(refusal) => refused(refusal),
        Seen::Stands { fate, tip } => match fate {
            Fate::Final { height, outcome } => finished(*height, outcome),
            Fate::Waiting => Act::Wait,
            Fate::Dropped(refusal) => match refused(refusal) {
                // It is known to stand in no block of this node, so only time or another's block can decide.
                Act::AskFate | Act::Wait => lapsed_or(signed, *tip, Act::SendAgain),
                act => act,
            },
            Fate::Unknown => {
                let waited = match stage {
                    Stage::Sent { at, .. } => now.since(*at).is_some_and(|span| span >= RESEND),
                    _ => true,
                };
                lapsed_or(signed, *tip, if waited { Act::SendAgain } else { Act::Wait })
            }
        },
    }
}

/// What to do when a node refused a transaction that its chain said nothing final about: after [`Act::AskFate`] was
/// answered with anything but final.
#[must_use]
pub fn after_fate(refusal: &Refusal, fate: &Fate) -> Act {
    match fate {
        Fate::Final { height, outcome } => finished(*height, outcome),
        Fate::Waiting => Act::NoteSent,
        Fate::Unknown | Fate::Dropped(_) => match refusal.code {
            // Used by another: then not by ours. Lapsed: then for ever.
            Code::SequenceUsed | Code::SequenceAhead | Code::TransactionLapsed => Act::SignAnew,
            _ => Act::Wait,
        },
    }
}

fn refused(refusal: &Refusal) -> Act {
    match refusal.code {
        Code::SequenceUsed | Code::SequenceAhead | Code::TransactionLapsed => Act::AskFate,
        code if code.permanence() == Permanence::NotYet => Act::Wait,
        _ => Act::Finish {
            height: Height::ZERO,
            outcome: Outcome::NotAdmitted { refusal: Recorded::from(refusal) },
        },
    }
}

/// A transaction that was in a block and not admitted there used no sequence; one that lapsed there is gone.
fn finished(height: Height, outcome: &Outcome) -> Act {
    match outcome {
        Outcome::NotAdmitted { refusal }
            if matches!(
                refusal.code,
                Code::SequenceUsed | Code::SequenceAhead | Code::TransactionLapsed | Code::AllowanceSpent
            ) =>
        {
            Act::SignAnew
        }
        outcome => Act::Finish { height, outcome: outcome.clone() },
    }
}

fn lapsed_or(signed: &Signed, tip: BlockTime, otherwise: Act) -> Act {
    if tip > signed.until { Act::SignAnew } else { otherwise }
}

/// The next sequence: above the chain's highest used one, and above every one that is under way.
#[must_use]
pub fn next_sequence(highest: u64, under_way: impl Iterator<Item = u64>) -> Option<u64> {
    under_way.fold(highest, u64::max).checked_add(1)
}

impl Encode for Signed {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.bytes);
        self.id.encode(out);
        self.sequence.encode(out);
        self.until.encode(out);
    }
}

impl Decode for Signed {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            bytes: reader.bytes(MAX_TRANSACTION)?.into(),
            id: reader.array()?,
            sequence: reader.u64()?,
            until: BlockTime::decode(reader)?,
        })
    }
}

impl Encode for Stage {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Queued => out.push(1),
            Self::Signed(signed) => {
                out.push(2);
                signed.encode(out);
            }
            Self::Sent { signed, at } => {
                out.push(3);
                signed.encode(out);
                at.encode(out);
            }
            Self::Final { height, outcome } => {
                out.push(4);
                height.encode(out);
                outcome.encode(out);
            }
        }
    }
}

impl Decode for Stage {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Ok(Self::Queued),
            2 => Signed::decode(reader).map(Self::Signed),
            3 => Ok(Self::Sent { signed: Signed::decode(reader)?, at: BlockTime::decode(reader)? }),
            4 => Ok(Self::Final { height: Height::decode(reader)?, outcome: Outcome::decode(reader)? }),
            tag => Err(Refusal::new(Code::UnknownTag).needed(4_u64).found(tag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Signed {
        Signed { bytes: vec![1], id: [2; 32], sequence: 7, until: BlockTime::new(50_000) }
    }

    fn sent(at: u64) -> Stage {
        Stage::Sent { signed: signed(), at: BlockTime::new(at) }
    }

    fn stands(fate: Fate, tip: u64) -> Seen {
        Seen::Stands { fate, tip: BlockTime::new(tip) }
    }

    #[test]
    fn a_transaction_is_signed_anew_only_when_the_old_one_can_be_in_no_block() {
        let now = BlockTime::new(20_000);
        let lapsed = stands(Fate::Unknown, 50_001);
        assert_eq!(next(&sent(1), &lapsed, now), Act::SignAnew);
        let at_the_bound = stands(Fate::Unknown, 50_000);
        assert_eq!(next(&sent(1), &at_the_bound, now), Act::SendAgain, "its last block is not over");
        assert_eq!(next(&sent(19_000), &at_the_bound, now), Act::Wait, "give the network a moment");
        assert_eq!(next(&Stage::Signed(signed()), &at_the_bound, now), Act::SendAgain);
    }

    #[test]
    fn a_sequence_that_was_used_may_have_been_used_by_this_very_transaction() {
        let now = BlockTime::new(20_000);
        let refusal = Refusal::new(Code::SequenceUsed);
        assert_eq!(next(&Stage::Signed(signed()), &Seen::Refused(refusal.clone()), now), Act::AskFate);
        assert_eq!(after_fate(&refusal, &Fate::Unknown), Act::SignAnew);
        assert_eq!(after_fate(&refusal, &Fate::Waiting), Act::NoteSent);
        let done = Outcome::Done { messages: zeugma_ledger::bounded::List::default() };
        let is_final = Fate::Final { height: Height::new(4), outcome: done.clone() };
        assert_eq!(after_fate(&refusal, &is_final), Act::Finish { height: Height::new(4), outcome: done });
    }

    #[test]
    fn what_passes_is_waited_for_and_what_never_passes_ends_the_task() {
        let now = BlockTime::new(20_000);
        let stage = Stage::Signed(signed());
        let passing = Seen::Refused(Refusal::new(Code::AllowanceSpent));
        assert_eq!(next(&stage, &passing, now), Act::Wait);
        let never = Seen::Refused(Refusal::new(Code::CostAboveLimit));
        assert!(matches!(next(&stage, &never, now), Act::Finish { .. }));
        let refusal = Recorded::from(&Refusal::new(Code::PacketTimedOut));
        let in_block =
            Fate::Final { height: Height::new(9), outcome: Outcome::Refused { message: 1, refusal } };
        assert!(matches!(next(&sent(1), &stands(in_block, 2), now), Act::Finish { .. }));
    }

    #[test]
    fn sequences_go_on_above_what_the_chain_and_the_queue_have() {
        assert_eq!(next_sequence(0, [].into_iter()), Some(1));
        assert_eq!(next_sequence(7, [3, 9].into_iter()), Some(10));
        assert_eq!(next_sequence(u64::MAX, [].into_iter()), None);
    }

    #[test]
    fn a_stage_encodes_as_it_was_read() {
        let refusal = Recorded::from(&Refusal::new(Code::PacketTimedOut));
        let over = Stage::Final { height: Height::new(1), outcome: Outcome::NotAdmitted { refusal } };
        assert_eq!(over.refused(3), [0, 1, 2]);
        for stage in [Stage::Queued, Stage::Signed(signed()), sent(5), over] {
            assert_eq!(Stage::from_bytes(&stage.to_bytes()).unwrap(), stage);
        }
    }
}
