//! Why a step cannot go on: a key is not read yet, a rule broke, or the store is not ours.

use crate::state::Key;
use zeugma_types::Refusal;

/// The result of work on a view of the state.
pub(crate) type Run<T> = Result<T, Halt>;

/// Why work stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Keys were noted in the view that the reads do not have.
    Missing,
    /// A rule broke; the transaction leaves no effect.
    Refused(Refusal),
    /// The store holds bytes under this key that this program never wrote.
    Corrupt(Key),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
