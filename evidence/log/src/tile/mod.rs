//! Tiles: the tree and its leaves as static files.
//!
//! A hash tile of level `l` and index `n` holds the roots of up to 256 neighbouring subtrees of `256^l` leaves, from
//! subtree `256 n` on. An entry bundle holds the leaves themselves. A tile is full, 256 wide, or partial; a
//! partial one is of one tree size only.
//!
//! ```text
//! <prefix>/tile/<level>/<index>[.p/<width>]
//! <prefix>/tile/entries/<index>[.p/<width>]
//! index  = groups of three digits, all but the last after an x: 1234067 is x001/x234/067
//! bundle = (length u16 · leaf)…
//! ```
//!
//! [`GrowingTiles`] makes the tiles of a tree that grows, [`TileNodes`] reads a tree from its tiles, which
//! [`zeugma_proof::tree`] makes proofs of. The tiles of the SM3 tree have the same form under `<prefix>/sm3`.
//!
//! Source: C2SP `tlog-tiles`.

mod bundle;
mod grow;
mod nodes;

pub use bundle::{EntryBundle, MAX_BUNDLE};
pub use grow::GrowingTiles;
pub use nodes::{TileNodes, full_root, hashes};

use crate::checkpoint::decimal;
use alloc::format;
use alloc::string::String;
use core::fmt;
use zeugma_types::{Code, Refusal, TreeSize};

/// Hashes or entries of a full tile.
pub const WIDTH: u16 = 256;
/// Levels of the tree that one tile spans.
pub const HEIGHT: u8 = 8;
/// Levels of tiles of the largest tree.
pub const LEVELS: u8 = 8;
/// Longest path of a tile, in bytes: seven groups of an index, level and width.
const MAX_PATH: usize = 64;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of a level of tiles; 0 is that of leaf hashes.
    Hashes {
        /// Below [`LEVELS`].
        level: u8,
    },
    /// The leaves.
    Entries,
}

/// Names a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// What it holds.
    pub kind: TileKind,
    /// Counted from 0 along its level.
    pub index: u64,
    /// How many it holds: 1 to 256.
    pub width: u16,
}

impl TileId {
    /// The tile of `kind` at `index` in the tree of `size` leaves: full, or as wide as that tree has it. `None`
    /// when the tree does not reach it.
    #[must_use]
    pub fn in_tree(kind: TileKind, index: u64, size: TreeSize) -> Option<Self> {
        let count = level_count(kind, size);
        let from = index.checked_mul(u64::from(WIDTH))?;
        let held = count.checked_sub(from).filter(|held| *held > 0)?;
        let width = u16::try_from(held.min(u64::from(WIDTH))).expect("at most 256");
        Some(Self { kind, index, width })
    }

    /// Whether it can never grow.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    /// Reads a path below the prefix: `tile/…`.
    ///
    /// # Errors
    /// [`Code::BadTilePath`] for any other form than the one that is written.
    pub fn parse(path: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::new(Code::BadTilePath);
        if path.len() > MAX_PATH {
            return Err(bad());
        }
        let rest = path.strip_prefix("tile/").ok_or_else(bad)?;
        let (kind, rest) = rest.split_once('/').ok_or_else(bad)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => {
                let level = decimal(level).and_then(|level| u8::try_from(level).ok()).ok_or_else(bad)?;
                TileKind::Hashes { level }
            }
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, WIDTH),
            Some((index, width)) => {
                let width = decimal(width).and_then(|width| u16::try_from(width).ok()).ok_or_else(bad)?;
                (index, width)
            }
        };
        let mut number = 0_u64;
        for group in index.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(bad());
            }
            let group = digits.parse::<u64>().map_err(|_| bad())?;
            number =
                number.checked_mul(1_000).and_then(|number| number.checked_add(group)).ok_or_else(bad)?;
        }
        let tile = Self { kind, index: number, width };
        // One form each: leading groups of zeros, misplaced x, a width of 0 or 256 after `.p` are not written.
        let level = if let TileKind::Hashes { level } = kind { level } else { 0 };
        let fits = level < LEVELS && (1..=WIDTH).contains(&width);
        if fits && alloc::string::ToString::to_string(&tile) == path { Ok(tile) } else { Err(bad()) }
    }

    /// The path below the prefix.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{self}")
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries")?,
            TileKind::Hashes { level } => write!(f, "tile/{level}")?,
        }
        let mut power = 1_u64;
        while self.index / power >= 1_000 {
            power *= 1_000;
        }
        while power > 1 {
            write!(f, "/x{:03}", self.index / power % 1_000)?;
            power /= 1_000;
        }
        write!(f, "/{:03}", self.index % 1_000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// How many hashes or entries a tree of `size` leaves has for tiles of `kind`.
fn level_count(kind: TileKind, size: TreeSize) -> u64 {
    match kind {
        TileKind::Entries => size.get(),
        TileKind::Hashes { level } => {
            size.get().checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0)
        }
    }
}

/// Every tile that the tree of `new` leaves has and the tree of `old` leaves had not, or had less wide: what must be
/// stored before a checkpoint of `new`.
pub fn grown(old: TreeSize, new: TreeSize) -> impl Iterator<Item = TileId> {
    let hashes = (0..LEVELS).map(|level| TileKind::Hashes { level });
    core::iter::once(TileKind::Entries).chain(hashes).flat_map(move |kind| {
        let (from, to) = (level_count(kind, old), level_count(kind, new));
        let width = u64::from(WIDTH);
        let indices = if from < to { from / width..to.div_ceil(width) } else { 0..0 };
        indices.filter_map(move |index| TileId::in_tree(kind, index, new))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn entries(index: u64, width: u16) -> TileId {
        TileId { kind: TileKind::Entries, index, width }
    }

    #[test]
    fn the_paths_of_the_specification_are_written_and_read() {
        for (tile, path) in [
            (entries(1_234_067, WIDTH), "tile/entries/x001/x234/067"),
            (entries(0, 15), "tile/entries/000.p/15"),
            (TileId { kind: TileKind::Hashes { level: 2 }, index: 999, width: 1 }, "tile/2/999.p/1"),
            (TileId { kind: TileKind::Hashes { level: 0 }, index: 1_000, width: WIDTH }, "tile/0/x001/000"),
            (entries(u64::MAX, WIDTH), "tile/entries/x018/x446/x744/x073/x709/x551/615"),
        ] {
            assert_eq!(tile.path(), path);
            assert_eq!(TileId::parse(path).unwrap(), tile);
        }
    }

    #[test]
    fn any_other_path_is_refused() {
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/00/000",
            "tile/8/000",
            "tile/+0/000",
            "tile/64/000",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/x001/x000",
            "tile/0/x001",
            "tile/entries/../000",
            "tile/entries/x018/x446/x744/x073/x709/x551/616",
            "tile/entries/x999/x999/x999/x999/x999/x999/x999/999",
            "tiles/0/000",
            "/tile/0/000",
        ] {
            assert_eq!(TileId::parse(path).unwrap_err().code, Code::BadTilePath, "{path:?}");
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_that_the_specification_counts() {
        let tiles: Vec<_> = grown(TreeSize::ZERO, TreeSize::new(70_000)).collect();
        let count = |level: u8, full: bool| {
            tiles
                .iter()
                .filter(|tile| tile.kind == TileKind::Hashes { level } && tile.is_full() == full)
                .count()
        };
        assert_eq!((count(0, true), count(0, false)), (273, 1));
        assert_eq!((count(1, true), count(1, false)), (1, 1));
        assert_eq!((count(2, true), count(2, false)), (0, 1));
        let partial: Vec<_> = tiles.iter().filter(|tile| !tile.is_full()).map(TileId::path).collect();
        assert_eq!(
            partial,
            ["tile/entries/273.p/112", "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
        );
        let at_256: Vec<_> = grown(TreeSize::new(255), TreeSize::new(256)).map(|tile| tile.path()).collect();
        assert_eq!(at_256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(grown(TreeSize::new(256), TreeSize::new(256)).count(), 0);
        assert_eq!(grown(TreeSize::new(256), TreeSize::ZERO).count(), 0);
    }

    proptest! {
        #[test]
        fn every_tile_has_one_path(level in 0..9_u8, index: u64, width in 1..=256_u16) {
            let kind = if level == 8 { TileKind::Entries } else { TileKind::Hashes { level } };
            let tile = TileId { kind, index, width };
            prop_assert_eq!(TileId::parse(&tile.path()).unwrap(), tile);
            prop_assert!(tile.path().len() <= MAX_PATH);
        }

        #[test]
        fn no_path_panics(path in "\\PC{0,40}", more in "tile/[0-9x/.p]{0,30}") {
            for path in [path, more] {
                if let Ok(tile) = TileId::parse(&path) {
                    prop_assert_eq!(tile.path(), path);
                }
            }
        }

        #[test]
        fn no_size_panics(old: u64, new: u64, level in 0..8_u8, index: u64) {
            let kind = TileKind::Hashes { level };
            let tile = TileId::in_tree(kind, index, TreeSize::new(new));
            let count = (u128::from(new) >> (8 * u32::from(level))).saturating_sub(u128::from(index) * 256).min(256);
            prop_assert_eq!(tile.map_or(0, |tile| u128::from(tile.width)), count);
            let _ = grown(TreeSize::new(old), TreeSize::new(new)).take(3).count();
        }
    }
}
