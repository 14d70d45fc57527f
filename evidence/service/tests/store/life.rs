//! A log that nothing happens to.

use crate::world::*;
use std::sync::Arc;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::{Entry, NoteBounds, TileId};
use zeugma_evidence_service::store::{Batch, Disk, Log, MemoryIndex, Position, Tree};
use zeugma_proof::tree::{leaf_hash, verify_consistency, verify_inclusion};
use zeugma_types::{Code, Decode, Encode, LeafIndex, TreeSize};

fn at(index: u64) -> Position {
    Position { shard: 0, index }
}

#[test]
fn the_same_record_has_one_position_in_a_batch_later_and_after_a_restart() {
    let (disk, index, log) = fresh();
    let mut chance = Chance::new(1);
    let first = append(&log, &[1, 2, 1], &mut chance).unwrap();
    assert_eq!(
        first.iter().map(|item| (item.position, item.known)).collect::<Vec<_>>(),
        [(at(0), false), (at(1), false), (at(0), true)]
    );
    let again = append(&log, &[2, 3], &mut chance).unwrap();
    assert_eq!((again[0].position, again[0].known), (at(1), true));
    assert_eq!((again[1].position, again[1].known), (at(2), false));
    drop(log);
    for index in [index.clone() as Arc<_>, Arc::new(MemoryIndex::default()) as Arc<_>] {
        let log = open(&disk, index, config()).unwrap();
        assert_eq!(
            append(&log, &[3, 1], &mut chance).unwrap().iter().map(|item| item.position).collect::<Vec<_>>(),
            [at(2), at(0)]
        );
        assert_eq!(log.head().2.get(), 3, "nothing was added");
    }
}

#[test]
fn another_submitter_or_tenant_is_another_entry() {
    let (_disk, _, log) = fresh();
    let mut chance = Chance::new(1);
    let mut other = deposit(1, &mut chance);
    other.tenant = "notary".into();
    let items = vec![log.prepare(deposit(1, &mut chance)).unwrap(), log.prepare(other).unwrap()];
    let outcomes = log.append(Batch { items, key: None }).unwrap();
    assert_ne!(outcomes[0].position, outcomes[1].position);
}

#[test]
fn racing_depositors_of_one_record_are_told_one_position() {
    let (_disk, _, log) = fresh();
    let positions: Vec<_> = std::thread::scope(|scope| {
        let depositors: Vec<_> = (0..8_u64)
            .map(|thread| {
                let log = &log;
                scope.spawn(move || {
                    let mut chance = Chance::new(thread);
                    (0..50)
                        .map(|number| append(log, &[number, number + 1], &mut chance).unwrap()[0].position)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        depositors.into_iter().map(|depositor| depositor.join().unwrap()).collect()
    });
    assert!(positions.iter().all(|all| *all == positions[0]), "{positions:?}");
    assert_eq!(log.head().2.get(), 51);
}

#[test]
fn a_key_with_the_same_body_is_answered_the_same_and_with_another_refused() {
    let (disk, index, log) = fresh();
    let mut chance = Chance::new(1);
    let first = keyed(&log, "k1", &[5, 6, 5], &mut chance).unwrap();
    append(&log, &[7], &mut chance).unwrap();
    let positions = |log: &Log, chance: &mut Chance| {
        keyed(log, "k1", &[5, 6, 5], chance).unwrap().iter().map(|item| item.position).collect::<Vec<_>>()
    };
    let same: Vec<_> = first.iter().map(|item| item.position).collect();
    assert_eq!(positions(&log, &mut chance), same);
    for other in [&[5, 6][..], &[6, 5, 5], &[8]] {
        assert_eq!(keyed(&log, "k1", other, &mut chance).unwrap_err().code, Code::KeyReused);
    }
    // A request whose records are all known is remembered too.
    keyed(&log, "k2", &[5], &mut chance).unwrap();
    drop(log);
    for index in [index as Arc<_>, Arc::new(MemoryIndex::default()) as Arc<_>] {
        let log = open(&disk, index, config()).unwrap();
        assert_eq!(positions(&log, &mut chance), same);
        assert_eq!(keyed(&log, "k2", &[6], &mut chance).unwrap_err().code, Code::KeyReused);
        assert_eq!(keyed(&log, "", &[6], &mut chance).unwrap_err().code, Code::Empty);
        assert_eq!(log.head().2.get(), 3);
    }
}

#[test]
fn what_was_deposited_is_read_back_and_proved_in_both_trees() {
    let (_disk, _, log) = fresh();
    let mut chance = Chance::new(2);
    let numbers: Vec<u64> = (0..700).collect();
    append(&log, &numbers[..300], &mut chance).unwrap();
    let old = log.publish(&[signers(ORIGIN)], NOW).unwrap()[0].1;
    append(&log, &numbers[300..], &mut chance).unwrap();
    let (shard, view) = log.publish(&[signers(ORIGIN)], NOW).unwrap()[0];
    assert_eq!((shard, view.size.get()), (0, 700));
    assert!(log.publish(&[signers(ORIGIN)], NOW).unwrap().is_empty(), "nothing grew");
    for index in [0, 255, 256, 299, 699] {
        let stored = log.stored(at(index)).unwrap();
        assert_eq!((stored.record, stored.tenant.as_str()), (record(index), "court"));
        let leaf = log.leaf(at(index)).unwrap();
        assert_eq!(Entry::from_bytes(&leaf).unwrap(), stored.entry);
        for tree in [Tree::First, Tree::Second] {
            let path = log.inclusion(at(index), tree, view.size).unwrap();
            let note = log_note(&_disk, tree);
            let signed = SignedCheckpoint::parse(&note, NoteBounds::USUAL).unwrap();
            let signers = signers(ORIGIN);
            let signer = if tree == Tree::First { &signers.first } else { signers.second.as_ref().unwrap() };
            signed.require_origin(signer.origin()).unwrap();
            signed.require(&signer.key()).unwrap();
            signed.require(&signer.second_key().unwrap()).unwrap();
            let root = signed.claimed().view.root;
            let hash = leaf_hash(tree.suite(), &leaf);
            verify_inclusion(tree.suite(), &hash, LeafIndex::new(index), view.size, &path, &root).unwrap();
        }
    }
    let path = log.consistency(0, Tree::First, old.size, view.size).unwrap();
    verify_consistency(Tree::First.suite(), (old.size, &old.root), (view.size, &view.root), &path).unwrap();
    assert_eq!(log.stored(at(700)).unwrap_err().code, Code::NoSuchEntry);
    assert_eq!(log.inclusion(at(700), Tree::First, TreeSize::new(700)).unwrap_err().code, Code::NoSuchEntry);
    let report = log.fsck(false).unwrap();
    assert_eq!((report.entries, report.rows, report.findings), (700, 700, vec![]));
    assert_eq!((report.tiles, report.checkpoints), (2 + 2 + 2, 2));
}

fn log_note(disk: &zeugma_evidence_service::store::sim::SimDisk, tree: Tree) -> Vec<u8> {
    let path = public(if tree == Tree::First { "checkpoint" } else { "sm3/checkpoint" });
    let file = disk.open(&path, false).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn an_erased_record_is_gone_with_its_row_and_its_proof_stays() {
    let (disk, index, log) = fresh();
    let mut chance = Chance::new(3);
    append(&log, &(0..20).collect::<Vec<_>>(), &mut chance).unwrap();
    let leaf = log.leaf(at(5)).unwrap();
    let secret = log.stored(at(5)).unwrap().seed.expose().to_vec();
    let (_, view) = log.publish(&[signers(ORIGIN)], NOW).unwrap()[0];
    assert_eq!(log.erase(at(5), 2).unwrap(), 2);
    assert_eq!(log.erase(at(5), 1).unwrap(), 0, "it was gone");
    assert_eq!(log.erase(at(19), 2).unwrap_err().code, Code::NoSuchEntry);
    let check = |log: &Log| {
        assert_eq!(log.stored(at(5)).unwrap_err().code, Code::RecordErased);
        assert_eq!(log.leaf(at(5)).unwrap(), leaf);
        let path = log.inclusion(at(5), Tree::First, view.size).unwrap();
        let hash = leaf_hash(Tree::First.suite(), &leaf);
        verify_inclusion(Tree::First.suite(), &hash, LeafIndex::new(5), view.size, &path, &view.root)
            .unwrap();
        assert!(log.stored(at(4)).is_ok() && log.stored(at(7)).is_ok());
        assert_eq!(log.fsck(false).unwrap().findings, vec![]);
    };
    check(&log);
    assert_eq!(index.count(), 18);
    for path in disk.files() {
        let file = disk.open(&path, false).unwrap();
        let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
        file.read_at(0, &mut bytes).unwrap();
        let clear = record(5).to_bytes();
        assert!(!bytes.windows(32).any(|found| found == secret), "{path:?} holds the seed");
        assert!(!bytes.windows(clear.len()).any(|found| found == clear), "{path:?} holds the record");
    }
    drop(log);
    let log = open(&disk, Arc::new(MemoryIndex::default()), config()).unwrap();
    check(&log);
    // The record may come again, as a new entry.
    assert_eq!(append(&log, &[5], &mut chance).unwrap()[0].position, at(20));
}

#[test]
fn a_shard_rolls_while_deposits_go_on_and_records_keep_their_place_across_shards() {
    let (disk, index, log) = fresh();
    let mut chance = Chance::new(4);
    append(&log, &[1, 2, 3], &mut chance).unwrap();
    std::thread::scope(|scope| {
        let depositor = scope.spawn(|| {
            let mut chance = Chance::new(9);
            (100..200).for_each(|number| drop(append(&log, &[number], &mut chance).unwrap()));
        });
        assert_eq!(log.roll("evidence.example/2027").unwrap(), 1);
        depositor.join().unwrap();
    });
    assert_eq!(log.roll(ORIGIN).unwrap_err().code, Code::OriginKnown);
    assert_eq!(append(&log, &[2], &mut chance).unwrap()[0].position, at(1));
    let fresh = append(&log, &[4], &mut chance).unwrap()[0].position;
    assert_eq!(fresh.shard, 1);
    let published = log.publish(&[signers(ORIGIN), signers("evidence.example/2027")], NOW).unwrap();
    assert_eq!(published.iter().map(|(shard, _)| *shard).collect::<Vec<_>>(), [0, 1]);
    let total: u64 = published.iter().map(|(_, view)| view.size.get()).sum();
    assert_eq!(total, 104);
    assert_eq!(log.fsck(false).unwrap().findings, vec![]);
    drop(log);
    let wrong = |origin: &str| {
        open(
            &disk,
            index.clone(),
            zeugma_evidence_service::store::Config { origin: origin.into(), ..config() },
        )
    };
    assert_eq!(wrong(ORIGIN).err().unwrap().code, Code::WrongOrigin);
    let log = wrong("evidence.example/2027").unwrap();
    assert_eq!(append(&log, &[3], &mut chance).unwrap()[0].position, at(2));
    assert_eq!(log.stored(at(0)).unwrap().record, record(1));
    log.tile(0, Tree::Second, TileId::parse("tile/0/000.p/3").unwrap()).unwrap();
    assert_eq!(log.fsck(false).unwrap().findings, vec![]);
}

#[test]
fn a_batch_without_items_with_too_many_or_with_no_tenant_is_refused() {
    let (_disk, _, log) = fresh();
    let mut chance = Chance::new(5);
    let code = |batch| log.append(batch).unwrap_err().code;
    assert_eq!(code(Batch::default()), Code::Empty);
    let one = log.prepare(deposit(1, &mut chance)).unwrap();
    assert_eq!(code(Batch { items: vec![one; 16_385], key: None }), Code::TooMany);
    let mut nobody = deposit(1, &mut chance);
    nobody.tenant.clear();
    assert_eq!(log.prepare(nobody).unwrap_err().code, Code::Empty);
}

#[test]
fn records_past_their_retention_are_erased_also_in_a_closed_shard() {
    let (disk, index, log) = fresh();
    let mut chance = Chance::new(6);
    // Deposits are received at their number, in milliseconds.
    append(&log, &(0..40).collect::<Vec<_>>(), &mut chance).unwrap();
    log.roll("evidence.example/2027").unwrap();
    append(&log, &(100..110).collect::<Vec<_>>(), &mut chance).unwrap();
    assert_eq!(log.retain_since(0, 1_795_000_000_000).unwrap(), 0);
    assert_eq!(log.retain_since(0, 1_795_000_000_025).unwrap(), 25);
    assert_eq!(log.retain_since(0, 1_795_000_000_030).unwrap(), 5);
    assert_eq!(log.retain_since(1, 1_795_000_000_105).unwrap(), 5);
    let check = |log: &Log| {
        assert_eq!(log.stored(at(29)).unwrap_err().code, Code::RecordErased);
        assert!(log.stored(at(30)).is_ok());
        assert_eq!(log.fsck(false).unwrap().findings, vec![]);
    };
    check(&log);
    assert_eq!(index.count(), 15);
    drop(log);
    let config =
        zeugma_evidence_service::store::Config { origin: "evidence.example/2027".into(), ..config() };
    check(&open(&disk, Arc::new(MemoryIndex::default()), config).unwrap());
}

#[test]
fn a_backup_made_while_deposits_go_on_is_restored_whole_or_opens_a_new_origin() {
    use std::path::Path;
    use zeugma_evidence_log::Checkpoint;
    use zeugma_evidence_service::store::{Config, Restored, restore};
    let (sim, _, log) = fresh();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let mut chance = Chance::new(7);
    append(&log, &(0..300).collect::<Vec<_>>(), &mut chance).unwrap();
    let (_, view) = log.publish(&[signers(ORIGIN)], NOW).unwrap()[0];
    let held = Checkpoint::new(ORIGIN, view);
    std::thread::scope(|scope| {
        let depositor = scope.spawn(|| {
            let mut chance = Chance::new(8);
            (1_000..1_060).for_each(|number| drop(append(&log, &[number], &mut chance).unwrap()));
        });
        log.backup(Path::new("/backup")).unwrap();
        depositor.join().unwrap();
    });
    let (_, later) = log.publish(&[signers(ORIGIN)], NOW).unwrap()[0];
    append(&log, &[5_000], &mut chance).unwrap();
    let later = Checkpoint::new(ORIGIN, later);
    let size = log.backup(Path::new("/backup2")).unwrap();
    assert_eq!(size, 361);
    let restore =
        |from: &str, to: &str, latest| restore(&disk, Path::new(from), (Path::new(to), None), latest);
    let open_at = |root: &str, origin: &str, after_loss| {
        open(&sim, Arc::new(MemoryIndex::default()), Config { after_loss, ..Config::new(root, origin) })
    };
    // A checkpoint that others hold shows that the second backup lacks nothing of it.
    assert_eq!(restore("/backup2", "/whole", Some(&later)).unwrap(), Restored::Whole { size });
    let whole = open_at("/whole", ORIGIN, false).unwrap();
    assert_eq!(whole.stored(at(360)).unwrap().record, record(5_000));
    let (_, again) = whole.publish(&[signers(ORIGIN)], NOW).unwrap()[0];
    assert_eq!(again.size.get(), 361);
    assert_eq!(whole.fsck(false).unwrap().findings, vec![]);
    // The first backup may lack what that checkpoint has, and without any checkpoint nobody can tell.
    let marked = restore("/backup", "/lost", None).unwrap();
    assert!(matches!(marked, Restored::Marked { .. }));
    assert_eq!(open_at("/lost", ORIGIN, false).err().unwrap().code, Code::TailLost);
    assert_eq!(open_at("/lost", ORIGIN, true).err().unwrap().code, Code::TailLost);
    let lost = open_at("/lost", "evidence.example/2026b", true).unwrap();
    assert_eq!(append(&lost, &[7_000], &mut chance).unwrap()[0].position.shard, 1);
    assert_eq!(append(&lost, &[17], &mut chance).unwrap()[0].position, at(17));
    drop(lost);
    open_at("/lost", "evidence.example/2026b", false).unwrap();
    // A checkpoint of another history, and a folder that is in use.
    let mut other = held.clone();
    other.view.root = [9; 32];
    assert_eq!(restore("/backup2", "/other", Some(&other)).unwrap_err().code, Code::NotConsistent);
    assert_eq!(restore("/backup2", "/whole", None).unwrap_err().code, Code::FileExists);
    assert_eq!(restore("/nothing", "/new", None).unwrap_err().code, Code::Empty);
}
