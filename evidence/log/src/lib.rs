//! The evidence log, as bytes: what is logged, how it is signed, how it is proved.
//!
//! The log is a C2SP transparency log with SHA-256, so that clients, monitors and witnesses of others read it
//! as it is. A second tree in SM3 stands over the same leaf bytes at the same indices and has its own note.
//!
//! | module | what | source |
//! |---|---|---|
//! | [`record`] | what a submitter deposits: digests and what belongs to them, in clear | DESIGN, section 6 |
//! | [`entry`] | the leaf: salted commitments to the record, field by field; disclosure; identity | DESIGN, section 6 |
//! | [`note`] | signed notes and the keys that sign them | C2SP `signed-note` |
//! | [`checkpoint`] | the log's tree head as a note | C2SP `tlog-checkpoint` |
//! | [`cosignature`] | timestamped statements of witnesses, and of the log itself in ML-DSA-44 | C2SP `tlog-cosignature` |
//! | [`tile`] | paths and widths of tiles, entry bundles, tree nodes from tiles | C2SP `tlog-tiles` |
//! | [`log_proof`] | one entry's inclusion as a text file | C2SP `tlog-proof` |
//! | [`witness`] | whether a checkpoint grew from the last one that was cosigned | C2SP `tlog-witness` |
//!
//! Nothing here reads a clock, draws a number or opens a file: times, salts and tiles are arguments.
//! `docs/byte-layout.md`, part II, is the published form.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(test)]
extern crate std;

mod base64;
pub mod checkpoint;
pub mod cosignature;
pub mod entry;
pub mod log_proof;
pub mod note;
pub mod record;
pub mod tile;
pub mod witness;

pub use checkpoint::{Checkpoint, LogSigner, SECOND_TREE_SUFFIX, second_origin};
pub use cosignature::{CosignerSigner, Signed};
pub use entry::{Committer, Disclosure, Entry, Seed, Shown, identity};
pub use log_proof::LogProof;
pub use note::{Algorithm, Note, NoteBounds, VerifierKey};
pub use record::{CustomField, Field, FileDigests, Record};
pub use tile::{EntryBundle, TileId, TileKind, TileNodes};

#[cfg(test)]
mod testkit;
