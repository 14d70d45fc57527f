//! The `tlog-tiles` suite: a small log as static files, with a checkpoint kept for each of its sizes.
//!
//! The files are the expectations: each is held against what the others give through the product's functions.
//!
//! | file | cases |
//! |---|---|
//! | `checkpoint`, `checkpoint.N` | it is a checkpoint of size `N`; its root is that of the hash tiles, and of the entries; the log's key signed it; it extends the next smaller one kept |
//! | `tile/<level>/…` | its path is canonical; its hashes are those of the tiles below it, or of the entries |
//! | `tile/entries/…` | its path is canonical; it holds as many entries as its width, with the hashes of the tile of level 0 |
//! | `.state/treeState` | size and root are those of `checkpoint` |
//!
//! The layout has no place for the log's key. That of the published log is known by name and id; another log's key is
//! read from a file `log.vkey` beside its checkpoint. A checkpoint of a key that neither knows is
//! judged by its form, root and consistency alone, and the run says so.

use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::tile::{self, EntryBundle, GrowingTiles, TileId, TileKind, TileNodes};
use zeugma_evidence_log::{NoteBounds, VerifierKey};
use zeugma_proof::body::LogView;
use zeugma_proof::tree::{Hash, consistency, leaf_hash, root, verify_consistency};
use zeugma_types::{HashSuite, TreeSize};

/// A log in the layout of C2SP `tlog-tiles`, with the checkpoints that Tessera's test data keeps.
pub(crate) struct TlogTiles;

const SUITE: HashSuite = HashSuite::Sha256;
/// Largest tree that is rebuilt from its entries: 16 MiB of hashes.
const MAX_SIZE: u64 = 1 << 19;
/// The key of transparency-dev/tessera's `testdata/log`, published in that repository.
const PUBLISHED_KEY: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

impl Suite for TlogTiles {
    fn name(&self) -> &'static str {
        "tlog-tiles"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        let Some(place) = Place::of(&file.path) else {
            return report.unknown(&file.name, &"not a file of a tiled log");
        };
        match &place.kind {
            Kind::Checkpoint(size) => checkpoint(file, &place.log, *size, report),
            Kind::Tile(path) => {
                let held = TileId::parse(path).map_err(|refusal| anyhow!("{refusal}"));
                let held = held.and_then(|tile| place.log.check_tile(tile, &file.bytes));
                verdict(report, &file.name, "the tile of the tree", held)
            }
            Kind::State => {
                let held = place.log.check_state(&file.bytes);
                verdict(report, &file.name, "the size and root of the checkpoint", held)
            }
            Kind::Inner => {
                report.exempt(&file.name, "a lock or the version of another library's own storage")
            }
            Kind::Key => Ok(()),
        }
    }
}

fn verdict(report: &mut Report<'_>, name: &str, expected: &str, held: Result<()>) -> Result<()> {
    match held {
        Ok(()) => report.verdict(name, true, &expected, &expected),
        Err(why) => report.verdict(name, false, &expected, &format!("{why:#}")),
    }
}

fn checkpoint(file: &File, log: &Log, named: Option<u64>, report: &mut Report<'_>) -> Result<()> {
    let signed = match SignedCheckpoint::parse(&file.bytes, NoteBounds::USUAL) {
        Ok(signed) => signed,
        Err(refusal) => {
            return report.verdict(&format!("{}/form", file.name), false, &"a checkpoint", &refusal);
        }
    };
    let claimed = signed.claimed();
    let view = claimed.view;
    let name = |case: &str| format!("{}/{case}", file.name);
    if let Some(named) = named {
        report.case(&name("size"), &named, &view.size.get())?;
    }
    verdict(report, &name("root-of-tiles"), "the root of the hash tiles", log.check_root(&view))?;
    verdict(report, &name("root-of-entries"), "the root of the entries", log.check_entries(&view))?;
    match log.key(&claimed.origin, &signed)? {
        Some(key) => {
            let held = signed.require_origin(key.name()).and_then(|()| signed.require(&key));
            verdict(
                report,
                &name("signature"),
                "a signature of the log",
                held.map(drop).map_err(Into::into),
            )?;
        }
        None => report
            .policy(&format!("no key of {} is known: its signatures are not checked", claimed.origin))?,
    }
    let smaller = log.kept(&claimed.origin, view.size)?;
    if let Some(smaller) = smaller {
        let held = log.check_consistency(&smaller, &view);
        verdict(report, &name(&format!("extends-{}", smaller.size)), "a proof of consistency", held)?;
    }
    Ok(())
}

/// What a file of the layout is, and the log it is of.
struct Place {
    log: Log,
    kind: Kind,
}

enum Kind {
    Checkpoint(Option<u64>),
    Tile(String),
    State,
    Inner,
    Key,
}

impl Place {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let folder = path.parent()?;
        let here = |kind| Some(Self { log: Log(folder.to_owned()), kind });
        if folder.file_name().is_some_and(|name| name == ".state") {
            let log = Log(folder.parent()?.to_owned());
            let inner = matches!(name, "publish.lock" | "treeState.lock" | "version");
            let kind = if name == "treeState" { Some(Kind::State) } else { inner.then_some(Kind::Inner) };
            return Some(Self { log, kind: kind? });
        }
        match name.split_once('.') {
            None if name == "checkpoint" => return here(Kind::Checkpoint(None)),
            Some(("checkpoint", size)) => return here(Kind::Checkpoint(Some(size.parse().ok()?))),
            Some(("log", "vkey")) => return here(Kind::Key),
            _ => {}
        }
        // The folder `tile` that is furthest up the path of canonical parts.
        let at =
            path.ancestors().skip(1).find(|folder| folder.file_name().is_some_and(|name| name == "tile"))?;
        let log = at.parent()?;
        Some(Self {
            log: Log(log.to_owned()),
            kind: Kind::Tile(path.strip_prefix(log).ok()?.to_str()?.to_owned()),
        })
    }
}

/// The folder of a log.
struct Log(PathBuf);

impl Log {
    /// A tile, or the full one in whose place a partial one may be deleted.
    fn fetch(&self, tile: TileId) -> Option<Vec<u8>> {
        let read = |tile: TileId| fs::read(self.0.join(tile.path())).ok();
        read(tile).or_else(|| {
            let full = read(TileId { width: tile::WIDTH, ..tile })?;
            match tile.kind {
                TileKind::Hashes { .. } => full.get(..usize::from(tile.width) * 32).map(<[u8]>::to_vec),
                TileKind::Entries => {
                    let bundle = EntryBundle::parse(&full, tile::WIDTH).ok()?;
                    let mut bytes = Vec::new();
                    for leaf in &bundle.leaves[..usize::from(tile.width)] {
                        EntryBundle::push(&mut bytes, leaf).ok()?;
                    }
                    Some(bytes)
                }
            }
        })
    }

    fn check_root(&self, view: &LogView) -> Result<()> {
        let nodes = TileNodes::new(SUITE, view.size, |tile| self.fetch(tile));
        same(&root(SUITE, view.size, &nodes)?, &view.root)
    }

    fn check_entries(&self, view: &LogView) -> Result<()> {
        ensure!(view.size.get() <= MAX_SIZE, "{} entries; at most {MAX_SIZE} are rebuilt", view.size);
        let mut tree = GrowingTiles::new(SUITE);
        for index in 0..view.size.get().div_ceil(u64::from(tile::WIDTH)) {
            let tile = TileId::in_tree(TileKind::Entries, index, view.size).context("a tile of the tree")?;
            for hash in self.entry_hashes(tile)? {
                tree.append(hash, |_, _| ())?;
            }
        }
        same(&tree.root(), &view.root)
    }

    fn entry_hashes(&self, tile: TileId) -> Result<Vec<Hash>> {
        let bytes = self.fetch(tile).with_context(|| format!("{tile} is not there"))?;
        let bundle = EntryBundle::parse(&bytes, tile.width)?;
        Ok(bundle.leaves.iter().map(|leaf| leaf_hash(SUITE, leaf)).collect())
    }

    fn check_tile(&self, tile: TileId, bytes: &[u8]) -> Result<()> {
        match tile.kind {
            TileKind::Entries => {
                let bundle = EntryBundle::parse(bytes, tile.width)?;
                let found: Vec<Hash> = bundle.leaves.iter().map(|leaf| leaf_hash(SUITE, leaf)).collect();
                let leaves = TileId { kind: TileKind::Hashes { level: 0 }, ..tile };
                let needed = self.fetch(leaves).with_context(|| format!("{leaves} is not there"))?;
                ensure!(found == tile::hashes(leaves, &needed)?, "entries of other hashes than {leaves}");
            }
            TileKind::Hashes { level: 0 } => {
                let entries = TileId { kind: TileKind::Entries, ..tile };
                ensure!(self.entry_hashes(entries)? == tile::hashes(tile, bytes)?, "hashes of other entries");
            }
            TileKind::Hashes { level } => {
                for (at, hash) in (0_u64..).zip(tile::hashes(tile, bytes)?) {
                    let below = TileId {
                        kind: TileKind::Hashes { level: level - 1 },
                        index: tile.index * u64::from(tile::WIDTH) + at,
                        width: tile::WIDTH,
                    };
                    let under = self.fetch(below).with_context(|| format!("{below} is not there"))?;
                    same(&tile::full_root(SUITE, below, &under)?, hash)?;
                }
            }
        }
        Ok(())
    }

    fn check_state(&self, bytes: &[u8]) -> Result<()> {
        let state: Value = serde_json::from_slice(bytes).context("not JSON")?;
        let note = fs::read(self.0.join("checkpoint")).context("no checkpoint")?;
        let view = SignedCheckpoint::parse(&note, NoteBounds::USUAL)?.claimed().view;
        ensure!(state["size"] == view.size.get(), "size {}, checkpoint {}", state["size"], view.size);
        use base64::Engine as _;
        let root = base64::engine::general_purpose::STANDARD.encode(view.root);
        ensure!(state["root"] == root.as_str(), "root {}, checkpoint {root}", state["root"]);
        Ok(())
    }

    fn check_consistency(&self, old: &LogView, new: &LogView) -> Result<()> {
        if old.size == TreeSize::ZERO {
            let empty = zeugma_proof::tree::empty_root(SUITE);
            return same(&empty, &old.root);
        }
        let nodes = TileNodes::new(SUITE, new.size, |tile| self.fetch(tile));
        let path = consistency(SUITE, old.size, new.size, &nodes)?;
        Ok(verify_consistency(SUITE, (old.size, &old.root), (new.size, &new.root), &path)?)
    }

    /// The key that the layout's publisher gives for this log, if it is known.
    fn key(&self, origin: &str, signed: &SignedCheckpoint<'_>) -> Result<Option<VerifierKey>> {
        let beside = self.0.join("log.vkey");
        if beside.is_file() {
            return Ok(Some(VerifierKey::parse(fs::read_to_string(beside)?.trim_end())?));
        }
        let published = VerifierKey::parse(PUBLISHED_KEY)?;
        let named = signed.note().signatures.iter().any(|line| line.name == published.name());
        Ok((origin == published.name() || named).then_some(published))
    }

    /// The largest checkpoint kept of a smaller tree of the same log.
    fn kept(&self, origin: &str, below: TreeSize) -> Result<Option<LogView>> {
        let mut found: Option<LogView> = None;
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if !entry.file_name().to_string_lossy().starts_with("checkpoint.") {
                continue;
            }
            let note = fs::read(entry.path())?;
            // What is no checkpoint fails as a case of its own.
            let Ok(signed) = SignedCheckpoint::parse(&note, NoteBounds::USUAL) else { continue };
            let view = signed.claimed().view;
            let better = found.is_none_or(|found| found.size < view.size);
            if signed.claimed().origin == origin && view.size < below && better {
                found = Some(view);
            }
        }
        Ok(found)
    }
}

fn same(found: &Hash, needed: &Hash) -> Result<()> {
    ensure!(found == needed, "root {}, needed {}", hex::encode(found), hex::encode(needed));
    Ok(())
}
