//! A log whose disk fails, fills up and loses its power at any operation keeps what it acknowledged: once, where it said, and
//! nothing of what it refused. The input is a list of what happens, two bytes each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_evidence_log::{Field, LogSigner, Record, Seed, second_origin};
use zeugma_fuzz::store::sim::{Loss, SimDisk, Syncs};
use zeugma_fuzz::store::{
    Batch, Config, Deposit, IdempotencyKey, Log, MemoryIndex, Outcome, Position, Signers,
};
use zeugma_fuzz::{seed, start};
use zeugma_types::{Code, Refusal, UnixSeconds};

const ORIGIN: &str = "log.example/fuzz";
/// Most events of one input: each costs about a millisecond.
const EVENTS: usize = 48;
const PATIENCE: Duration = Duration::from_secs(20);

/// What was acknowledged.
#[derive(Default)]
struct Model {
    positions: BTreeMap<u16, Position>,
    /// Erasures that were ordered and not acknowledged: either may be.
    asked: BTreeSet<u16>,
    requests: BTreeMap<u8, (Vec<u16>, Vec<Position>)>,
    next: u16,
}

struct World {
    disk: SimDisk,
    index: Arc<MemoryIndex>,
    config: Config,
    log: Option<Log>,
    model: Model,
}

fn record(number: u16) -> Record {
    let mut digest = [0; 32];
    digest[..2].copy_from_slice(&number.to_be_bytes());
    Record::new(vec![
        Field::Sha256(digest),
        Field::MediaType("a/b".into()),
        Field::Size(number.into()),
        Field::Submitter("s".into()),
        Field::Source("o".into()),
    ])
    .expect("a record")
}

fn signers() -> Signers {
    let signer = |origin: &str, seed| {
        LogSigner::new(origin, SecretKey::from_seed(&[seed; 32]), None).expect("a plain name")
    };
    Signers { first: signer(ORIGIN, 1), second: Some(signer(&second_origin(ORIGIN), 2)) }
}

fn append(log: &Log, numbers: &[u16], key: Option<u8>) -> Result<Arc<[Outcome]>, Refusal> {
    let item = |number: &u16| {
        let (tenant, seed) = ("t".to_owned(), Seed::new([7; 32]));
        let deposit = Deposit { tenant, record: record(*number), seed, received_at: 1 };
        log.prepare(deposit).expect("a small deposit")
    };
    let key = key.map(|key| IdempotencyKey { tenant: "t".into(), key: key.to_string() });
    log.append(Batch { items: numbers.iter().map(item).collect(), key })
}

impl World {
    fn new(twin: bool) -> Self {
        let twin = twin.then(|| "/twin".into());
        let config = Config { segment_bytes: 4_000, twin, ..Config::new("/store", ORIGIN) };
        let mut world = Self {
            disk: SimDisk::new(Syncs::Kept),
            index: Arc::default(),
            config,
            log: None,
            model: Model::default(),
        };
        world.open().expect("an empty disk");
        world
    }

    fn open(&mut self) -> Result<(), Refusal> {
        let log = Log::open(self.config.clone(), Arc::new(self.disk.clone()), Arc::clone(&self.index) as _)?;
        self.log = Some(log);
        Ok(())
    }

    /// The power goes, and what is left is opened: that must succeed.
    fn cut(&mut self, choice: u8) {
        self.disk.die_in(0);
        self.log = None;
        let loss = if choice & 1 == 0 { Loss::Strict } else { Loss::Subset };
        let mut bits = u64::from(choice).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.disk.cut_power(loss, || {
            bits = bits.rotate_left(1);
            bits & 1 == 1
        });
        // The index comes back as it was at some time since it was synced, or not at all.
        self.index = Arc::new(match choice >> 1 & 3 {
            0 => MemoryIndex::default(),
            1 => self.index.copy(),
            _ => self.index.copy_synced(),
        });
        self.open().unwrap_or_else(|refusal| panic!("it does not open after a power cut: {refusal}"));
    }

    fn happens(&mut self, [what, how]: [u8; 2]) {
        let Some(log) = &self.log else { return };
        let model = &mut self.model;
        match what % 8 {
            0 => self
                .disk
                .fail_in((how >> 1).into(), [ErrorKind::StorageFull, ErrorKind::Other][usize::from(how & 1)]),
            1 => {
                let room = if how < 128 { u64::MAX } else { self.disk.used() + u64::from(how) * 8 };
                self.disk.set_room(room);
            }
            2 => drop(log.publish(&[signers()], UnixSeconds::new(5))),
            3 => {
                let at = usize::from(how) % model.positions.len().max(1);
                let Some((number, position)) = model.positions.iter().nth(at).map(|(a, b)| (*a, *b)) else {
                    return;
                };
                model.asked.insert(number);
                if log.erase(position, 1).is_ok() {
                    model.positions.remove(&number);
                }
            }
            4 => {
                if model.requests.contains_key(&how) {
                    return;
                }
                let numbers: Vec<u16> = (0..1 + u16::from(how % 3)).map(|at| model.next + at).collect();
                model.next += 3;
                // A request that was refused may have been written: its key is not used again.
                let positions: Vec<Position> = match append(log, &numbers, Some(how)) {
                    Ok(outcomes) => outcomes.iter().map(|outcome| outcome.position).collect(),
                    Err(_) => Vec::new(),
                };
                model.positions.extend(numbers.iter().copied().zip(positions.iter().copied()));
                model.requests.insert(how, (numbers, positions));
            }
            5 => {
                self.disk.die_in(u64::from(how) % 24);
                self.appends(how);
                self.cut(how);
            }
            6 => self.cut(how),
            _ => self.appends(how),
        }
    }

    /// Some new records, one of them twice, and one that may be known.
    fn appends(&mut self, how: u8) {
        let Some(log) = &self.log else { return };
        let model = &mut self.model;
        let mut numbers: Vec<u16> = (0..1 + u16::from(how % 5)).map(|at| model.next + at).collect();
        model.next += 5;
        numbers.push(numbers[0]);
        numbers.extend(model.positions.keys().nth(usize::from(how) % 7));
        match append(log, &numbers, None) {
            Ok(outcomes) => {
                for (number, outcome) in numbers.iter().zip(outcomes.iter()) {
                    let before = model.positions.insert(*number, outcome.position);
                    assert!(before.is_none_or(|before| before == outcome.position), "record {number} moved");
                    assert!(before.is_none() || outcome.known, "record {number} was taken for new");
                }
            }
            Err(refusal) => {
                // A read that fails while an erasure is finished is told as damage.
                let codes =
                    [Code::StoreFull, Code::StoreFailed, Code::IndexBehind, Code::QueueFull, Code::Damaged];
                assert!(codes.contains(&refusal.code), "{refusal}");
            }
        }
    }

    /// Nothing fails any more: all that was acknowledged is there.
    fn settle(mut self) {
        self.disk.fail_in(u64::MAX, ErrorKind::Other);
        self.disk.set_room(u64::MAX);
        self.log = None;
        self.open().unwrap_or_else(|refusal| panic!("it does not open: {refusal}"));
        let log = self.log.take().expect("it was just opened");
        assert!(log.wait_ready(PATIENCE), "never ready");
        for (number, position) in &self.model.positions {
            match log.stored(*position) {
                Ok(stored) => {
                    assert_eq!(stored.record, record(*number), "another record stands at {position:?}")
                }
                Err(refusal) => {
                    let erased = refusal.code == Code::RecordErased && self.model.asked.contains(number);
                    assert!(erased, "record {number} is lost: {refusal}");
                    continue;
                }
            }
            let again = append(&log, &[*number], None).expect("nothing fails")[0];
            assert_eq!((again.position, again.known), (*position, true), "record {number}");
        }
        for (key, (numbers, positions)) in &self.model.requests {
            if positions.is_empty() || numbers.iter().any(|number| self.model.asked.contains(number)) {
                continue;
            }
            let again = append(&log, numbers, Some(*key)).expect("nothing fails");
            assert!(again.iter().map(|one| one.position).eq(positions.iter().copied()), "request {key}");
        }
        log.publish(&[signers()], UnixSeconds::new(9)).expect("nothing fails");
        let findings = log.fsck(false).expect("nothing fails").findings;
        assert!(findings.is_empty(), "{findings:?}");
    }
}

fn seeds() -> Vec<zeugma_fuzz::Seed> {
    vec![
        seed("appends", [1, 7, 4, 7, 9, 2, 0, 7, 3]),
        seed("fails", [0, 0, 6, 7, 4, 0, 3, 7, 2, 2, 0, 7, 8, 0, 9, 4, 5, 4, 5]),
        seed("full", [0, 7, 4, 1, 130, 7, 4, 2, 0, 1, 0, 7, 4, 2, 0]),
        seed("cuts", [1, 7, 4, 2, 0, 5, 9, 7, 3, 6, 5, 3, 1, 6, 2, 7, 4]),
        seed("erases", [0, 7, 4, 7, 4, 3, 2, 7, 1, 3, 1, 6, 1, 0, 4, 3, 3, 6, 4]),
    ]
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((twin, events)) = data.split_first() else { return };
    let mut world = World::new(twin % 2 == 1);
    for event in events.as_chunks::<2>().0.iter().take(EVENTS) {
        world.happens(*event);
    }
    world.settle();
});
