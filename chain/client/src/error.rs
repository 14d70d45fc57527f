//! Why there is no answer, by what the asker can do about it.

use zeugma_types::Refusal;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule broke: the node refused, with the code of the rule. Waiting helps where
    /// [`Refusal::permanence`] says so.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The node does not answer this request, by a reason that is not a rule of the network: no token, too many
    /// requests, its storage failed.
    #[error("the node answers {status} {name}: {detail}")]
    Declined {
        /// Status of HTTP.
        status: u16,
        /// The stable name of the reason.
        name: String,
        /// The reason in words.
        detail: String,
    },
    /// Nobody answers there, or not in time.
    #[error("{endpoint} is not reachable: {reason}")]
    Unreachable {
        /// Who was asked.
        endpoint: String,
        /// Why not, in words.
        reason: String,
    },
    /// What was answered cannot be read.
    #[error("the answer of the node cannot be read: {0}")]
    Unreadable(String),
    /// What was answered does not prove what it says: the endpoint lies, or is of another network.
    #[error("the answer of the node is not proved: {0}")]
    Unproven(Refusal),
}

impl Error {
    /// Whether the same request may be answered later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.permanence() == zeugma_types::Permanence::NotYet,
            Self::Declined { status, .. } => *status == 408 || *status == 429 || *status >= 500,
            Self::Unreachable { .. } => true,
            Self::Unreadable(_) | Self::Unproven(_) => false,
        }
    }

    pub(crate) fn unreadable(what: &str, why: impl std::fmt::Display) -> Self {
        Self::Unreadable(format!("{what}: {why}"))
    }
}
