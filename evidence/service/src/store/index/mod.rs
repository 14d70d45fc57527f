//! The index: which identity and which idempotency key stands where.
//!
//! It follows the segments and is never asked for what they alone can say. Rows of a frame are applied together with
//! the next frame's sequence, so after a crash it is behind by whole frames, and catches up from the segments. A lost
//! or damaged index is made anew from them.

mod fjall;
pub(super) mod follow;
mod memory;
pub(super) mod search;

pub use fjall::FjallIndex;
pub use memory::MemoryIndex;

use super::deposit::Position;
use super::frame::Span;
use zeugma_types::Refusal;

/// The answer given to a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    pub(super) body: [u8; 32],
    pub(super) spans: Vec<Span>,
}

/// What frames change of the index, in one step.
#[derive(Clone, Debug, Default)]
pub struct IndexRows {
    /// Sequence of the first frame that is not in it.
    pub next: u64,
    /// New identities.
    pub insert: Vec<([u8; 32], Position)>,
    /// New requests.
    pub requests: Vec<([u8; 32], RequestRow)>,
    /// Identities that were erased.
    pub remove: Vec<[u8; 32]>,
}

/// An index.
pub trait Index: Send + Sync {
    /// Sequence of the first frame that is not in it; 0 when it is empty.
    ///
    /// # Errors
    /// When it cannot be read.
    fn next(&self) -> Result<u64, Refusal>;
    /// Where an identity stands.
    ///
    /// # Errors
    /// When it cannot be read.
    fn find(&self, identity: &[u8; 32]) -> Result<Option<Position>, Refusal>;
    /// Tells of every identity that it holds, until `each` wants no more.
    ///
    /// # Errors
    /// When it cannot be read.
    fn identities(&self, each: &mut dyn FnMut(&[u8; 32]) -> bool) -> Result<(), Refusal>;
    /// The answer to a request.
    ///
    /// # Errors
    /// When it cannot be read.
    fn request(&self, key: &[u8; 32]) -> Result<Option<RequestRow>, Refusal>;
    /// Applies rows, all of them or none. They are durable after [`Index::sync`], or later.
    ///
    /// # Errors
    /// When it cannot be written.
    fn apply(&self, rows: &IndexRows) -> Result<(), Refusal>;
    /// Makes what was applied durable.
    ///
    /// # Errors
    /// When it cannot be written.
    fn sync(&self) -> Result<(), Refusal>;
    /// Forgets everything.
    ///
    /// # Errors
    /// When it cannot be written.
    fn clear(&self) -> Result<(), Refusal>;
}
