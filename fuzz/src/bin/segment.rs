//! A store opens on any bytes of a segment, or refuses them with a code; what it opened it can read, publish and check, and
//! opens again or says that its tail is lost. With an odd first byte the checksums are made right first, so that what lies behind them is reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_log::{Field, LogSigner, Record, Seed, second_origin};
use zeugma_fuzz::store::sim::{SimDisk, Syncs};
use zeugma_fuzz::store::{Batch, Config, Deposit, Disk, IdempotencyKey, Log, MemoryIndex, Position, Signers};
use zeugma_fuzz::{seed_of, start};
use zeugma_types::{Code, Refusal, UnixSeconds};

const ORIGIN: &str = "log.example/fuzz";
const ROOT: &str = "/store";
const MAGIC: usize = 8;
/// A frame's head; its check, and a segment's, have 16 bytes.
const HEAD: usize = 52;
const CHECK: usize = 16;
/// Where in its head a frame repeats the check of the one before.
const BEFORE: usize = 36;

fn segment() -> PathBuf {
    Path::new(ROOT).join("shards/0/segments/0000000000.seg")
}

fn open(disk: &SimDisk) -> Result<Log, Refusal> {
    Log::open(Config::new(ROOT, ORIGIN), Arc::new(disk.clone()), Arc::new(MemoryIndex::default()))
}

fn signers() -> Signers {
    let signer = |origin: &str, seed| {
        LogSigner::new(origin, SecretKey::from_seed(&[seed; 32]), None).expect("a plain name")
    };
    Signers { first: signer(ORIGIN, 1), second: Some(signer(&second_origin(ORIGIN), 2)) }
}

fn batch(log: &Log, numbers: core::ops::Range<u8>, key: Option<&str>) -> Batch {
    let item = |number: u8| {
        let fields = vec![
            Field::Sha256([number; 32]),
            Field::MediaType("a/b".into()),
            Field::Size(number.into()),
            Field::Submitter("s".into()),
            Field::Source("o".into()),
        ];
        let record = Record::new(fields).expect("a record");
        let deposit =
            Deposit { tenant: "t".into(), record, seed: Seed::new([number; 32]), received_at: number.into() };
        log.prepare(deposit).expect("a small deposit")
    };
    let key = key.map(|key| IdempotencyKey { tenant: "t".into(), key: key.into() });
    Batch { items: numbers.map(item).collect(), key }
}

fn file(disk: &SimDisk) -> Vec<u8> {
    let file = disk.open(&segment(), false).expect("the store has a segment");
    let mut bytes = vec![0; usize::try_from(file.len().expect("in memory")).expect("a small file")];
    file.read_at(0, &mut bytes).expect("all of it");
    bytes
}

fn seeds() -> Vec<zeugma_fuzz::Seed> {
    let disk = SimDisk::new(Syncs::Kept);
    let log = open(&disk).expect("an empty disk");
    assert!(log.wait_ready(Duration::from_secs(10)));
    let mut seeds = vec![seed_of(1, "empty", file(&disk))];
    log.append(batch(&log, 0..3, Some("k"))).expect("a batch");
    seeds.push(seed_of(1, "request", file(&disk)));
    seeds.push(seed_of(0, "request-sealed", file(&disk)));
    log.append(batch(&log, 2..6, None)).expect("a batch");
    log.erase(Position { shard: 0, index: 1 }, 1).expect("an entry");
    seeds.push(seed_of(1, "erased", file(&disk)));
    log.roll("log.example/next").expect("another origin");
    seeds.push(seed_of(1, "closed", file(&disk)));
    seeds
}

/// Makes the checksums of the header and of each frame what they should be, and chains the frames.
fn seal(bytes: &mut [u8]) {
    let number = |bytes: &[u8], at: usize| {
        let word = bytes.get(at..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*word)).ok()
    };
    let check = |bytes: &[u8]| -> [u8; CHECK] { *sha256(&[bytes]).first_chunk().expect("32 bytes") };
    let Some(body) = number(bytes, MAGIC) else { return };
    let end = MAGIC + 4 + body;
    if bytes.len() < end + CHECK {
        return;
    }
    let sealed = check(&bytes[..end]);
    bytes[end..end + CHECK].copy_from_slice(&sealed);
    // shard, number, sequence, the origin behind its length, and then the check that the first frame repeats.
    let Some(origin) = number(bytes, MAGIC + 4 + 16) else { return };
    let first = MAGIC + 4 + 20 + origin;
    let Some(mut before) = bytes.get(first..).and_then(|rest| rest.first_chunk::<CHECK>().copied()) else {
        return;
    };
    let mut at = end + CHECK;
    while let (Some(public), Some(private)) = (number(bytes, at + 4), number(bytes, at + 8)) {
        let end = at + HEAD + public;
        if bytes.len() < end + CHECK {
            return;
        }
        bytes[at + BEFORE..at + HEAD].copy_from_slice(&before);
        before = check(&bytes[at..end]);
        bytes[end..end + CHECK].copy_from_slice(&before);
        at = end + CHECK + private;
    }
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if choice % 2 == 1 {
        seal(&mut bytes);
    }
    let disk = SimDisk::new(Syncs::Kept);
    let file = disk.open(&segment(), true).expect("a new file");
    file.write_at(0, &bytes).expect("in memory");
    let Ok(log) = open(&disk) else { return };
    let (shard, _, size) = log.head();
    for index in 0..size.get().min(64) {
        let position = Position { shard, index };
        // Its record may be damaged or erased: that is a refusal. Its leaf is in the tree.
        let _ = log.stored(position);
        // A header may claim a size whose entries are in a segment that is not there.
        let _ = log.leaf(position);
    }
    let _ = log.wait_ready(Duration::from_millis(2));
    let published = log.publish(&[signers()], UnixSeconds::new(5));
    let _ = log.fsck(false);
    drop(log);
    match open(&disk) {
        Ok(again) => assert_eq!(again.head().2, size, "opened again it has another size"),
        // Damage in the records of the newest frame looks like a write that was cut short: it is named, not passed over.
        Err(refusal) if refusal.code == Code::TailLost => {}
        Err(refusal) => panic!("it was open, published {published:?}, and does not open again: {refusal}"),
    }
});
