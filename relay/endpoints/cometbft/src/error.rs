//! Why a node's answer was not used.

use zeugma_types::{Permanence, Refusal};

/// Why there is no verified answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The node did not answer.
    #[error("{endpoint} did not answer: {why}")]
    Silent {
        /// The node's address.
        endpoint: String,
        /// What the system said.
        why: String,
    },
    /// The node answered with an error of its own.
    #[error("{endpoint} refused `{method}`: {why}")]
    Declined {
        /// The node's address.
        endpoint: String,
        /// What was asked.
        method: String,
        /// The node's words, shortened.
        why: String,
    },
    /// The answer is not laid out as CometBFT writes it.
    #[error("{endpoint} answered `{method}` with something else: {what}")]
    Layout {
        /// The node's address.
        endpoint: String,
        /// What was asked.
        method: String,
        /// What was found, shortened.
        what: String,
    },
    /// The answer breaks a rule of the chain, or is not proved.
    #[error("{endpoint}: {refusal}")]
    Refused {
        /// The node's address.
        endpoint: String,
        /// The rule.
        refusal: Box<Refusal>,
    },
    /// A target needs more headers in between than one walk may take.
    #[error("more than {bound} headers between the trusted one and {target}")]
    TooFar {
        /// Most steps of one walk.
        bound: usize,
        /// Where it should have led.
        target: u64,
    },
    /// Every endpoint of the chain rests after failures.
    #[error("every endpoint of {chain} rests after failures")]
    Resting {
        /// The chain.
        chain: String,
    },
}

impl Error {
    /// The rule that the answer broke, if it was read at all.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Whether the endpoint is at fault: it was silent, or what it said can never be right.
    ///
    /// What only time changes (a header ahead of our clock, a trusted state that expired) is nobody's lie, and another
    /// endpoint would say the same.
    #[must_use]
    pub fn blames_endpoint(&self) -> bool {
        match self {
            Self::Silent { .. } | Self::Declined { .. } | Self::Layout { .. } => true,
            Self::Refused { refusal, .. } => refusal.code.permanence() == Permanence::Never,
            Self::TooFar { .. } | Self::Resting { .. } => false,
        }
    }
}
