//! Accounts: roles, which sequences were used, and an allowance of work that refills with time.
//!
//! **Sequences.** A sequence is used once. The account keeps the highest sequence used and which of the
//! [`SEQUENCE_WINDOW`] up to it were: one inside the window counts once, one behind it never, one ahead
//! moves the window. So transactions of one account may arrive in any order and a lost one stalls no
//! other, where an exact nonce would; and a replay is refused without remembering more than 256 bits.
//! Source: the anti-replay window of RFC 4303, section 3.4.3.
//!
//! **Allowance.** A token bucket in thousandths of a cost unit, refilled by block time with exact integers.

use crate::bounded::record;
use crate::gov::Parameters;
use crate::limits::{MAX_SEQUENCE_JUMP, SEQUENCE_WINDOW};
use crate::roles::Roles;
use zeugma_types::{BlockTime, Code, Cost, Refusal};

record! {
    /// What the ledger keeps of one account.
    pub struct Account {
        /// What it may do.
        pub roles: Roles,
        /// The sequences it used.
        pub used: Used,
        /// Work it may still ask for.
        pub allowance: Allowance,
    }

    /// The sequences used: those behind the window count as used.
    pub struct Used {
        /// The highest sequence used; 0 before the first.
        pub highest: u64,
        /// Bit `i` of `low` (and of `high`, from 128 on): whether `highest - i` was used.
        pub low: u128,
        /// See `low`.
        pub high: u128,
    }

    /// A bucket of work.
    pub struct Allowance {
        /// Thousandths of a cost unit left at `at`.
        pub thousandths: u64,
        /// When that was so.
        pub at: BlockTime,
    }
}

impl Account {
    /// An account without a history, its bucket full.
    #[must_use]
    pub fn new(roles: Roles, parameters: &Parameters, now: BlockTime) -> Self {
        Self { roles, used: Used::NONE, allowance: Allowance::full(parameters, now) }
    }
}

impl Used {
    /// None yet. Sequences count from 1.
    pub const NONE: Self = Self { highest: 0, low: 1, high: 0 };

    /// Uses `sequence`.
    ///
    /// # Errors
    /// [`Code::SequenceUsed`] when it was used or lies behind the window, [`Code::SequenceAhead`].
    pub fn take(&mut self, sequence: u64) -> Result<(), Refusal> {
        match sequence.checked_sub(self.highest) {
            Some(ahead) if ahead > MAX_SEQUENCE_JUMP => Err(Refusal::new(Code::SequenceAhead)
                .needed(self.highest.saturating_add(MAX_SEQUENCE_JUMP))
                .found(sequence)),
            Some(ahead) if ahead > 0 => {
                self.shift(ahead);
                self.low |= 1;
                self.highest = sequence;
                Ok(())
            }
            _ => {
                let behind = self.highest - sequence;
                let used = Refusal::new(Code::SequenceUsed).needed(self.highest).found(sequence);
                if behind >= SEQUENCE_WINDOW {
                    return Err(used);
                }
                let (half, bit) = if behind < 128 {
                    (&mut self.low, 1_u128 << behind)
                } else {
                    (&mut self.high, 1_u128 << (behind - 128))
                };
                if *half & bit != 0 {
                    return Err(used);
                }
                *half |= bit;
                Ok(())
            }
        }
    }

    fn shift(&mut self, by: u64) {
        let by = u32::try_from(by).unwrap_or(u32::MAX);
        (self.high, self.low) = match by {
            0 => (self.high, self.low),
            1..128 => ((self.high << by) | (self.low >> (128 - by)), self.low << by),
            128..256 => (self.low << (by - 128), 0),
            _ => (0, 0),
        };
    }
}

impl Allowance {
    fn full(parameters: &Parameters, now: BlockTime) -> Self {
        Self { thousandths: parameters.allowance_capacity.saturating_mul(1_000), at: now }
    }

    /// Spends `cost` at `now`.
    ///
    /// # Errors
    /// [`Code::AllowanceSpent`] when less is left; nothing changed.
    pub fn spend(&mut self, cost: Cost, parameters: &Parameters, now: BlockTime) -> Result<(), Refusal> {
        let elapsed = now.since(self.at).map_or(0, zeugma_types::Span::get);
        // A unit a second is a thousandth a millisecond.
        let refill = elapsed.saturating_mul(parameters.allowance_per_second);
        let capacity = parameters.allowance_capacity.saturating_mul(1_000);
        let level = self.thousandths.saturating_add(refill).min(capacity);
        let needed = cost.get().saturating_mul(1_000);
        let left = level
            .checked_sub(needed)
            .ok_or_else(|| Refusal::new(Code::AllowanceSpent).needed(cost.get()).found(level / 1_000))?;
        *self = Self { thousandths: left, at: now.max(self.at) };
        Ok(())
    }

    /// Gives back work that was paid for and not needed.
    pub fn give_back(&mut self, cost: Cost, parameters: &Parameters) {
        let capacity = parameters.allowance_capacity.saturating_mul(1_000);
        self.thousandths = self.thousandths.saturating_add(cost.get().saturating_mul(1_000)).min(capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    #[test]
    fn sequences_are_used_once_in_any_order_inside_the_window() {
        let mut used = Used::NONE;
        for sequence in [3, 1, 2, 300, 299, 45] {
            used.take(sequence).unwrap();
        }
        for sequence in [0, 3, 44, 45, 299, 300] {
            assert_eq!(used.take(sequence).unwrap_err().code, Code::SequenceUsed, "{sequence}");
        }
        assert_eq!(used.take(300 + MAX_SEQUENCE_JUMP + 1).unwrap_err().code, Code::SequenceAhead);
        used.take(300 + MAX_SEQUENCE_JUMP).unwrap();
    }

    #[test]
    fn an_allowance_refills_with_time_up_to_its_capacity() {
        let parameters =
            Parameters { allowance_capacity: 100, allowance_per_second: 10, ..Parameters::default() };
        let start = BlockTime::new(1_000);
        let mut allowance = Allowance::full(&parameters, start);
        allowance.spend(Cost::new(100), &parameters, start).unwrap();
        let refused = allowance.spend(Cost::new(1), &parameters, BlockTime::new(1_099)).unwrap_err();
        assert_eq!(refused, Refusal::new(Code::AllowanceSpent).needed(1_u64).found(0_u64));
        allowance.spend(Cost::new(1), &parameters, BlockTime::new(1_100)).unwrap();
        allowance.spend(Cost::new(101), &parameters, BlockTime::MAX).unwrap_err();
        allowance.spend(Cost::new(100), &parameters, BlockTime::MAX).unwrap();
    }

    proptest! {
        #[test]
        fn no_sequence_is_ever_used_twice(steps in prop::collection::vec(0_u64..2_000, 1..400)) {
            let mut used = Used::NONE;
            let mut seen = BTreeSet::new();
            for sequence in steps {
                // The oracle remembers everything.
                let highest = seen.last().copied().unwrap_or(0);
                let fresh = sequence > 0
                    && !seen.contains(&sequence)
                    && sequence + SEQUENCE_WINDOW > highest
                    && sequence <= highest + MAX_SEQUENCE_JUMP;
                prop_assert_eq!(used.take(sequence).is_ok(), fresh, "{} after {}", sequence, highest);
                if fresh {
                    seen.insert(sequence);
                }
            }
        }
    }
}
