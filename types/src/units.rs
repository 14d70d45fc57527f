//! Numbers with names, units and ends. A point in time is not a distance; a height is not an index.
//!
//! Arithmetic is checked: whoever adds says what happens at the end of the range.

use crate::codec::{Decode, Encode, Reader};
use crate::refusal::{Code, Refusal};
use alloc::vec::Vec;
use core::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The smallest value.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(u64::MAX);

            /// Wraps a bare number.
            #[must_use]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The bare number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The value after this one, or `None` at the end of the range.
            #[must_use]
            pub const fn next(self) -> Option<Self> {
                match self.0.checked_add(1) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// The value before this one, or `None` at zero.
            #[must_use]
            pub const fn previous(self) -> Option<Self> {
                match self.0.checked_sub(1) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
                Ok(Self(reader.u64()?))
            }
        }
    };
}

number!(/// Height of a block; genesis is 0 and is not certified.
    Height);
number!(/// One group key. Eras count from 0 and never repeat.
    Era);
number!(/// The engine's fixed span of heights; an era is one or more of them.
    Epoch);
number!(/// A consensus view inside an epoch.
    View);
number!(/// Milliseconds since the Unix epoch, agreed by consensus.
    BlockTime);
number!(/// A distance in time, in milliseconds.
    Span);
number!(/// Whole seconds since the Unix epoch: the unit of IBC v2 packet timeouts.
    UnixSeconds);
number!(/// Position of a leaf in the outbox, from 0.
    LeafIndex);
number!(/// Number of leaves of a tree.
    TreeSize);
number!(/// Sequence of a packet under one client, from 1.
    Sequence);
number!(/// Work, in units fixed by sizes before the work is done.
    Cost);

impl Span {
    /// A span of whole milliseconds.
    #[must_use]
    pub const fn millis(millis: u64) -> Self {
        Self(millis)
    }

    /// A span of whole seconds, at the end of the range the longest span.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }
}

impl BlockTime {
    /// The instant `span` later, or `None` past the end of the range.
    #[must_use]
    pub const fn after(self, span: Span) -> Option<Self> {
        match self.0.checked_add(span.0) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// The distance from `earlier` to here, or `None` when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Option<Span> {
        match self.0.checked_sub(earlier.0) {
            Some(millis) => Some(Span(millis)),
            None => None,
        }
    }

    /// The whole second this instant lies in, rounded down: what packet timeouts compare with.
    #[must_use]
    pub const fn whole_seconds(self) -> UnixSeconds {
        UnixSeconds(self.0 / 1_000)
    }
}

impl Cost {
    /// The sum, at the end of the range the largest cost: a bound is then certainly exceeded.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Voting power of one member. Never zero, and a sum of as many as a list can hold fits `u128`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(core::num::NonZeroU64);

impl Weight {
    /// One vote, as in sets where every member counts the same.
    pub const ONE: Self = Self(core::num::NonZeroU64::MIN);

    /// # Errors
    /// [`Code::ZeroWeight`] for zero.
    pub fn new(weight: u64) -> Result<Self, Refusal> {
        core::num::NonZeroU64::new(weight).map(Self).ok_or_else(|| Refusal::new(Code::ZeroWeight))
    }

    /// The bare number, at least 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl Encode for Weight {
    fn encode(&self, out: &mut Vec<u8>) {
        self.get().encode(out);
    }
}

impl Decode for Weight {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::new(reader.u64()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_compares_whole_seconds_rounded_down() {
        assert_eq!(BlockTime::new(1_999).whole_seconds(), UnixSeconds::new(1));
        assert_eq!(BlockTime::new(2_000).whole_seconds(), UnixSeconds::new(2));
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Height::MAX.next(), None);
        assert_eq!(Height::ZERO.previous(), None);
        assert_eq!(BlockTime::MAX.after(Span::millis(1)), None);
        assert_eq!(BlockTime::new(5).since(BlockTime::new(6)), None);
        assert_eq!(Span::seconds(u64::MAX), Span::MAX);
    }

    #[test]
    fn weight_is_never_zero() {
        assert_eq!(Weight::new(0).unwrap_err().code, Code::ZeroWeight);
        assert_eq!(Weight::new(7).unwrap().get(), 7);
    }
}
