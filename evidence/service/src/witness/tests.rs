//! The witness on a disk whose power is cut, under requests that race, and with a state that came from elsewhere.

use super::state::State;
use super::*;
use crate::store::RealDisk;
use crate::store::sim::{Loss, SimDisk, Syncs};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use zeugma_crypto::ed25519;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::witness::{cosignatures, request};
use zeugma_evidence_log::{LogSigner, NoteBounds};
use zeugma_proof::body::LogView;
use zeugma_proof::tree::{Frontier, Hash, Node, consistency, leaf_hash};
use zeugma_types::{HashSuite, TreeSize};

const ORIGIN: &str = "log.example/one";
const NOW: UnixSeconds = UnixSeconds::new(1_795_000_000);
const SUITE: HashSuite = HashSuite::Sha256;

/// A history of a log: another for each seed, the same up to the fork.
struct History {
    nodes: BTreeMap<Node, Hash>,
    roots: Vec<Hash>,
}

impl History {
    fn new(fork: usize, seed: u8) -> Self {
        let mut frontier = Frontier::new(SUITE);
        let (mut nodes, mut roots) = (BTreeMap::new(), vec![frontier.root()]);
        for at in 0..40_usize {
            let leaf = [u8::try_from(at).unwrap(), if at < fork { 0 } else { seed }];
            let kept = frontier.append(leaf_hash(SUITE, &leaf), |node, hash| {
                nodes.insert(node, *hash);
            });
            kept.unwrap();
            roots.push(frontier.root());
        }
        Self { nodes, roots }
    }

    fn view(&self, size: usize) -> LogView {
        LogView { size: TreeSize::new(size as u64), root: self.roots[size] }
    }

    fn request(&self, old: usize, new: usize) -> Vec<u8> {
        let size = |size: usize| TreeSize::new(size as u64);
        let proof = match old {
            0 => Vec::new(),
            old if old > new => Vec::new(),
            old => consistency(SUITE, size(old), size(new), &|node: Node| self.nodes.get(&node).copied())
                .unwrap(),
        };
        request(size(old), &proof, &signer().sign(self.view(new), NOW)).into_bytes()
    }
}

fn signer() -> LogSigner {
    LogSigner::new(ORIGIN, ed25519::SecretKey::from_seed(&[1; 32]), None).unwrap()
}

fn keys(seed: u8) -> WitnessKeys {
    WitnessKeys::of("court.example/witness", &[[seed; 32], [seed; 32]]).unwrap()
}

fn machine(boot: &str) -> Machine {
    Machine { id: "m1".to_owned(), boot: boot.to_owned() }
}

fn home(disk: &SimDisk) -> Home {
    Home { disk: Arc::new(disk.clone()), folder: "/witness".into(), machine: machine("b1") }
}

fn followed() -> Vec<Followed> {
    vec![Followed { origin: ORIGIN.to_owned(), keys: vec![signer().key()] }]
}

fn open(home: Home) -> Result<Witness, Refusal> {
    Witness::open(home, keys(7), followed(), Reboots::Refuse)
}

fn status(answer: &Result<String, NotCosigned>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(NotCosigned::Declined(declined)) => declined.status(),
        Err(NotCosigned::Unable(_)) => 503,
    }
}

#[test]
fn both_keys_cosign_what_grew_and_a_fork_of_the_right_key_is_kept_with_its_other_side() {
    let disk = SimDisk::new(Syncs::Kept);
    Witness::init(&home(&disk), &keys(7)).unwrap();
    let witness = open(home(&disk)).unwrap();
    let (log, fork) = (History::new(10, 1), History::new(10, 2));
    let answer = witness.add_checkpoint(&log.request(0, 12), NOW).unwrap();
    let note = signer().sign(log.view(12), NOW);
    let lines = cosignatures(&note, answer.as_bytes(), &witness.keys().public()).unwrap();
    assert_eq!((answer.lines().count(), lines.len()), (2, 2));

    assert_eq!(status(&witness.add_checkpoint(&fork.request(12, 12), NOW)), 409);
    assert_eq!(status(&witness.add_checkpoint(&fork.request(12, 20), NOW)), 422);
    // The same again is not kept again, and an honest request with an old size is no contradiction.
    assert_eq!(status(&witness.add_checkpoint(&fork.request(12, 12), NOW)), 409);
    assert_eq!(status(&witness.add_checkpoint(&log.request(5, 12), NOW)), 409);
    assert_eq!(witness.contradictions(), (1, 1));
    let files = disk.files();
    let kept = files.iter().find(|path| path.display().to_string().contains("split-")).unwrap();
    let file = disk.open(kept, false).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(0, &mut bytes).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let root = |name: &str| {
        let note = kept[name].as_str().unwrap();
        let note = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
        note.require(&signer().key()).unwrap();
        note.claimed().view
    };
    assert_eq!((root("one"), root("other")), (log.view(12), fork.view(12)));
    // The log itself goes on.
    assert_eq!(status(&witness.add_checkpoint(&log.request(12, 13), NOW)), 200);
    let other = LogSigner::new("log.example/two", ed25519::SecretKey::from_seed(&[1; 32]), None).unwrap();
    let unknown = request(TreeSize::ZERO, &[], &other.sign(log.view(1), NOW));
    assert_eq!(status(&witness.add_checkpoint(unknown.as_bytes(), NOW)), 404);
}

#[test]
fn contradictions_are_bounded_whoever_brings_them() {
    let disk = SimDisk::new(Syncs::Kept);
    Witness::init(&home(&disk), &keys(7)).unwrap();
    let witness = open(home(&disk)).unwrap();
    let log = History::new(0, 1);
    witness.add_checkpoint(&log.request(0, 12), NOW).unwrap();
    for seed in 2..60 {
        assert_eq!(status(&witness.add_checkpoint(&History::new(3, seed).request(12, 12), NOW)), 409);
    }
    assert_eq!(witness.contradictions(), (32, 0));
}

#[test]
fn a_clock_that_went_back_signs_nothing() {
    let disk = SimDisk::new(Syncs::Kept);
    Witness::init(&home(&disk), &keys(7)).unwrap();
    let witness = open(home(&disk)).unwrap();
    let log = History::new(0, 1);
    witness.add_checkpoint(&log.request(0, 12), NOW).unwrap();
    let before = UnixSeconds::new(NOW.get() - 1);
    let refused = witness.add_checkpoint(&log.request(12, 13), before).unwrap_err();
    assert!(matches!(refused, NotCosigned::Unable(refusal) if refusal.code == Code::ClockWentBack));
    assert_eq!(status(&witness.add_checkpoint(&log.request(12, 13), NOW)), 200);
}

#[test]
fn racing_requests_never_get_two_histories_cosigned() {
    for round in 0..20 {
        let disk = SimDisk::new(Syncs::Kept);
        Witness::init(&home(&disk), &keys(7)).unwrap();
        let witness = open(home(&disk)).unwrap();
        let histories: Vec<_> = (1..=4).map(|seed| History::new(3, seed)).collect();
        witness.add_checkpoint(&histories[0].request(0, 3), NOW).unwrap();
        let start = std::sync::Barrier::new(8);
        let cosigned: Vec<usize> = std::thread::scope(|scope| {
            let hands = (0..8).map(|at| {
                let (start, witness, history) = (&start, &witness, &histories[at % 4]);
                scope.spawn(move || {
                    start.wait();
                    let sizes = [4 + at % 3, 9 + round % 5];
                    let answers = sizes.map(|size| witness.add_checkpoint(&history.request(3, size), NOW));
                    answers.iter().any(Result::is_ok).then_some(at % 4)
                })
            });
            let hands: Vec<_> = hands.collect();
            hands.into_iter().filter_map(|hand| hand.join().unwrap()).collect()
        });
        assert!(!cosigned.is_empty(), "one of them is first");
        assert!(cosigned.iter().all(|one| *one == cosigned[0]), "{cosigned:?}");
    }
}

/// What left the witness, and whether any two of it contradict each other.
#[derive(Default)]
struct Left(Vec<(usize, usize)>);

impl Left {
    /// Two histories are one tree up to the fork.
    fn contradiction(&self, fork: usize) -> bool {
        let beyond = |which| self.0.iter().any(|(history, size)| *history == which && *size > fork);
        beyond(0) && beyond(1)
    }
}

/// One life with power cuts, in which a log that forks asks from where the witness is. `true`: two histories left.
fn life(seed: u64, syncs: Syncs) -> bool {
    const FORK: usize = 4;
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |bound: u64| usize::try_from(chance.next_u64() % bound).unwrap();
    let disk = SimDisk::new(Syncs::Kept);
    Witness::init(&home(&disk), &keys(7)).unwrap();
    let histories = [History::new(FORK, 1), History::new(FORK, 2)];
    let mut left = Left::default();
    for _ in 0..6 {
        disk.set_syncs(syncs);
        disk.die_in(below(30) as u64);
        if let Ok(witness) = open(home(&disk)) {
            while !disk.is_dead() {
                let which = below(2);
                let old = witness.seen().first().map_or(0, |(_, seen)| seen.view.size.get());
                let old = usize::try_from(old).unwrap();
                let new = (old + below(5)).min(40);
                if witness.add_checkpoint(&histories[which].request(old, new), NOW).is_ok() {
                    left.0.push((which, new));
                }
            }
        }
        let kept: Vec<bool> = (0..512).map(|_| below(2) == 0).collect();
        let mut kept = kept.iter().cycle();
        disk.cut_power(Loss::Subset, || *kept.next().unwrap());
    }
    left.contradiction(FORK)
}

#[test]
fn no_power_cut_between_writing_and_answering_makes_a_witness_sign_two_histories() {
    for seed in 0..80 {
        assert!(!life(seed, Syncs::Kept), "seed {seed}");
    }
}

#[test]
fn without_syncs_the_same_lives_show_two_histories() {
    let found = (0..80).filter(|seed| life(*seed, Syncs::Dropped)).count();
    assert!(found > 2, "{found} of 80 lives");
}

fn refused(opened: Result<Witness, Refusal>) -> Code {
    opened.unwrap_err().code
}

#[test]
fn a_state_that_is_lost_damaged_or_of_other_keys_is_refused() {
    let disk = SimDisk::new(Syncs::Kept);
    assert_eq!(refused(open(home(&disk))), Code::WitnessStateMissing);
    Witness::init(&home(&disk), &keys(7)).unwrap();
    assert_eq!(Witness::init(&home(&disk), &keys(7)).unwrap_err().code, Code::FileExists);
    let other = Witness::open(home(&disk), keys(8), followed(), Reboots::Refuse);
    assert_eq!(refused(other), Code::WitnessStateMoved);
    assert_eq!(Witness::adopt(&home(&disk), &keys(8)).unwrap_err().code, Code::WitnessStateMoved);
    disk.damage(Path::new("/witness/state"), |bytes| bytes[20] ^= 1);
    assert_eq!(refused(open(home(&disk))), Code::Damaged);
    disk.damage(Path::new("/witness/state"), Vec::clear);
    assert_eq!(refused(open(home(&disk))), Code::Damaged);
    disk.remove_all(Path::new("/witness"));
    assert_eq!(refused(open(home(&disk))), Code::WitnessStateMissing);
    assert_eq!(Witness::adopt(&home(&disk), &keys(7)).unwrap_err().code, Code::WitnessStateMissing);
}

#[test]
fn a_state_of_another_machine_or_start_is_refused_until_the_operator_takes_it() {
    let disk = SimDisk::new(Syncs::Kept);
    Witness::init(&home(&disk), &keys(7)).unwrap();
    let at = |machine: Machine| Home { machine, ..home(&disk) };
    let elsewhere = Machine { id: "m2".to_owned(), boot: "b1".to_owned() };
    assert_eq!(refused(open(at(elsewhere.clone()))), Code::WitnessStateMoved);
    assert_eq!(refused(open(at(machine("b2")))), Code::WitnessStateMoved);
    let accepted = |machine| Witness::open(at(machine), keys(7), followed(), Reboots::Accept);
    assert!(accepted(machine("b2")).is_ok());
    assert_eq!(refused(accepted(elsewhere.clone())), Code::WitnessStateMoved);
    // It was written anew under the start that was accepted.
    assert!(open(at(machine("b2"))).is_ok());
    Witness::adopt(&at(elsewhere.clone()), &keys(7)).unwrap();
    assert!(open(at(elsewhere)).is_ok());
    assert_eq!(refused(open(at(machine("b2")))), Code::WitnessStateMoved);
}

#[test]
fn a_copy_is_not_the_state_on_a_real_disk_and_the_file_itself_is() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home { disk: Arc::new(RealDisk), folder: folder.path().into(), machine: machine("b1") };
    Witness::init(&home, &keys(7)).unwrap();
    let log = History::new(0, 1);
    let (state, backup) = (folder.path().join("state"), folder.path().join("backup"));
    std::fs::copy(&state, &backup).unwrap();
    let witness = open(home.clone()).unwrap();
    witness.add_checkpoint(&log.request(0, 12), NOW).unwrap();
    drop(witness);
    assert_eq!(open(home.clone()).unwrap().seen()[0].1.view, log.view(12));

    // Put back under another inode, and into the same one.
    let newest = std::fs::read(&state).unwrap();
    std::fs::remove_file(&state).unwrap();
    std::fs::copy(&backup, &state).unwrap();
    assert_eq!(refused(open(home.clone())), Code::WitnessStateMoved);
    std::fs::write(&state, &newest).unwrap();
    assert_eq!(refused(open(home.clone())), Code::WitnessStateMoved);
    // The operator says that it is the newest.
    Witness::adopt(&home, &keys(7)).unwrap();
    assert_eq!(open(home).unwrap().seen()[0].1.view, log.view(12));
}

#[test]
fn a_full_disk_signs_nothing_and_room_is_enough_to_go_on() {
    let disk = SimDisk::new(Syncs::Kept);
    Witness::init(&home(&disk), &keys(7)).unwrap();
    let witness = open(home(&disk)).unwrap();
    let log = History::new(0, 1);
    disk.set_room(disk.used() + 50);
    let refused = witness.add_checkpoint(&log.request(0, 12), NOW).unwrap_err();
    assert!(matches!(refused, NotCosigned::Unable(refusal) if refusal.code == Code::StoreFull));
    assert!(witness.seen().is_empty());
    disk.set_room(u64::MAX);
    assert_eq!(status(&witness.add_checkpoint(&log.request(0, 12), NOW)), 200);
}

#[test]
fn every_changed_byte_of_a_state_is_found() {
    let disk = SimDisk::new(Syncs::Kept);
    Witness::init(&home(&disk), &keys(7)).unwrap();
    open(home(&disk)).unwrap().add_checkpoint(&History::new(0, 1).request(0, 12), NOW).unwrap();
    let State { held, .. } = state::read(&home(&disk)).unwrap().unwrap();
    assert_eq!(held.logs.len(), 1);
    let mut length = 0;
    disk.damage(Path::new("/witness/state"), |bytes| length = bytes.len());
    for at in 0..length {
        disk.damage(Path::new("/witness/state"), |bytes| bytes[at] ^= 0x40);
        assert!(open(home(&disk)).is_err(), "byte {at}");
        disk.damage(Path::new("/witness/state"), |bytes| bytes[at] ^= 0x40);
    }
    assert!(open(home(&disk)).is_ok());
}

#[test]
fn a_configuration_is_read_and_its_faults_are_named() {
    let key = signer().key().to_text();
    let log = |origin: &str, keys: &str| format!("[[log]]\norigin = \"{origin}\"\nkeys = [{keys}]\n");
    let own = "[witness]\nname = \"court.example/witness\"\n";
    let good = format!("{own}{}", log(ORIGIN, &format!("\"{key}\"")));
    let config = WitnessConfig::from_toml(&good).unwrap();
    assert_eq!(config.witness.reboots, Reboots::Refuse);
    assert!(config.witness.listen.ip().is_loopback());
    for (text, part) in [
        (good.replace("court.example/witness", "two words"), "witness.name"),
        (good.replace("[[log]]", "requests = 0\n[[log]]"), "witness.requests"),
        (format!("{good}{}", log(ORIGIN, &format!("\"{key}\""))), "found it twice"),
        (format!("{own}{}", log(ORIGIN, "")), "found none"),
        (format!("{own}{}", log("", &format!("\"{key}\""))), "found 0"),
        (good.replace("log.example/one+", "log.example/two+"), "log log.example/one"),
        (format!("{own}unheard = 1\n"), "unheard"),
    ] {
        let error = WitnessConfig::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn the_example_is_a_configuration_with_the_defaults_and_every_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ops/config/witness.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let config = WitnessConfig::from_toml(&text).unwrap();
    let least = WitnessConfig::from_toml("[witness]\nname = \"a\"\n").unwrap().witness;
    let own = config.witness;
    assert_eq!(
        (&own.folder, own.listen, own.reboots, own.requests),
        (&least.folder, least.listen, least.reboots, least.requests)
    );
    assert_eq!(config.log.len(), 1);
}
