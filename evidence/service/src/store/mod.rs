//! The log on disk: what was acknowledged is there, once, and stays what it was.
//!
//! ```text
//! <root>/shards/<n>/segments/<k>.seg      the truth: groups of entries, checksummed, in one chain
//! <root>/shards/<n>/public/…              checkpoint, tile/…, sm3/…: static files, made from the segments
//! <root>/index/                           identities and idempotency keys: follows, rebuilt when lost
//! <root>/search/                          by digest, case and submitter: follows too, and nobody waits for it
//! ```
//!
//! 1. A deposit is prepared where it arrived ([`Log::prepare`]: commitments, identity) and handed to the one
//!    sequencer, a thread.
//! 2. The sequencer takes what waits as a group, drops what is there already, gives the rest its positions, writes
//!    one frame and syncs once. Then, and only then, the trees grow and every depositor is answered.
//! 3. The index follows behind, from the same frames. What is not in it yet the sequencer remembers.
//! 4. [`Log::publish`] writes the tiles that grew, syncs, renames, syncs, and then the signed checkpoint: never a tile
//!    whose entries are not durable, never a checkpoint whose tiles are not.
//!
//! Each segment begins with the state of the trees, so opening reads the last segments only, from the one in which
//! the published size lies. The chain of checksums shows a frame that was lost or changed; a frame cut short at the very
//! end was never acknowledged and is cut off. A published checkpoint above what the segments hold is a lost tail: the log
//! then goes on under a new origin only.

mod backup;
mod deposit;
pub(crate) mod disk;
mod frame;
mod fsck;
mod index;
mod open;
mod publish;
mod read;
mod recover;
mod search;
mod seen;
mod segment;
mod sequencer;
#[cfg(any(test, feature = "test-utils"))]
pub mod sim;
mod trees;

pub use backup::{Restored, restore};
pub use deposit::{Batch, Deposit, IdempotencyKey, Outcome, Position, Prepared};
pub use disk::{Disk, DiskFile, Identity, RealDisk};
pub(crate) use disk::{read, replace, temporary};
pub use fsck::{Finding, Fsck};
pub use index::search::{CASE, FjallSearch, MemorySearch, SearchIndex, SearchRows, Tag, Term};
pub use index::{FjallIndex, Index, IndexRows, MemoryIndex, RequestRow};
pub use open::{Config, Log};
pub use publish::Signers;
pub use read::Stored;
pub use search::{Found, Page, Query};
pub use trees::Tree;

use std::io;
use zeugma_types::{Code, Refusal};

/// What an I/O error means to a depositor.
pub(crate) fn io_refusal(error: &io::Error) -> Refusal {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StoreFull,
        _ => Code::StoreFailed,
    };
    Refusal::new(code).found(error.to_string())
}

fn damaged(what: impl Into<String>) -> Refusal {
    Refusal::new(Code::Damaged).found(what.into())
}
