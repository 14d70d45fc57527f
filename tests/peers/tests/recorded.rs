//! The recorded transcripts, judged by the published verifiers: what is recorded is what it says it is.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

mod judge;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tendermint::block::signed_header::SignedHeader;
use tendermint::node::Id;
use tendermint::validator::{Info, Set};
use tendermint_light_client_verifier::options::Options;
use tendermint_light_client_verifier::types::{LightBlock, TrustThreshold};
use tendermint_light_client_verifier::{ProdVerifier, Verdict, Verifier as _};

const NETWORKS: [&str; 2] = ["v0.38", "v1.0"];

/// A recorded folder that remembers what was read of it.
struct Folder {
    root: PathBuf,
    read: BTreeSet<PathBuf>,
}

impl Folder {
    fn open(name: &str) -> Self {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("vectors").join("cometbft").join(name);
        Self { root, read: BTreeSet::new() }
    }

    fn json(&mut self, name: &str) -> Value {
        let file = self.root.join(name);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read.insert(file);
        serde_json::from_str(&text).unwrap()
    }

    fn result(&mut self, name: &str) -> Value {
        self.json(name)["result"].take()
    }

    fn validators(&mut self, name: &str) -> Set {
        let list = self.result(name)["validators"].take();
        Set::new(serde_json::from_value::<Vec<Info>>(list).unwrap(), None)
    }

    fn signed_header(&mut self, name: &str) -> SignedHeader {
        serde_json::from_value(self.result(name)["signed_header"].take()).unwrap()
    }

    /// The block of a height, with the sets of that height and the next.
    fn block(&mut self, height: u64) -> LightBlock {
        LightBlock::new(
            self.signed_header(&format!("commit-{height:03}.json")),
            self.validators(&format!("validators-{height:03}.json")),
            self.validators(&format!("validators-{:03}.json", height + 1)),
            Id::new([0; 20]),
        )
    }

    fn run(&mut self) -> Vec<LightBlock> {
        let last = self.json("index.json")["run"]["last"].as_u64().unwrap();
        (1..=last).map(|height| self.block(height)).collect()
    }

    /// Every file of the folder, except those for people.
    fn unread(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.root, &mut found);
        found.retain(|file| !self.read.contains(file) && !file.ends_with("README.md"));
        found
    }
}

fn judge_update(trusted: &LightBlock, block: &LightBlock) -> Verdict {
    let options = Options {
        trust_threshold: TrustThreshold::ONE_THIRD,
        trusting_period: Duration::from_secs(24 * 3600),
        clock_drift: Duration::from_secs(10),
    };
    let now = (block.time() + Duration::from_secs(1)).unwrap();
    ProdVerifier::default().verify_update_header(
        block.as_untrusted_state(),
        trusted.as_trusted_state(),
        &options,
        now,
    )
}

fn each_block_follows_from_the_one_before(run: &[LightBlock]) {
    for pair in run.windows(2) {
        assert_eq!(judge_update(&pair[0], &pair[1]), Verdict::Success, "height {}", pair[1].height());
    }
}

#[test]
fn a_recorded_run_turns_its_validator_set_over_and_every_step_is_signed() {
    for name in NETWORKS {
        let mut folder = Folder::open(name);
        let run = folder.run();
        each_block_follows_from_the_one_before(&run);

        let (first, last) = (run.first().unwrap(), run.last().unwrap());
        assert!(
            matches!(judge_update(first, last), Verdict::NotEnoughTrust(_)),
            "{name} must not be skipped"
        );
        assert!(
            run[2..].iter().any(|block| judge_update(first, block) == Verdict::Success),
            "{name} can be skipped"
        );

        let events = folder.json("index.json")["run"]["events"].take();
        let power = |height: u64, address: &Value| {
            let address = address.as_str().unwrap().parse().unwrap();
            let set = &run[usize::try_from(height).unwrap() - 1].validators;
            set.validator(address).map_or(0, |validator| validator.power.value())
        };
        let changes = events.as_array().unwrap().iter().filter(|event| event["changes"].is_array());
        for event in changes.clone() {
            let height = event["in_force"].as_u64().unwrap();
            for change in event["changes"].as_array().unwrap() {
                assert_eq!(
                    power(height, &change["validator"]),
                    change["power"].as_u64().unwrap(),
                    "{name}: {event}"
                );
            }
        }
        assert_eq!(changes.count(), 4, "{name}");

        let later = folder.json("index.json")["run"]["later_round"].as_u64().unwrap();
        assert!(run[usize::try_from(later).unwrap() - 1].signed_header.commit.round.value() > 0, "{name}");
    }
}

#[test]
fn a_recorded_transaction_is_under_the_data_hash_of_its_block() {
    for name in NETWORKS {
        let mut folder = Folder::open(name);
        let answer = folder.result("tx.json");
        let height = answer["height"].as_str().unwrap().parse().unwrap();
        let proof = &answer["proof"];
        assert_eq!(proof["proof"]["total"], "1", "{name}: the only transaction of its block");
        let tx = STANDARD.decode(answer["tx"].as_str().unwrap()).unwrap();
        let leaf = Sha256::new().chain_update([0]).chain_update(Sha256::digest(&tx)).finalize();
        let root = folder.block(height).signed_header.header.data_hash.unwrap();
        assert_eq!(root.as_bytes(), &leaf[..], "{name}");
    }
}

#[test]
fn a_recorded_fork_has_two_blocks_at_one_height_and_both_are_signed() {
    for name in NETWORKS {
        let mut folder = Folder::open(name);
        let fork = folder.json("index.json")["fork"].take();
        let height = fork["conflict"].as_u64().unwrap();
        folder.root.push("fork");
        let common: Vec<LightBlock> = (1..height - 1).map(|height| folder.block(height)).collect();
        each_block_follows_from_the_one_before(&common);

        let sets: Vec<Set> = (height - 1..=height)
            .map(|height| folder.validators(&format!("validators-{height:03}.json")))
            .collect();
        let before = LightBlock::new(
            folder.signed_header(&format!("commit-{:03}.json", height - 1)),
            sets[0].clone(),
            sets[1].clone(),
            Id::new([0; 20]),
        );
        let mut branch = |branch: &str| -> Vec<LightBlock> {
            let mut set = sets[1].clone();
            let mut block = |height: u64| {
                let header = folder.signed_header(&format!("{branch}/commit-{height:03}.json"));
                let next = folder.validators(&format!("{branch}/validators-{:03}.json", height + 1));
                LightBlock::new(header, std::mem::replace(&mut set, next.clone()), next, Id::new([0; 20]))
            };
            vec![before.clone(), block(height), block(height + 1)]
        };
        let (one, other) = (branch("one"), branch("other"));
        each_block_follows_from_the_one_before(&one);
        each_block_follows_from_the_one_before(&other);
        let at = |branch: &[LightBlock]| branch[1].signed_header.clone();
        assert_eq!(at(&one).header.height, at(&other).header.height);
        assert_ne!(at(&one).header.hash(), at(&other).header.hash(), "{name}");
        assert_eq!(at(&one).header.validators_hash, at(&other).header.validators_hash);
        let shared = fork["shared_key"].as_str().unwrap().parse().unwrap();
        for side in [&one, &other] {
            assert!(at(side).commit.signatures.iter().any(|vote| vote.validator_address() == Some(shared)));
        }
    }
}

#[test]
fn recorded_store_proofs_show_what_the_index_says() {
    let mut folder = Folder::open("simd");
    let run = folder.run();
    each_block_follows_from_the_one_before(&run);
    let index = folder.json("index.json");
    let mut shown = BTreeSet::new();
    for proof in index["proofs"].as_array().unwrap() {
        let text = |name: &str| proof[name].as_str().unwrap();
        let answer = folder.result(text("file"))["response"].take();
        assert_eq!(answer["height"], proof["height"].to_string());
        let header = proof["proved_at"].as_u64().unwrap();
        let root = run[usize::try_from(header).unwrap() - 1].signed_header.header.app_hash.to_string();
        let key = hex::decode(text("key")).unwrap();
        let member = judge::member(&answer, text("store"), &key, &root);
        let absent = judge::absent(&answer, text("store"), &key, &root);
        let verdict = match (member.is_ok(), absent.is_ok()) {
            (true, false) => "present",
            (false, true) => "absent",
            (false, false) => "nothing",
            (true, true) => "a contradiction",
        };
        assert_eq!(verdict, text("shows"), "{proof}: {:?}", (member.err(), absent.err()));
        shown.insert(verdict);
    }
    assert_eq!(shown.len(), 3);
}

#[test]
fn every_recorded_file_is_an_answer_and_tells_nothing_of_the_machine_that_recorded_it() {
    let clone = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let places: Vec<String> = [Some(clone), home, Some(std::env::temp_dir())]
        .into_iter()
        .flatten()
        .map(|place| format!("{}/", place.display()))
        // A home of `/` would be found everywhere.
        .filter(|place| place.len() > 3)
        .collect();
    for (name, at_least) in [("v0.38", 40), ("v1.0", 40), ("simd", 30)] {
        let mut folder = Folder::open(name);
        folder.json("index.json");
        let answers = folder.unread();
        assert!(answers.len() >= at_least, "{name} has {} files", answers.len());
        for file in answers {
            let text = fs::read_to_string(&file).unwrap();
            let answer: Value = serde_json::from_str(&text).unwrap();
            assert!(answer["result"].is_object(), "{}", file.display());
            for place in &places {
                assert!(!text.contains(place), "{} names {place}", file.display());
            }
        }
    }
}
