//! Why a worker could not do what was due.

use crate::hub;
use zeugma_types::Refusal;

/// Why a tick ended early. The next one tries again; nothing that was persisted is lost.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Zeugma chain did not answer, or refused.
    #[error(transparent)]
    Hub(#[from] hub::Error),
    /// A CometBFT chain did not answer, or what it said is not proved.
    #[error(transparent)]
    Comet(#[from] zeugma_endpoint_cometbft::Error),
    /// What was read or built breaks a rule.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The queue's file failed. The operator's matter.
    #[error("the queue: {0}")]
    Queue(String),
    /// The configuration does not hold.
    #[error("the configuration: {0}")]
    Config(String),
    /// A file cannot be read, or a port not be listened on.
    #[error("{what}: {why}")]
    System {
        /// Which file or address.
        what: String,
        /// What the system said.
        why: String,
    },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Error {
    pub(crate) fn queue(why: impl std::fmt::Display) -> Self {
        Self::Queue(why.to_string())
    }

    pub(crate) fn system(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Self {
        Self::System { what: what.to_string(), why: why.to_string() }
    }
}
