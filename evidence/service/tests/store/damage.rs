//! Stored bytes change behind the log's back: that is found, named, repaired or refused, and never served.

use crate::world::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeugma_evidence_log::TileId;
use zeugma_evidence_service::store::sim::SimDisk;
use zeugma_evidence_service::store::{Config, Disk, Index, Log, MemoryIndex, Position, Tree};
use zeugma_types::Code;

fn segment(root: &str, number: u32) -> PathBuf {
    Path::new(root).join(format!("shards/0/segments/{number:010}.seg"))
}

fn twinned() -> Config {
    Config { twin: Some(TWIN.into()), ..config() }
}

fn filled(config: &Config) -> (SimDisk, Arc<MemoryIndex>, Log) {
    let (disk, index) =
        (SimDisk::new(zeugma_evidence_service::store::sim::Syncs::Kept), Arc::new(MemoryIndex::default()));
    let log = open(&disk, index.clone(), config.clone()).unwrap();
    let mut chance = Chance::new(1);
    for batch in 0..20 {
        append(&log, &(batch * 30..batch * 30 + 30).collect::<Vec<_>>(), &mut chance).unwrap();
    }
    log.publish(&[fast_signers(ORIGIN)], NOW).unwrap();
    (disk, index, log)
}

fn flip(disk: &SimDisk, path: &Path, at: usize) {
    disk.damage(path, |bytes| {
        let at = at % bytes.len();
        bytes[at] ^= 0x40;
    });
}

#[test]
fn a_flipped_bit_anywhere_in_a_closed_segment_is_named_and_repaired_from_its_twin() {
    let (disk, _, log) = filled(&twinned());
    let path = segment(ROOT, 0);
    let file = disk.open(&path, false).unwrap();
    let length = usize::try_from(file.len().unwrap()).unwrap();
    let mut whole = vec![0; length];
    file.read_at(0, &mut whole).unwrap();
    let mut found = 0;
    for at in (0..length).step_by(997) {
        disk.damage(&path, |bytes| bytes.clone_from(&whole));
        flip(&disk, &path, at);
        // Whatever is read is right, from the twin.
        for index in [0, 45, 90] {
            let position = Position { shard: 0, index };
            assert_eq!(log.stored(position).unwrap().record, record(index), "byte {at}");
        }
        let report = log.fsck(false).unwrap();
        found += usize::from(report.findings.iter().any(|finding| finding.place.contains("0000000000.seg")));
        assert!(report.findings.is_empty() || !report.is_clean());
        if !report.is_clean() {
            log.fsck(true).unwrap();
        }
    }
    assert!(found > 10, "{found}");
}

#[test]
fn a_damaged_segment_without_twin_is_named_and_never_served() {
    let (disk, _, log) = filled(&config());
    flip(&disk, &segment(ROOT, 0), 30_000);
    let refused: Vec<_> =
        (0..200).filter_map(|index| log.stored(Position { shard: 0, index }).err()).collect();
    assert!(!refused.is_empty());
    assert!(
        refused
            .iter()
            .all(|refusal| refusal.code == Code::Damaged && refusal.to_string().contains("0000000000.seg"))
    );
    assert!(!log.fsck(true).unwrap().is_clean());
}

#[test]
fn a_store_opens_from_its_twin_when_the_newest_segment_is_damaged_or_gone() {
    let (disk, _, log) = filled(&twinned());
    drop(log);
    let newest =
        disk.files().into_iter().rfind(|path| path.starts_with(format!("{ROOT}/shards/0/segments"))).unwrap();
    for round in 0..3 {
        match round {
            0 => flip(&disk, &newest, 20),
            1 => disk.damage(&newest, |bytes| bytes.truncate(bytes.len() / 2)),
            _ => disk.remove_all(&newest),
        }
        let log = open(&disk, Arc::new(MemoryIndex::default()), twinned()).unwrap();
        assert_eq!(log.head().2.get(), 600, "round {round}");
        assert_eq!(log.fsck(false).unwrap().findings, vec![], "round {round}");
    }
}

#[test]
fn a_damaged_end_of_the_log_is_not_taken_for_a_write_that_was_cut_short() {
    let (disk, index, log) = filled(&config());
    drop(log);
    let newest =
        disk.files().into_iter().rfind(|path| path.starts_with(format!("{ROOT}/shards/0/segments"))).unwrap();
    let file = disk.open(&newest, false).unwrap();
    let length = usize::try_from(file.len().unwrap()).unwrap();
    let mut whole = vec![0; length];
    file.read_at(0, &mut whole).unwrap();
    let header = usize::try_from(u32::from_be_bytes(whole[8..12].try_into().unwrap())).unwrap() + 28;
    assert!(length > header, "the newest segment has frames");
    for at in [header + 2, header + 60, length - 10] {
        disk.damage(&newest, |bytes| bytes.clone_from(&whole));
        flip(&disk, &newest, at);
        let refusal = open(&disk, index.clone(), config()).err().expect("a lost tail");
        assert!(matches!(refusal.code, Code::TailLost | Code::Damaged), "byte {at}: {refusal}");
    }
}

#[test]
fn a_log_that_lost_its_tail_goes_on_under_a_new_origin_only() {
    let (disk, index, log) = filled(&config());
    drop(log);
    let newest =
        disk.files().into_iter().rfind(|path| path.starts_with(format!("{ROOT}/shards/0/segments"))).unwrap();
    disk.remove_all(&newest);
    let open = |origin: &str, after_loss: bool| {
        let index: Arc<dyn Index> = index.clone();
        open(&disk, index, Config { origin: origin.into(), after_loss, ..config() })
    };
    assert_eq!(open(ORIGIN, false).err().unwrap().code, Code::TailLost);
    assert_eq!(open(ORIGIN, true).err().unwrap().code, Code::TailLost);
    let log = open("evidence.example/2026b", true).unwrap();
    let mut chance = Chance::new(3);
    assert_eq!(append(&log, &[10_000], &mut chance).unwrap()[0].position, Position { shard: 1, index: 0 });
    assert_eq!(append(&log, &[7], &mut chance).unwrap()[0].position, Position { shard: 0, index: 7 });
}

#[test]
fn a_damaged_or_missing_tile_is_made_anew_before_it_is_served() {
    let (disk, _, log) = filled(&config());
    for (tree, tile) in
        [(Tree::First, "tile/0/001"), (Tree::Second, "tile/0/000"), (Tree::First, "tile/entries/000")]
    {
        let id = TileId::parse(tile).unwrap();
        let path = public(if tree == Tree::Second { "sm3" } else { "" }).join(tile);
        let whole = log.tile(0, tree, id).unwrap();
        for round in 0..3 {
            match round {
                0 => flip(&disk, &path, 1_000),
                1 => disk.damage(&path, Vec::clear),
                _ => disk.remove_all(&path),
            }
            let report = log.fsck(false).unwrap();
            assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
            assert!(report.findings[0].place.ends_with(tile), "{}", report.findings[0]);
            assert_eq!(log.tile(0, tree, id).unwrap(), whole);
            assert!(log.fsck(false).unwrap().findings.is_empty(), "it was written again");
            flip(&disk, &path, 77);
            assert!(log.fsck(true).unwrap().is_clean());
            assert!(log.fsck(false).unwrap().findings.is_empty());
        }
    }
}

#[test]
fn an_index_that_says_something_else_is_told() {
    let (_disk, index, log) = filled(&config());
    while index.count() < 600 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    index.clear().unwrap();
    let report = log.fsck(false).unwrap();
    assert_eq!(report.findings.len(), 600);
}

#[test]
fn deposits_wait_until_a_lost_index_is_made_anew_and_reads_do_not() {
    let (disk, _, log) = filled(&config());
    drop(log);
    let log = Log::open(config(), Arc::new(disk), Arc::new(MemoryIndex::default())).unwrap();
    let mut chance = Chance::new(3);
    match append(&log, &[5], &mut chance) {
        Ok(outcomes) => assert!(outcomes[0].known),
        Err(refusal) => assert_eq!(refusal.code, Code::IndexBehind),
    }
    assert!(log.stored(Position { shard: 0, index: 599 }).is_ok());
    assert!(log.wait_ready(std::time::Duration::from_secs(10)));
    assert!(append(&log, &[5], &mut chance).unwrap()[0].known);
}
