//! Evidence logs: their checkpoints are anchored here, and a log that shows two histories is recorded.

mod anchor;
mod note;
mod split;

pub use anchor::{History, LogKey, Origin};
pub(crate) use anchor::{anchor, register};
pub use note::{Checkpoint, SECOND_TREE_SUFFIX};
pub(crate) use split::report;
pub use split::{Conflict, Contradiction};
