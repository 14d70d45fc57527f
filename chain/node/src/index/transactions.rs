//! Where a transaction stands, by its digest.
//!
//! The archive answers with two reads, whatever it holds, but each entry costs it several writes at places that the
//! digest chooses: a busy node would do nothing else. So a block's transactions are first held in memory; once a
//! [`RUN`] of them is there, they are written behind one another, sorted, in one piece; and while there is nothing else
//! to do they move on to the archive, in their order, [`MOVED`] with each quiet block. A search looks at all three places. Under
//! lasting load the runs grow in number and a search with them, by a few reads for each; nothing else waits for that.
//!
//! **What a crash leaves.** A run is found again whole or not at all. What was in memory, or moved and not synced, is
//! put in again from the records. A run is dropped only after the archive is durable that it was moved to.

use super::storage;
use crate::consensus::{Digest, Runtime};
use crate::engine::{BUFFER, archive};
use crate::mempool::TransactionId;
use crate::outbox::BlockRecord;
use bytes::BufMut;
use commonware_codec::{Buf, Error as CodecError, FixedSize, Read, ReadExt as _, Write};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::archive::{Archive as _, Identifier, immutable};
use commonware_storage::journal::contiguous::{Contiguous as _, Many, fixed};
use commonware_utils::NZU64;
use std::collections::{HashMap, VecDeque};

/// Entries of a run: three and a half megabytes.
const RUN: u64 = 1 << 16;
/// Entries that move to the archive with one block of a network that has nothing else to do.
const MOVED: u64 = 64;
/// A block of more transactions than this says that the network has.
const QUIET: usize = 4;

/// Where a transaction stands: its block, and its number there.
type Place = (u64, u32);

/// One transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    id: TransactionId,
    /// Transactions of the whole chain before it.
    index: u64,
    place: Place,
}

impl Write for Entry {
    fn write(&self, out: &mut impl BufMut) {
        out.put_slice(&self.id);
        self.index.write(out);
        self.place.0.write(out);
        self.place.1.write(out);
    }
}

impl Read for Entry {
    type Cfg = ();

    fn read_cfg(reader: &mut impl Buf, (): &()) -> Result<Self, CodecError> {
        Ok(Self {
            id: <[u8; 32]>::read(reader)?,
            index: u64::read(reader)?,
            place: (u64::read(reader)?, u32::read(reader)?),
        })
    }
}

impl FixedSize for Entry {
    const SIZE: usize = 32 + 8 + 8 + 4;
}

/// See the module.
pub(super) struct Transactions<E: Runtime> {
    archive: immutable::Archive<E, Digest, Place>,
    /// Whole runs, each sorted by digest.
    runs: fixed::Journal<E, Entry>,
    /// Entries of the first runs that moved to the archive.
    moved: u64,
    /// Those after the last run, in their order.
    fresh: VecDeque<Entry>,
    /// The first place of each of them.
    places: HashMap<TransactionId, Place>,
}

impl<E: Runtime> Transactions<E> {
    /// Opens what is stored.
    pub(super) async fn open(context: &E, prefix: &str, cache: &CacheRef) -> Result<Self, String> {
        let archive = immutable::Archive::init(
            context.child("transactions"),
            archive(prefix, "transactions", cache, ((), ())),
        )
        .await
        .map_err(storage)?;
        let config = fixed::Config {
            partition: format!("{prefix}-transaction-runs"),
            items_per_blob: NZU64!(RUN),
            page_cache: cache.clone(),
            write_buffer: BUFFER,
            replay_buffer: BUFFER,
        };
        let mut runs = fixed::Journal::init(context.child("runs"), config.clone()).await.map_err(storage)?;
        let whole = runs.size() / RUN * RUN;
        if whole < runs.size() {
            // A crash cut the last one off. Its entries are put in again.
            drop(runs);
            let again = context.child("whole_runs");
            runs = fixed::Journal::init_at_most(again, config, whole).await.map_err(storage)?;
        }
        let moved = runs.bounds().start;
        Ok(Self { archive, runs, moved, fresh: VecDeque::new(), places: HashMap::new() })
    }

    /// How many transactions of the chain are stored, counted from its first without a gap.
    pub(super) async fn stored(&self) -> Result<u64, String> {
        let bounds = self.runs.bounds();
        if bounds.is_empty() {
            // What stands behind a gap was moved and not synced: it is put in again.
            let (end, _) = self.archive.next_gap(0);
            return Ok(end.map_or(0, |last| last + 1));
        }
        // What is before the last run is in the archive or in a run, and a run holds what follows another.
        let positions: Vec<u64> = (bounds.end - RUN..bounds.end).collect();
        let last = self.runs.read_many(&positions).await.map_err(storage)?;
        Ok(last.iter().map(|entry| entry.index + 1).max().unwrap_or(0))
    }

    /// Takes note of those of a block's transactions whose index is at least `from`, in memory.
    pub(super) fn put_from(&mut self, record: &BlockRecord, from: u64) {
        let height = record.height.get();
        for (number, (id, _)) in (0_u32..).zip(&record.transactions) {
            let (index, place) = (record.first_transaction + u64::from(number), (height, number));
            if index >= from {
                // The first time counts.
                self.places.entry(*id).or_insert(place);
                self.fresh.push_back(Entry { id: *id, index, place });
            }
        }
    }

    /// Takes note of a block's transactions, in memory.
    pub(super) fn put(&mut self, record: &BlockRecord) {
        self.put_from(record, 0);
    }

    /// Writes what filled a run; after a quiet block, which held few transactions, moves some on to the archive.
    pub(super) async fn settle(mut self, held: usize) -> Result<Self, String> {
        while self.fresh.len() as u64 >= RUN {
            self = self.write_run().await?;
        }
        if held > QUIET { Ok(self) } else { self.move_on(MOVED).await }
    }

    async fn write_run(mut self) -> Result<Self, String> {
        let length = usize::try_from(RUN).expect("a run fits memory");
        let mut run: Vec<Entry> = self.fresh.drain(..length).collect();
        run.sort_unstable();
        self.runs = self.runs.append_many(Many::Flat(&run)).await.map_err(storage)?.0;
        run.iter().for_each(|entry| self.forget(entry));
        Ok(self)
    }

    /// Moves at most that many entries to the archive: of the first run, or from memory when there is none.
    async fn move_on(mut self, most: u64) -> Result<Self, String> {
        for _ in 0..most {
            let entry = if self.moved < self.runs.size() {
                let entry = self.runs.read(self.moved).await.map_err(storage)?;
                self.moved += 1;
                entry
            } else if let Some(entry) = self.fresh.pop_front() {
                self.forget(&entry);
                entry
            } else {
                break;
            };
            let mut key = Digest::from(entry.id);
            if self.archive.has(Identifier::Key(&key)).await.map_err(storage)? {
                // The first time counts. The index keeps its place, under a name that nobody asks for.
                key = Sha256::hash(&[&entry.id, &entry.index.to_be_bytes()]);
            }
            self.archive = self.archive.put(entry.index, key, &entry.place).await.map_err(storage)?;
        }
        Ok(self)
    }

    /// Takes an entry that left the memory out of the table, unless the table means an earlier one.
    fn forget(&mut self, entry: &Entry) {
        if self.places.get(&entry.id) == Some(&entry.place) {
            self.places.remove(&entry.id);
        }
    }

    /// Makes durable what is there.
    pub(super) async fn sync(mut self) -> Result<Self, String> {
        self.runs = self.runs.sync().await.map_err(storage)?;
        self.archive = self.archive.sync().await.map_err(storage)?;
        // Now, and not before: the archive holds for ever what these runs did.
        self.runs = self.runs.prune(self.moved).await.map_err(storage)?.0;
        Ok(self)
    }

    /// The first block that holds a transaction, and its number there.
    pub(super) async fn find(&self, id: &TransactionId) -> Result<Option<Place>, String> {
        let key = Digest::from(*id);
        // In the order of time, so that the first that is found is the first there was.
        if let Some(place) = self.archive.get(Identifier::Key(&key)).await.map_err(storage)? {
            return Ok(Some(place));
        }
        let bounds = self.runs.bounds();
        for run in bounds.start / RUN..bounds.end / RUN {
            if let Some(place) = self.search(run * RUN, id).await? {
                return Ok(Some(place));
            }
        }
        Ok(self.places.get(id).copied())
    }

    /// Searches the run that begins at `begin`. Digests are spread evenly, so the place is nearly known.
    async fn search(&self, begin: u64, id: &TransactionId) -> Result<Option<Place>, String> {
        let (mut low, mut high, mut found) = (begin, begin + RUN, None);
        let head = u64::from(u32::from_be_bytes([id[0], id[1], id[2], id[3]]));
        let mut at = begin + ((head * RUN) >> 32);
        let mut step = 64;
        while low < high {
            let entry = self.runs.read(at).await.map_err(storage)?;
            match entry.id.cmp(id) {
                // The same one may stand there again, after its first place.
                std::cmp::Ordering::Equal => {
                    found = Some(entry.place);
                    high = at;
                    at = low + (high - low) / 2;
                }
                std::cmp::Ordering::Less => {
                    low = at + 1;
                    at = (at + step).max(low).min(high.saturating_sub(1).max(low));
                }
                std::cmp::Ordering::Greater => {
                    high = at;
                    at = at.saturating_sub(step).max(low).min(high.saturating_sub(1).max(low));
                }
            }
            step *= 2;
            if high - low <= step {
                at = low + (high - low) / 2;
            }
        }
        Ok(found)
    }
}
