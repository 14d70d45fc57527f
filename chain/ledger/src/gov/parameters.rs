//! The parameters of a network, and their relations.

use crate::bounded::{List, numbered, record};
use crate::limits::{MAX_APPROVALS, MAX_FAMILIES};
use alloc::vec::Vec;
use zeugma_crypto::hash::framed;
use zeugma_types::{Code, Cost, Encode, Purpose, Refusal, Span};

numbered! {
    /// Whether payloads without a sender are accepted.
    pub enum OpenSubmission {
        /// Only accounts submit.
        Refused = 0, "refused";
        /// Anyone may submit opaque payloads.
        Accepted = 1, "accepted";
    }
}

record! {
    /// What a network agreed on. It changes at the beginning of a block only.
    pub struct Parameters {
        /// Work of all transactions of one block.
        pub block_cost: Cost,
        /// Work of one transaction.
        pub transaction_cost: Cost,
        /// Most work an account can save up.
        pub allowance_capacity: u64,
        /// Work an account gains in a second.
        pub allowance_per_second: u64,
        /// How long a recovery waits between proposal and effect.
        pub recovery_delay: Span,
        /// Governors that must approve a change.
        pub governors_needed: u16,
        /// Blocks between the last approval of a change and its effect, at least.
        pub notice: u64,
        /// Blocks in which a proposal can be approved.
        pub proposal_lifetime: u64,
        /// Whether payloads without a sender are accepted.
        pub open_submission: OpenSubmission,
        /// Numbers of the families of which clients may be created, ascending.
        pub families: List<u16, MAX_FAMILIES>,
    }
}

impl Parameters {
    /// Checks that the relations hold.
    ///
    /// # Errors
    /// [`Code::BadParameters`] with the relation that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let relations = [
            (self.transaction_cost > Cost::ZERO, "a transaction costs something"),
            (self.transaction_cost <= self.block_cost, "the dearest transaction fits a block"),
            (
                self.allowance_capacity >= self.transaction_cost.get(),
                "an account can save up for the dearest transaction",
            ),
            (self.allowance_capacity <= u64::MAX / 1_000, "an allowance counts in thousandths"),
            (self.allowance_per_second > 0, "allowances refill"),
            (self.recovery_delay > Span::ZERO, "a recovery waits"),
            (self.governors_needed > 0, "a change needs a governor"),
            (usize::from(self.governors_needed) <= MAX_APPROVALS, "approvals are bounded"),
            (self.notice > 0, "a change is announced"),
            (self.proposal_lifetime > 0, "a proposal can be approved"),
            (
                self.families.as_slice().windows(2).all(|pair| pair[0] < pair[1]),
                "families stand once, ascending",
            ),
        ];
        match relations.iter().find(|(holds, _)| !holds) {
            Some((_, relation)) => Err(Refusal::new(Code::BadParameters).needed(*relation)),
            None => Ok(()),
        }
    }

    /// What the registry's entry of kind `parameters` says.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        framed(Purpose::Registry, &[&self.to_bytes()])
    }
}

impl Default for Parameters {
    /// For a consortium of known members: a block holds about half a second of one core's work, well below a
    /// leader's timeout; one transaction at most four fifths of it, which the largest update or evidence of a
    /// chain of 150 validators fits. An account may use a tenth of a core for ever, and save up a second.
    fn default() -> Self {
        Self {
            block_cost: Cost::new(500_000),
            transaction_cost: Cost::new(400_000),
            allowance_capacity: 1_000_000,
            allowance_per_second: 100_000,
            recovery_delay: Span::seconds(24 * 60 * 60),
            governors_needed: 1,
            notice: 100,
            proposal_lifetime: 7 * 24 * 60 * 60,
            open_submission: OpenSubmission::Refused,
            families: List::new(Vec::new()).expect("an empty list is within every bound"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_between_parameters_are_checked_with_words() {
        Parameters::default().check().unwrap();
        let dear = Parameters { transaction_cost: Cost::MAX, ..Parameters::default() };
        let refused = dear.check().unwrap_err();
        assert_eq!(refused, Refusal::new(Code::BadParameters).needed("the dearest transaction fits a block"));
        let twice = Parameters { families: List::new([7, 7].into()).unwrap(), ..Parameters::default() };
        assert_eq!(twice.check().unwrap_err().code, Code::BadParameters);
    }
}
