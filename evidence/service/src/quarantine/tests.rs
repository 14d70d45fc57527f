//! Crashes between any two steps, on a disk that can die, and bounds.
#![allow(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::store::sim::{Loss, SimDisk, Syncs};
use crate::store::{Config, MemoryIndex};
use zeugma_evidence_log::Record;
use zeugma_evidence_log::record::Field;

const ROOT: &str = "/store";

fn record(number: u8) -> Record {
    let fields = vec![
        Field::Sha256([number; 32]),
        Field::MediaType("text/plain".into()),
        Field::Size(1),
        Field::Submitter("party".into()),
        Field::Source("archive".into()),
    ];
    Record::new(fields).unwrap()
}

fn case(numbers: &[u8], key: Option<&str>) -> Case {
    let records = numbers.iter().map(|number| record(*number)).collect();
    let why = vec![Why { item: 0, statement: b"statement".to_vec() }];
    Case::new("court", records, key.map(str::to_owned), why, BlockTime::new(1_000)).unwrap()
}

fn ruling() -> Ruling {
    Ruling {
        role: "regulator".into(),
        tenant: "authority".into(),
        at: BlockTime::new(2_000),
        words: "so".into(),
    }
}

fn bounds() -> QuarantineConfig {
    QuarantineConfig { cases: 2, mebibytes: 1, days: 30 }
}

struct World {
    disk: SimDisk,
    index: Arc<MemoryIndex>,
}

impl World {
    fn new() -> Self {
        let disk = SimDisk::new(Syncs::Kept);
        disk.create_dir(Path::new(ROOT)).unwrap();
        Self { disk, index: Arc::new(MemoryIndex::default()) }
    }

    fn log(&self) -> Result<Log, Refusal> {
        let config = Config::new(ROOT, "log.example/one");
        let log = Log::open(config, Arc::new(self.disk.clone()), self.index.clone())?;
        let _ = log.wait_ready(Duration::from_secs(if self.disk.is_dead() { 0 } else { 10 }));
        Ok(log)
    }

    fn quarantine(&self) -> Quarantine {
        Quarantine::open(Arc::new(self.disk.clone()), Path::new(ROOT), &bounds()).unwrap()
    }

    /// The next life after a power cut: the index keeps what it synced.
    fn cut(&mut self) {
        self.disk.cut_power(Loss::Strict, || false);
        self.index = Arc::new(self.index.copy_synced());
    }
}

fn hold(quarantine: &Quarantine, case: &Case) -> Refusal {
    quarantine.hold(case, || Ok(true)).unwrap_err()
}

#[test]
fn a_release_that_the_power_cut_at_any_write_is_finished_by_the_next_life_and_logs_each_record_once() {
    let (mut whole, mut finished) = (0, 0);
    for operations in 0..60 {
        let mut world = World::new();
        let held = case(&[1, 2, 3], Some("k"));
        let id = held.id();
        let (log, quarantine) = (world.log().unwrap(), world.quarantine());
        assert_eq!(hold(&quarantine, &held).code, Code::Quarantined);
        world.disk.die_in(operations);
        let done = quarantine.release(&log, id, ruling());
        drop((log, quarantine));
        world.cut();

        let (log, quarantine) = (world.log().unwrap(), world.quarantine());
        let before = quarantine.case(id, None).unwrap();
        if done.is_ok() {
            assert_eq!(before.state.name(), "released", "{operations}: what was told is there");
            whole += 1;
        }
        // Whether the ruling was durable decides: if not, it is still held, and nothing is logged.
        if before.state.name() == "held" {
            assert_eq!(log.head().2.get(), 0, "{operations}");
            assert_eq!(before.records.len(), 3, "{operations}: nothing of it is lost");
            quarantine.release(&log, id, ruling()).unwrap();
        } else {
            quarantine.tidy(&log, BlockTime::new(3_000)).unwrap();
            finished += 1;
        }
        let after = quarantine.case(id, None).unwrap();
        let State::Released(by, positions) = &after.state else { panic!("{operations}: {after:?}") };
        assert_eq!((by, positions.len(), after.records.len()), (&ruling(), 3, 0), "{operations}");
        assert_eq!(log.head().2.get(), 3, "{operations}: each record is logged once");
        for (number, position) in (1..).zip(positions) {
            assert_eq!(log.stored(*position).unwrap().record, record(number), "{operations}");
            assert_eq!(quarantine.of(*position), Some(id));
        }
    }
    assert!(whole > 0 && finished > whole, "{whole} whole, {finished} finished: the cuts fell everywhere");
}

#[test]
fn a_case_is_held_before_its_depositor_is_told_so_and_a_cut_before_leaves_none() {
    for operations in 0..8 {
        let mut world = World::new();
        let quarantine = world.quarantine();
        world.disk.die_in(operations);
        let told = hold(&quarantine, &case(&[1], None));
        drop(quarantine);
        world.cut();
        let quarantine = world.quarantine();
        if told.code == Code::Quarantined {
            assert_eq!(
                quarantine.case(case(&[1], None).id(), None).unwrap(),
                case(&[1], None),
                "{operations}"
            );
        } else {
            assert!(quarantine.list(None).len() <= 1, "{operations}");
        }
    }
}

#[test]
fn the_same_deposit_is_the_same_case_and_a_key_with_another_body_is_a_conflict() {
    let world = World::new();
    let (log, quarantine) = (world.log().unwrap(), world.quarantine());
    let held = case(&[1], Some("k"));
    let id = held.id();
    hold(&quarantine, &held);
    for quarantine in [&quarantine, &world.quarantine()] {
        let found = quarantine.require_new("court", id, Some("k")).unwrap_err();
        assert_eq!((found.code, found.found.to_string()), (Code::Quarantined, id.to_string()));
        let other = case(&[2], Some("k")).id();
        assert_eq!(quarantine.require_new("court", other, Some("k")).unwrap_err().code, Code::KeyReused);
        quarantine.require_new("another", other, Some("k")).unwrap();
        quarantine.require_new("court", other, None).unwrap();
    }
    assert_eq!(quarantine.case(id, Some("another")).unwrap_err().code, Code::NoSuchCase);

    quarantine.release(&log, id, ruling()).unwrap();
    quarantine.require_new("court", id, Some("k")).unwrap();
    let (_, fresh) = log
        .look(Batch {
            items: vec![
                log.prepare(Deposit {
                    tenant: "court".into(),
                    record: record(1),
                    seed: Seed::new([9; 32]),
                    received_at: 1,
                })
                .unwrap(),
            ],
            key: Some(IdempotencyKey { tenant: "court".into(), key: "k".into() }),
        })
        .unwrap();
    assert_eq!(fresh, [false], "the log knows the record and the key that were released");
    assert_eq!(quarantine.reject(id, ruling()).unwrap_err().code, Code::CaseRuled);
    assert_eq!(quarantine.release(&log, id, ruling()).unwrap().state.name(), "released", "again is the same");
}

#[test]
fn what_is_rejected_is_gone_what_nobody_ruled_on_lapses_and_both_are_forgotten_in_time() {
    let world = World::new();
    let (log, quarantine) = (world.log().unwrap(), world.quarantine());
    let (one, two) = (case(&[1], None), case(&[2], None));
    hold(&quarantine, &one);
    hold(&quarantine, &two);
    let full = hold(&quarantine, &case(&[3], None));
    assert_eq!(full.code, Code::QuarantineFull);
    assert_eq!(quarantine.load().cases, 2);

    let rejected = quarantine.reject(one.id(), ruling()).unwrap();
    assert!(rejected.records.is_empty());
    assert_eq!(quarantine.require_new("court", one.id(), None).unwrap_err().code, Code::QuarantineRejected);
    assert_eq!(quarantine.release(&log, one.id(), ruling()).unwrap_err().code, Code::CaseRuled);
    assert_eq!(hold(&quarantine, &case(&[3], None)).code, Code::Quarantined, "there is room again");

    let day = 86_400_000;
    let later = BlockTime::new(1_000 + 30 * day);
    assert_eq!(quarantine.tidy(&log, later).unwrap(), 0, "not older than may be");
    let later = BlockTime::new(2_001 + 30 * day);
    assert_eq!(quarantine.tidy(&log, later).unwrap(), 3, "one forgotten, two lapsed");
    assert_eq!(quarantine.case(one.id(), None).unwrap_err().code, Code::NoSuchCase);
    let lapsed = quarantine.case(two.id(), None).unwrap();
    assert!(lapsed.state.name() == "lapsed" && lapsed.records.is_empty());
    assert_eq!(quarantine.require_new("court", two.id(), None).unwrap_err().code, Code::QuarantineRejected);
    assert_eq!(log.head().2.get(), 0);
    quarantine.tidy(&log, BlockTime::new(3_000 + 60 * day)).unwrap();
    assert!(quarantine.is_empty() && world.quarantine().is_empty());
}

#[test]
fn a_deposit_that_was_released_while_it_was_judged_is_not_held_again() {
    let world = World::new();
    let quarantine = world.quarantine();
    quarantine.hold(&case(&[1], None), || Ok(false)).unwrap();
    assert!(quarantine.is_empty());
}

#[test]
fn a_damaged_case_is_named_and_a_disk_that_is_full_holds_nothing() {
    let world = World::new();
    let quarantine = world.quarantine();
    let held = case(&[1], None);
    hold(&quarantine, &held);
    let path = Path::new(ROOT).join("quarantine").join(held.id().to_string());
    world.disk.damage(&path, |bytes| bytes[20] ^= 1);
    let refusal = quarantine.case(held.id(), None).unwrap_err();
    assert!(refusal.code == Code::Damaged && refusal.found.to_string().contains("quarantine"), "{refusal}");
    let opened = Quarantine::open(Arc::new(world.disk.clone()), Path::new(ROOT), &bounds());
    assert_eq!(opened.unwrap_err().code, Code::Damaged);
    world.disk.set_room(world.disk.used());
    assert_eq!(hold(&quarantine, &case(&[2], None)).code, Code::StoreFull);
    assert_eq!(quarantine.list(None).len(), 1);
}
