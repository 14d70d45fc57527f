//! What became of a transaction, with its reason when it was refused.
//!
//! The outcome of every transaction is kept beside its block by the node: it is a function of the
//! block and the state before it, so every node keeps the same bytes.

use crate::bounded::{Bytes, List};
use crate::limits::{MAX_MESSAGES, MAX_REFUSAL_SIDE};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeugma_types::{Code, Decode, Encode, Reader, Refusal, Side};

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every message took effect, or was found done before.
    Done {
        /// One for each message.
        messages: List<Effect, MAX_MESSAGES>,
    },
    /// The transaction was admitted, used its sequence and its cost, and one message was refused: nothing
    /// else of it took effect.
    Refused {
        /// The message that was refused, counted from 0.
        message: u8,
        /// Why.
        refusal: Recorded,
    },
    /// The transaction was not admitted: nothing of it took effect, its sequence is unused.
    NotAdmitted {
        /// Why.
        refusal: Recorded,
    },
}

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It took effect.
    Applied,
    /// It had been done before, by the same or another sender: nothing changed, its work is not charged.
    AlreadyDone,
}

impl Outcome {
    /// Whether the transaction took effect.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// Why it did not, if it did not.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Recorded> {
        match self {
            Self::Done { .. } => None,
            Self::Refused { refusal, .. } | Self::NotAdmitted { refusal } => Some(refusal),
        }
    }
}

/// A refusal as it is recorded: the code, and both sides as short text.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The rule that broke.
    pub code: Code,
    needed: Bytes<MAX_REFUSAL_SIDE>,
    found: Bytes<MAX_REFUSAL_SIDE>,
}

impl Recorded {
    /// What the rule needed, in words; empty when it has no such value.
    #[must_use]
    pub fn needed(&self) -> String {
        String::from_utf8_lossy(self.needed.as_slice()).into_owned()
    }

    /// What was found, in words; empty when there is no such value.
    #[must_use]
    pub fn found(&self) -> String {
        String::from_utf8_lossy(self.found.as_slice()).into_owned()
    }

    /// The refusal as a value, its sides as text.
    #[must_use]
    pub fn to_refusal(&self) -> Refusal {
        let side = |text: String| if text.is_empty() { Side::Nothing } else { Side::Text(text) };
        Refusal { code: self.code, needed: side(self.needed()), found: side(self.found()) }
    }
}

impl From<&Refusal> for Recorded {
    fn from(refusal: &Refusal) -> Self {
        let short = |side: &Side| {
            let mut text = format!("{side}").into_bytes();
            text.truncate(MAX_REFUSAL_SIDE);
            Bytes::new(text).expect("the text was cut to the bound")
        };
        Self { code: refusal.code, needed: short(&refusal.needed), found: short(&refusal.found) }
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_refusal(), f)
    }
}

impl Encode for Recorded {
    fn encode(&self, out: &mut Vec<u8>) {
        self.code.number().encode(out);
        self.needed.encode(out);
        self.found.encode(out);
    }
}

impl Decode for Recorded {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let number = reader.u16()?;
        let code = Code::numbered(number).ok_or_else(|| Refusal::new(Code::UnknownTag).found(number))?;
        Ok(Self { code, needed: Bytes::decode(reader)?, found: Bytes::decode(reader)? })
    }
}

impl Encode for Effect {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Applied => 1,
            Self::AlreadyDone => 2,
        });
    }
}

impl Decode for Effect {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Ok(Self::Applied),
            2 => Ok(Self::AlreadyDone),
            tag => Err(Refusal::new(Code::UnknownTag).found(tag)),
        }
    }
}

impl Encode for Outcome {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Done { messages } => {
                out.push(1);
                messages.encode(out);
            }
            Self::Refused { message, refusal } => {
                out.push(2);
                message.encode(out);
                refusal.encode(out);
            }
            Self::NotAdmitted { refusal } => {
                out.push(3);
                refusal.encode(out);
            }
        }
    }
}

impl Decode for Outcome {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Ok(Self::Done { messages: List::decode(reader)? }),
            2 => Ok(Self::Refused { message: reader.u8()?, refusal: Recorded::decode(reader)? }),
            3 => Ok(Self::NotAdmitted { refusal: Recorded::decode(reader)? }),
            tag => Err(Refusal::new(Code::UnknownTag).found(tag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_keeps_code_and_sides_through_its_encoding() {
        let refusal = Refusal::new(Code::TooLong).needed(5_u64).found([7; 32]);
        let outcome = Outcome::Refused { message: 3, refusal: Recorded::from(&refusal) };
        let read = Outcome::from_bytes(&outcome.to_bytes()).unwrap();
        assert_eq!(read, outcome);
        let recorded = read.refusal().unwrap();
        assert_eq!((recorded.code, recorded.needed().as_str()), (Code::TooLong, "5"));
        assert_eq!(recorded.found().len(), 64);
    }
}
