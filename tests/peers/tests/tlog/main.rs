//! The evidence log as strangers read it: Go's `sumdb/note` and `sumdb/tlog`, Tessera's `fsck` and the omniwitness, none of
//! them changed, over HTTP from a running service.
//!
//! Needs Go once, to build them.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

mod cosigned;
mod service;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use service::{Service, key, open_store, public, signers};
use tempfile::TempDir;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::{Checkpoint, NoteBounds, VerifierKey};
use zeugma_evidence_service::store::{Disk, RealDisk, Restored, restore};
use zeugma_peers::{KnownLog, Omniwitness, Response, TesseraFsck, TlogReader};
use zeugma_types::UnixSeconds;

const ORIGIN: &str = "log.example/court/2026";
const NEXT: &str = "log.example/court/2027";
const WITNESS: &str = "witness.example/w1";
/// Above 256 * 256, so the tree has a third level of tiles; no multiple of 256, so each level ends in a partial one.
const LOADED: u64 = 70_000;
/// Every how manieth entry is proved: about one of each bundle, at another place in each.
const STEP: u64 = 251;

struct Strangers {
    reader: TlogReader,
    fsck: TesseraFsck,
}

impl Strangers {
    fn install() -> Self {
        Self { reader: TlogReader::install().unwrap(), fsck: TesseraFsck::install().unwrap() }
    }

    /// Both find the log at `url` sound, of this size, and grown from every older checkpoint.
    fn find_sound(&self, url: &str, key: &str, size: u64, older: &[&str]) {
        let read = self.reader.read(url, key, STEP, older).unwrap();
        let origin = key.split('+').next().unwrap();
        assert_eq!((&read["origin"], &read["size"]), (&origin.into(), &size.into()), "{read}");
        assert_eq!(read["consistent"], older.len(), "{read}");
        assert!(read["proved"].as_u64().unwrap() >= size / STEP, "{read}");
        let levels = if size > 65_536 { 3 } else { 2 };
        assert_eq!(read["levels"], levels, "{read}");
        assert!(read["full_tiles"].as_u64().unwrap() > 0 && read["partial_tiles"].as_u64().unwrap() > 0);
        assert_eq!(self.fsck.check(url, key).unwrap(), size);
    }
}

/// The witness's cosignature is on the checkpoint, under its own key.
fn require_cosigned(witness: &Omniwitness, checkpoint: &str, answer: &Response) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    // Name, id and key; base64 has a plus of its own.
    let public = witness.key().splitn(3, '+').nth(2).unwrap();
    let public = base64::engine::general_purpose::STANDARD.decode(public).unwrap();
    let key = VerifierKey::cosignature(WITNESS, public[1..].try_into().unwrap()).unwrap();
    let cosigned = format!("{checkpoint}{}", answer.body);
    let cosigned = SignedCheckpoint::parse(cosigned.as_bytes(), NoteBounds::USUAL).unwrap();
    assert!(cosigned.require(&key).unwrap().at.is_some());
}

#[test]
fn go_tessera_and_a_witness_take_70_000_entries_grown_restored_and_rolled_and_the_witness_refuses_a_fork() {
    let strangers = Strangers::install();
    let desk = TempDir::new().unwrap();
    let at = |name: &str| desk.path().join(name);
    let folder = at("log");

    // Loaded.
    let service = Service::start(&folder, ORIGIN);
    service.deposit(0..LOADED, LOADED);
    let (own, next) = (key(&folder, ORIGIN), key(&folder, NEXT));
    let known = [(ORIGIN, &own), (NEXT, &next)]
        .map(|(origin, key)| KnownLog { origin: origin.to_owned(), key: key.clone() });
    let mut witness = Omniwitness::start(WITNESS, &known, &strangers.reader).unwrap();
    let loaded = service.checkpoint(0);
    strangers.find_sound(&service.url(0), &own, LOADED, &[]);
    let answer = witness.add_checkpoint(0, &[], &loaded).unwrap();
    require_cosigned(&witness, &loaded, &answer);
    service.end();
    back_up(&folder, &at("backup"));

    // Grown, after a restart.
    let service = Service::start(&folder, ORIGIN);
    let size = LOADED + 137;
    service.deposit(LOADED..size, size);
    let grown = service.checkpoint(0);
    strangers.find_sound(&service.url(0), &own, size, &[&loaded]);
    let proof = strangers.reader.prove(&service.url(0), &own, LOADED).unwrap();
    let stale = witness.add_checkpoint(0, &[], &grown).unwrap();
    assert_eq!((stale.status, stale.body.as_str()), (409, "70000\n"));
    let mut wrong = proof.clone();
    wrong.swap(0, 1);
    assert_eq!(witness.add_checkpoint(LOADED, &wrong, &grown).unwrap().status, 422);
    let answer = witness.add_checkpoint(LOADED, &proof, &grown).unwrap();
    require_cosigned(&witness, &grown, &answer);

    // Restored under its origin, since nothing told the operator that the backup lacks a tail: the same log so far.
    restored(&at("backup"), &at("fork"), &loaded, &folder);
    let fork = Service::start(&at("fork"), ORIGIN);
    fork.published(LOADED);
    strangers.find_sound(&fork.url(0), &own, LOADED, &[&loaded]);

    // It goes on otherwise, with the right key: sound in itself, and no continuation of what the witness has seen.
    let mut witness = witness.restart().unwrap();
    fork.deposit(900_000..900_137, size);
    let twin = fork.checkpoint(0);
    strangers.find_sound(&fork.url(0), &own, size, &[&loaded]);
    assert!(strangers.reader.read(&fork.url(0), &own, STEP, &[&grown]).is_err(), "another root at one size");
    let refused = witness.add_checkpoint(size, &[], &twin).unwrap();
    assert_eq!((refused.status, refused.body.as_str()), (409, ""));
    fork.deposit(900_137..900_300, LOADED + 300);
    let longer = fork.checkpoint(0);
    let refusal = strangers.reader.read(&fork.url(0), &own, STEP, &[&loaded, &grown]).unwrap_err();
    assert!(format!("{refusal:#}").contains("older-1 is not of this log"), "{refusal:#}");
    let proof = strangers.reader.prove(&fork.url(0), &own, size).unwrap();
    let refused = witness.add_checkpoint(size, &proof, &longer).unwrap();
    assert_eq!((refused.status, refused.body.as_str()), (422, ""));
    fork.end();

    // The log itself still is cosigned.
    service.deposit(size..size + 63, size + 63);
    let proof = strangers.reader.prove(&service.url(0), &own, size).unwrap();
    let last = service.checkpoint(0);
    let answer = witness.add_checkpoint(size, &proof, &last).unwrap();
    require_cosigned(&witness, &last, &answer);
    service.end();

    // Rolled: the closed shard stays as it is, and the next is a log of its own.
    rolled(&folder);
    let service = Service::start(&folder, NEXT);
    let known = service.known(7);
    assert_eq!((&known["shard"], &known["index"]), (&0.into(), &7.into()), "{known}");
    service.deposit(800_000..800_600, 600);
    // Signed again, with its time, when the store was opened: the tree head is the same.
    let head = |note: &str| note.split_once("\n\n").unwrap().0.to_owned();
    assert_eq!(head(&service.checkpoint(0)), head(&last));
    strangers.find_sound(&service.url(0), &own, size + 63, &[&loaded, &grown, &last]);
    strangers.find_sound(&service.url(1), &next, 600, &[]);
    let first = service.checkpoint(1);
    let answer = witness.add_checkpoint(0, &[], &first).unwrap();
    require_cosigned(&witness, &first, &answer);
    service.end();
}

fn back_up(folder: &Path, to: &Path) {
    let log = open_store(folder, ORIGIN);
    assert_eq!(log.backup(to).unwrap(), LOADED);
}

fn restored(backup: &Path, to: &Path, latest: &str, folder: &Path) {
    let signers = signers(folder, ORIGIN);
    let latest =
        Checkpoint::open(latest.as_bytes(), ORIGIN, &signers.first.key(), NoteBounds::USUAL).unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let restored = restore(&disk, backup, (to, None), Some(&latest)).unwrap();
    assert_eq!(restored, Restored::Whole { size: LOADED });
    fs::copy(folder.join("keys.json"), to.join("keys.json")).unwrap();
}

fn rolled(folder: &Path) {
    let log = open_store(folder, ORIGIN);
    assert_eq!(log.roll(NEXT).unwrap(), 1);
    let both = [ORIGIN, NEXT].map(|origin| signers(folder, origin));
    log.publish(&both, UnixSeconds::new(1_795_000_000)).unwrap();
}

#[test]
fn go_and_tessera_find_each_changed_file_of_a_log() {
    let strangers = Strangers::install();
    let desk = TempDir::new().unwrap();
    let folder = desk.path().join("log");
    let service = Service::start(&folder, ORIGIN);
    service.deposit(0..600, 600);
    let own = key(&folder, ORIGIN);
    service.end();

    let files = public(&folder, 0);
    let url = format!("file://{}/", files.display());
    let judge =
        || (strangers.reader.read(&url, &own, 1, &[]).is_ok(), strangers.fsck.check(&url, &own).is_ok());
    assert_eq!(judge(), (true, true));
    for name in [
        "checkpoint",
        "tile/entries/001",
        "tile/entries/002.p/88",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ] {
        let path = files.join(name);
        let sound = fs::read(&path).unwrap();
        let mut changed = sound.clone();
        // Of the checkpoint this is the root; of a bundle, the first entry.
        let at = if name == "checkpoint" { ORIGIN.len() + 10 } else { 5 };
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(judge(), (false, false), "{name}");
        fs::remove_file(&path).unwrap();
        assert_eq!(judge(), (false, false), "{name} is gone");
        fs::write(&path, sound).unwrap();
    }
    assert_eq!(judge(), (true, true));
    let other = key(desk.path(), ORIGIN);
    assert!(strangers.reader.read(&url, &other, 1, &[]).is_err(), "another key");
    assert!(strangers.fsck.check(&url, &other).is_err(), "another key");
}
