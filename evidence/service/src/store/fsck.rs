//! `fsck`: everything that can be made again from the segments is, and held against what is there.
//!
//! It builds the trees by itself, from leaves and hashes alone, and shares with the log only the reading of
//! frames. What it can repair it repairs when asked: a segment from its twin, a tile from the entries; a wrong index is
//! told, and made anew by opening the store without it.

use super::deposit::{Position, Private};
use super::disk::read;
use super::frame::{Frame, Op, PrivatePart};
use super::open::Log;
use super::read::identity_of;
use super::recover::{copy, examine};
use super::segment::{SegmentId, Step};
use super::trees::Tree;
use std::fmt;
use zeugma_crypto::hash::hash;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::entry::Suites;
use zeugma_evidence_log::{Committer, Entry, NoteBounds};
use zeugma_types::{Decode as _, HashSuite, Refusal};

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, or the row.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
    /// Whether it was repaired.
    pub repaired: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.place, self.what, if self.repaired { " (repaired)" } else { "" })
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fsck {
    /// Entries read.
    pub entries: u64,
    /// Entries whose record was erased.
    pub erased: u64,
    /// Tiles compared.
    pub tiles: u64,
    /// Checkpoints compared.
    pub checkpoints: u64,
    /// Rows of the index compared.
    pub rows: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Fsck {
    /// Whether nothing is wrong, or all of it was repaired.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.repaired)
    }

    fn find(&mut self, place: impl fmt::Display, what: impl fmt::Display, repaired: bool) {
        self.findings.push(Finding { place: place.to_string(), what: what.to_string(), repaired });
    }
}

type Hash = [u8; 32];

/// Erasures that were ordered, and records that are gone.
#[derive(Default)]
struct Orders {
    erased: Vec<(Position, u64)>,
    gone: Vec<Position>,
}

/// A tree built the plain way: hashes of complete tiles are dropped when their root has gone up.
struct Plain {
    tree: Tree,
    levels: Vec<Vec<Hash>>,
    done: Vec<u64>,
}

impl Plain {
    fn new(tree: Tree) -> Self {
        Self { tree, levels: vec![Vec::new(); 8], done: vec![0; 8] }
    }

    fn push(&mut self, leaf: &[u8], full: &mut impl FnMut(usize, u64, &[Hash])) {
        let mut up = hash(self.tree.suite(), &[&[0], leaf]);
        for level in 0..8 {
            self.levels[level].push(up);
            if self.levels[level].len() < 256 {
                return;
            }
            full(level, self.done[level], &self.levels[level]);
            up = fold(self.tree.suite(), &self.levels[level]);
            self.levels[level].clear();
            self.done[level] += 1;
        }
    }

    fn root(&self) -> Hash {
        let mut right: Option<Hash> = None;
        for hashes in &self.levels {
            let mut rest = hashes.as_slice();
            // From the right: the smallest perfect subtree first.
            while !rest.is_empty() {
                let (left, under) = rest.split_at(rest.len() - (1 << rest.len().trailing_zeros()));
                let root = fold(self.tree.suite(), under);
                right = Some(match right {
                    None => root,
                    Some(right) => hash(self.tree.suite(), &[&[1], &root, &right]),
                });
                rest = left;
            }
        }
        right.unwrap_or_else(|| hash(self.tree.suite(), &[]))
    }
}

/// The root of a perfect tree.
fn fold(suite: HashSuite, hashes: &[Hash]) -> Hash {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| hash(suite, &[&[1], &pair[0], &pair[1]])).collect();
    }
    level[0]
}

/// Whether these are the record and the salts that a leaf commits to: a checksum can be made again by whoever writes the
/// disk, a leaf under a published root cannot.
fn fits(private: &[u8], leaf: &[u8]) -> Result<bool, Refusal> {
    let Private { seed, record, .. } = Private::from_bytes(private)?;
    let entry = Entry::from_bytes(leaf)?;
    let suites = if entry.sm3.is_some() { Suites::Both } else { Suites::Sha256 };
    Ok(Committer::new(suites).entry(&record, &seed) == entry)
}

impl Log {
    /// Checks the whole store, while it serves.
    ///
    /// # Errors
    /// When the disk cannot be read; what is wrong with what was read is a finding.
    pub fn fsck(&self, repair: bool) -> Result<Fsck, Refusal> {
        let (mut report, mut orders) = (Fsck::default(), Orders::default());
        // What is durable now; what comes later is not looked at.
        let (open, _, size) = self.head();
        let segments = self.shared.segments();
        let mut shards: Vec<u32> = segments.iter().map(|(id, _)| id.shard).collect();
        shards.dedup();
        for shard in shards {
            let end = if shard == open { size.get() } else { self.shared.trees_of(shard)?.size().get() };
            let ids: Vec<SegmentId> =
                segments.iter().map(|(id, _)| *id).filter(|id| id.shard == shard).collect();
            self.check_copies(&ids, shard == open, repair, &mut report);
            self.check_shard(shard, end, &ids, repair, &mut orders, &mut report)?;
        }
        for position in &orders.gone {
            let ordered = |(from, count): &(Position, u64)| {
                from.shard == position.shard
                    && (from.index..from.index.saturating_add(*count)).contains(&position.index)
            };
            if !orders.erased.iter().any(ordered) {
                let place = format!("entry {} of shard {}", position.index, position.shard);
                report.find(place, "its record is gone and no erasure was ordered", false);
            }
        }
        Ok(report)
    }

    /// Every copy of every segment is whole, and as long as the others.
    fn check_copies(&self, ids: &[SegmentId], open: bool, repair: bool, report: &mut Fsck) {
        let places = &self.shared.places;
        for id in ids {
            // The one that grows is compared by what it held when this began, below.
            let newest = open && Some(id) == ids.last();
            let found: Vec<_> =
                (0..places.roots.len()).map(|place| examine(places, place, *id, newest)).collect();
            let good = found.iter().position(Result::is_ok);
            for (place, found) in found.iter().enumerate() {
                let Err(refusal) = found else { continue };
                let repaired = repair
                    && !newest
                    && good.is_some_and(|good| {
                        let end = examine(places, good, *id, false).map(|(end, _)| end);
                        end.is_ok_and(|end| copy(places, good, place, *id, end).is_ok())
                    });
                report.find(places.path(place, *id).display(), refusal, repaired);
            }
        }
    }

    fn check_shard(
        &self,
        shard: u32,
        end: u64,
        ids: &[SegmentId],
        repair: bool,
        orders: &mut Orders,
        report: &mut Fsck,
    ) -> Result<(), Refusal> {
        let trees = self.shared.trees_of(shard)?;
        let mut plain: Vec<Plain> = trees.all().map(Plain::new).collect();
        let mut bundle = Vec::new();
        let mut index = 0_u64;
        let published: Vec<_> = trees.all().map(|tree| (tree, self.published(shard, tree))).collect();
        for id in ids {
            let Ok(mut segment) = super::recover::reading(&self.shared.places, *id, Some(id) == ids.last())
            else {
                report.find(
                    format!("shard {shard}"),
                    format!("entries from {index} on cannot be read"),
                    false,
                );
                return Ok(());
            };
            if segment.header.trees.size().get() != index
                || plain.iter().any(|plain| {
                    segment.header.trees.view(plain.tree).is_none_or(|view| view.root != plain.root())
                })
            {
                report.find(segment.path.display(), "its header has another tree", false);
            }
            // Also behind the last entry: an erasure is ordered by a frame without entries.
            while let Step::Frame { at, bytes } = segment.step()? {
                let frame = Frame::parse(&bytes)?;
                if frame.head.count > 0 && frame.head.first >= end {
                    break;
                }
                for op in &frame.ops {
                    if let Op::Erase { from, count, .. } = op {
                        orders.erased.push((*from, *count));
                    }
                }
                for entry in &frame.entries {
                    for plain in &mut plain {
                        let tree = plain.tree;
                        plain.push(entry.leaf, &mut |level, tile, hashes| {
                            self.check_tile(
                                shard,
                                tree,
                                (&format!("{level}"), tile),
                                &hashes.concat(),
                                repair,
                                report,
                            );
                        });
                    }
                    bundle.extend(u16::try_from(entry.leaf.len()).expect("a leaf is short").to_be_bytes());
                    bundle.extend(entry.leaf);
                    if (index + 1).is_multiple_of(256) {
                        self.check_tile(
                            shard,
                            Tree::First,
                            ("entries", index / 256),
                            &bundle,
                            repair,
                            report,
                        );
                        bundle.clear();
                    }
                    match entry.private() {
                        PrivatePart::Whole(private) => {
                            if !fits(private, entry.leaf)? {
                                report.find(
                                    segment.path.display(),
                                    format!("the record of entry {index} is not that of its leaf"),
                                    false,
                                );
                            }
                            report.rows += 1;
                            let position = Position { shard, index };
                            let found = self.shared.index.find(&identity_of(private)?)?;
                            // What the index does not have yet is on its way.
                            let behind = self.shared.indexed.load(std::sync::atomic::Ordering::Acquire)
                                <= frame.head.sequence;
                            if found != Some(position) && !behind {
                                report.find(
                                    format!("index of entry {index}"),
                                    format!("says {found:?}"),
                                    false,
                                );
                            }
                        }
                        PrivatePart::Erased => {
                            report.erased += 1;
                            orders.gone.push(Position { shard, index });
                        }
                        PrivatePart::Damaged => {
                            let what =
                                format!("record of entry {index} at {} is damaged", at + entry.at as u64);
                            report.find(segment.path.display(), what, false);
                        }
                    }
                    index += 1;
                    report.entries += 1;
                    for (tree, view) in &published {
                        if let Some(Ok(view)) = view
                            && view.size.get() == index
                        {
                            let root = plain.iter().find(|plain| plain.tree == *tree).map(Plain::root);
                            report.checkpoints += 1;
                            if root != Some(view.root) {
                                report.find(
                                    format!("shard {shard}"),
                                    format!("the checkpoint of {} entries has another root", view.size),
                                    false,
                                );
                            }
                        }
                    }
                }
            }
        }
        for (_, view) in &published {
            match view {
                Some(Ok(view)) if view.size.get() > index => {
                    report.find(
                        format!("shard {shard}"),
                        format!("a checkpoint of {} entries stands above {index}", view.size),
                        false,
                    );
                }
                Some(Err(refusal)) => report.find(format!("checkpoint of shard {shard}"), refusal, false),
                _ => {}
            }
        }
        if index != end {
            report.find(format!("shard {shard}"), format!("{index} entries are readable of {end}"), false);
        }
        Ok(())
    }

    fn published(&self, shard: u32, tree: Tree) -> Option<Result<zeugma_proof::body::LogView, Refusal>> {
        let path = tree.folder(&self.shared.places.public(shard)).join("checkpoint");
        let note = read(&*self.shared.places.disk, &path, NoteBounds::USUAL.bytes).ok()?;
        Some(SignedCheckpoint::parse(&note, NoteBounds::USUAL).map(|signed| signed.claimed().view))
    }

    fn check_tile(
        &self,
        shard: u32,
        tree: Tree,
        (kind, index): (&str, u64),
        needed: &[u8],
        repair: bool,
        report: &mut Fsck,
    ) {
        // Full tiles only: a partial one is of a size that has passed, or is made anew with the next checkpoint.
        let written =
            self.published(shard, Tree::First).and_then(Result::ok).map_or(0, |view| view.size.get());
        let span = match kind {
            "entries" => 256,
            level => 256_u64.pow(1 + level.parse::<u32>().expect("a level is a number")),
        };
        if (index + 1) * span > written {
            return;
        }
        let name = zeugma_evidence_log::TileId {
            kind: match kind {
                "entries" => zeugma_evidence_log::TileKind::Entries,
                level => zeugma_evidence_log::TileKind::Hashes {
                    level: level.parse().expect("a level is a number"),
                },
            },
            index,
            width: 256,
        };
        let path = tree.folder(&self.shared.places.public(shard)).join(name.path());
        report.tiles += 1;
        let what = match read(&*self.shared.places.disk, &path, 1 << 25) {
            Ok(found) if found == needed => return,
            Ok(_) => "is not the tile of its entries".to_owned(),
            Err(error) => error.to_string(),
        };
        let repaired = repair
            && self
                .shared
                .publisher
                .write_tiles(&self.shared.places, shard, vec![(tree, name, needed.to_vec())])
                .is_ok();
        report.find(path.display(), what, repaired);
    }
}

#[cfg(test)]
mod tests {
    use super::super::deposit::{Batch, Deposit};
    use super::super::disk::RealDisk;
    use super::super::frame::{HEAD, Head, MAGIC, check};
    use super::super::index::MemoryIndex;
    use super::super::open::Config;
    use super::*;
    use std::path::Path;
    use std::sync::Arc;
    use zeugma_crypto::hash::sha256;
    use zeugma_evidence_log::{CustomField, Field, Record, Seed};

    fn open(folder: &Path) -> Log {
        let config = Config::new(folder, "log.example/one");
        let log = Log::open(config, Arc::new(RealDisk), Arc::new(MemoryIndex::default())).unwrap();
        assert!(log.wait_ready(std::time::Duration::from_secs(10)));
        log
    }

    #[test]
    fn a_record_that_was_altered_with_all_its_checksums_made_again_is_found_by_its_leaf() {
        let folder = tempfile::tempdir().unwrap();
        let record = Record::new(vec![
            Field::Sha256([1; 32]),
            Field::MediaType("text/plain".to_owned()),
            Field::Size(1),
            Field::Submitter("s".to_owned()),
            Field::Source("o".to_owned()),
            Field::Custom(CustomField { name: "act".to_owned(), value: b"refused".to_vec() }),
        ]);
        let deposit = Deposit {
            tenant: "t".to_owned(),
            record: record.unwrap(),
            seed: Seed::new([7; 32]),
            received_at: 1,
        };
        let log = open(folder.path());
        let items = vec![log.prepare(deposit).unwrap()];
        log.append(Batch { items, key: None }).unwrap();
        assert_eq!(log.fsck(false).unwrap().findings, []);
        let id = log.shared.segments()[0].0;
        let path = log.shared.places.path(0, id);
        drop(log);

        let mut bytes = std::fs::read(&path).unwrap();
        let start = bytes.windows(4).rposition(|window| window == MAGIC).unwrap();
        let frame = &mut bytes[start..];
        let public_end = HEAD + Head::parse(frame.first_chunk().unwrap()).unwrap().public as usize;
        let at = frame.windows(7).position(|window| window == b"refused").unwrap();
        frame[at..at + 7].copy_from_slice(b"allowed");
        let part = sha256(&[&frame[public_end + 16..]]);
        frame[public_end - 8..public_end].copy_from_slice(&part[..8]);
        let whole = check(&frame[..public_end]);
        frame[public_end..public_end + 16].copy_from_slice(&whole);
        Frame::parse(frame).expect("every checksum holds");
        std::fs::write(&path, &bytes).unwrap();

        let report = open(folder.path()).fsck(false).unwrap();
        assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
        assert!(report.findings[0].what.contains("record of entry 0 is not that of its leaf"), "{report:?}");
    }
}
