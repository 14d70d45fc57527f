//! Deposits, signers and an open log, from a seed.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_evidence_log::{Field, LogSigner, Record, Seed, second_origin};
use zeugma_evidence_service::store::sim::{SimDisk, Syncs};
use zeugma_evidence_service::store::{
    Batch, Config, Deposit, IdempotencyKey, Index, Log, MemoryIndex, Outcome, Prepared, Signers,
};
use zeugma_types::{Refusal, UnixSeconds};

pub(crate) const ORIGIN: &str = "evidence.example/2026";
pub(crate) const ROOT: &str = "/store";
pub(crate) const TWIN: &str = "/twin";
pub(crate) const NOW: UnixSeconds = UnixSeconds::new(1_795_000_000);

/// A source of chance that gives the same for the same seed.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

/// The record of a number: the same number is the same record.
pub(crate) fn record(number: u64) -> Record {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    Record::new(vec![
        Field::Sha256(digest),
        Field::MediaType("application/pdf".into()),
        Field::Size(number),
        Field::Submitter("party-17".into()),
        Field::Source("registry".into()),
    ])
    .unwrap()
}

pub(crate) fn deposit(number: u64, chance: &mut Chance) -> Deposit {
    let seed = Seed::new(chance.bytes());
    Deposit { tenant: "court".into(), record: record(number), seed, received_at: 1_795_000_000_000 + number }
}

pub(crate) fn prepared(log: &Log, numbers: &[u64], chance: &mut Chance) -> Vec<Prepared> {
    numbers.iter().map(|number| log.prepare(deposit(*number, chance)).unwrap()).collect()
}

pub(crate) fn append(log: &Log, numbers: &[u64], chance: &mut Chance) -> Result<Arc<[Outcome]>, Refusal> {
    log.append(Batch { items: prepared(log, numbers, chance), key: None })
}

pub(crate) fn keyed(
    log: &Log,
    key: &str,
    numbers: &[u64],
    chance: &mut Chance,
) -> Result<Arc<[Outcome]>, Refusal> {
    let key = IdempotencyKey { tenant: "court".into(), key: key.into() };
    log.append(Batch { items: prepared(log, numbers, chance), key: Some(key) })
}

pub(crate) fn signers(origin: &str) -> Signers {
    let signer = |origin: &str, seed: u8| {
        let second = mldsa44::SecretKey::from_seed(&[seed; 32]);
        LogSigner::new(origin, ed25519::SecretKey::from_seed(&[seed; 32]), Some(second)).unwrap()
    };
    Signers { first: signer(origin, 1), second: Some(signer(&second_origin(origin), 2)) }
}

/// Signers without the slow algorithm.
pub(crate) fn fast_signers(origin: &str) -> Signers {
    let signer =
        |origin: &str| LogSigner::new(origin, ed25519::SecretKey::from_seed(&[1; 32]), None).unwrap();
    Signers { first: signer(origin), second: Some(signer(&second_origin(origin))) }
}

pub(crate) fn config() -> Config {
    Config { segment_bytes: 40_000, ..Config::new(ROOT, ORIGIN) }
}

pub(crate) fn open(disk: &SimDisk, index: Arc<dyn Index>, config: Config) -> Result<Log, Refusal> {
    let log = Log::open(config, Arc::new(disk.clone()), index)?;
    // A disk that dies while the index catches up leaves a log that is never ready.
    let _ = log.wait_ready(Duration::from_secs(if disk.is_dead() { 0 } else { 10 }));
    Ok(log)
}

pub(crate) fn fresh() -> (SimDisk, Arc<MemoryIndex>, Log) {
    let (disk, index) = (SimDisk::new(Syncs::Kept), Arc::new(MemoryIndex::default()));
    let log = open(&disk, index.clone(), config()).unwrap();
    (disk, index, log)
}

pub(crate) fn public(path: &str) -> std::path::PathBuf {
    Path::new(ROOT).join("shards/0/public").join(path)
}
