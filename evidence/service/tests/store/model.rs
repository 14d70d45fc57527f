//! Operations fail one by one: what was refused left nothing, what was acknowledged stays, and the log goes on.

use crate::world::*;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use zeugma_evidence_service::store::sim::{SimDisk, Syncs};
use zeugma_evidence_service::store::{Config, MemoryIndex};
use zeugma_types::Code;

fn run(seed: u64) {
    let mut chance = Chance::new(seed);
    let disk = SimDisk::new(Syncs::Kept);
    let config = Config {
        segment_bytes: 5_000,
        twin: seed.is_multiple_of(2).then(|| TWIN.into()),
        ..Config::new(ROOT, ORIGIN)
    };
    let log = open(&disk, Arc::new(MemoryIndex::default()), config.clone()).unwrap();
    let mut model = BTreeMap::new();
    for step in 0..60_u64 {
        let kind = [ErrorKind::StorageFull, ErrorKind::Other][usize::from(chance.flip())];
        disk.fail_in(chance.below(12), kind);
        if chance.below(5) == 0 {
            let _ = log.publish(&[fast_signers(ORIGIN)], NOW);
            continue;
        }
        let numbers: Vec<u64> =
            (0..1 + chance.below(6)).map(|at| step * 10 + at - chance.below(at + 1)).collect();
        match append(&log, &numbers, &mut chance) {
            Ok(outcomes) => {
                for (number, outcome) in numbers.iter().zip(outcomes.iter()) {
                    let before = model.insert(*number, outcome.position);
                    assert!(
                        before.is_none_or(|before| before == outcome.position),
                        "seed {seed}: {number} moved"
                    );
                }
            }
            Err(refusal) => {
                assert!(
                    matches!(refusal.code, Code::StoreFull | Code::StoreFailed),
                    "seed {seed}: {refusal}"
                );
            }
        }
        assert_eq!(log.head().2.get(), model.len() as u64, "seed {seed}: something was half stored");
    }
    disk.fail_in(u64::MAX, ErrorKind::Other);
    append(&log, &[1_000_000], &mut chance).expect("the log recovers without a restart");
    log.publish(&[fast_signers(ORIGIN)], NOW).unwrap();
    let verify = |log: &zeugma_evidence_service::store::Log| {
        for (number, position) in &model {
            assert_eq!(log.stored(*position).unwrap().record, record(*number), "seed {seed}");
        }
        assert_eq!(log.fsck(false).unwrap().findings, vec![], "seed {seed}");
    };
    verify(&log);
    drop(log);
    verify(&open(&disk, Arc::new(MemoryIndex::default()), config).unwrap());
}

#[test]
fn an_operation_that_fails_leaves_the_log_as_the_model_says() {
    (0..60).for_each(run);
}

/// Found by the fuzz target `store`: the row of a record was taken out, the disk broke the erasure off, deposits went on,
/// and the record stood there without a row, so that it got a second position.
#[test]
fn an_erasure_that_the_disk_broke_off_is_finished_before_anything_else_is_written() {
    let mut broken = 0;
    for operations in 0..24 {
        let (disk, _, log) = fresh();
        let mut chance = Chance::new(operations);
        let before = append(&log, &[1, 2], &mut chance).unwrap()[0].position;
        disk.fail_in(operations, ErrorKind::Other);
        broken += u32::from(log.erase(before, 1).is_err());
        disk.fail_in(u64::MAX, ErrorKind::Other);
        append(&log, &[3], &mut chance).unwrap();
        let there = log.stored(before);
        let again = append(&log, &[1], &mut chance).unwrap()[0];
        match there {
            Ok(_) => assert_eq!((again.position, again.known), (before, true), "{operations}"),
            Err(refusal) => {
                assert_eq!((refusal.code, again.known), (Code::RecordErased, false), "{operations}");
            }
        }
        assert_eq!(log.fsck(false).unwrap().findings, vec![], "{operations}");
    }
    assert!(broken > 2, "the disk broke {broken} erasures off");
}

#[test]
fn a_full_disk_refuses_before_acknowledging_and_recovers_without_a_restart() {
    let (disk, _, log) = fresh();
    let mut chance = Chance::new(1);
    append(&log, &[1, 2], &mut chance).unwrap();
    for spare in [0, 1, 100, 300] {
        disk.set_room(disk.used() + spare);
        let refused = append(&log, &[3, 4, 5], &mut chance).unwrap_err();
        assert_eq!(refused.code, Code::StoreFull, "{spare} bytes to spare");
        assert_eq!(log.head().2.get(), 2);
        assert!(append(&log, &[2], &mut chance).unwrap()[0].known, "what is there is still answered");
        assert_eq!(log.publish(&[fast_signers(ORIGIN)], NOW).unwrap_err().code, Code::StoreFull);
    }
    disk.set_room(u64::MAX);
    assert_eq!(append(&log, &[3], &mut chance).unwrap()[0].position.index, 2);
    log.publish(&[fast_signers(ORIGIN)], NOW).unwrap();
    assert_eq!(log.fsck(false).unwrap().findings, vec![]);
}
