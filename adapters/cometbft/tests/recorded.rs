//! What real nodes said, replayed through the client: headers one by one and by skipping, across changes
//! of the set, a height committed twice, and keys of a Cosmos store that are there or not.
//!
//! The recordings are `tests/vectors/cometbft`; each says in its `index.json` what happened when. What a
//! verdict should be is worked out here in plain arithmetic on the JSON, not by the client.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use zeugma_adapter_cometbft::testnet::Testnet;
use zeugma_adapter_cometbft::testnet::json;
use zeugma_adapter_cometbft::{
    CometBft, Evidence, Profile, SignedHeader, State, Store, Update, merkle, validators::ValidatorSet,
};
use zeugma_adapter_core::{Adapter, MerklePath, Of, Status, Transition};
use zeugma_crypto::hash::sha256;
use zeugma_types::{BlockTime, Code, Encode, Height};

const ADAPTER: Of<CometBft> = Of::new();
const NETWORKS: [&str; 2] = ["v0.38", "v1.0"];

/// A folder of a recording, which remembers what was read of it.
struct Recording {
    root: PathBuf,
    read: BTreeSet<PathBuf>,
}

impl Recording {
    fn open(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/cometbft").join(name);
        Self { root: root.canonicalize().expect("the recording is in the tree"), read: BTreeSet::new() }
    }

    fn text(&mut self, name: &str) -> String {
        let path = self.root.join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.read.insert(path);
        text
    }

    fn index(&mut self) -> Value {
        serde_json::from_str(&self.text("index.json")).unwrap()
    }

    /// The result of an answer.
    fn result(&mut self, name: &str) -> Value {
        let answer: Value = serde_json::from_str(&self.text(name)).unwrap();
        answer["result"].clone()
    }

    fn block(&mut self, folder: &str, height: u64) -> Block {
        self.block_of([folder, folder], height)
    }

    /// A block whose set, being that of a common past, may lie in another folder.
    fn block_of(&mut self, [set, folder]: [&str; 2], height: u64) -> Block {
        let commit = self.result(&format!("{folder}commit-{height:03}.json"));
        Block {
            signed: json::signed_header(&commit["signed_header"]).unwrap(),
            validators: self.validators(set, height),
            next: self.validators(folder, height + 1),
            json: commit["signed_header"]["commit"]["signatures"].clone(),
        }
    }

    fn validators(&mut self, folder: &str, height: u64) -> ValidatorSet {
        let answer = self.result(&format!("{folder}validators-{height:03}.json"));
        let set = json::validator_set(&answer["validators"]).unwrap();
        // The node's own order is the one the hash is over.
        assert_eq!(set.validators(), json::validators(&answer["validators"]).unwrap());
        set
    }

    fn run(&mut self) -> BTreeMap<u64, Block> {
        let run = self.index()["run"].clone();
        let (first, last) = (run["first"].as_u64().unwrap(), run["last"].as_u64().unwrap());
        (first..=last).map(|height| (height, self.block("", height))).collect()
    }

    /// The blocks before a fork, and the two of each branch.
    fn fork(&mut self) -> (Vec<Block>, Vec<[Block; 2]>) {
        let fork = self.index()["fork"].clone();
        let (first, conflict) = (fork["first"].as_u64().unwrap(), fork["conflict"].as_u64().unwrap());
        let common = (first..conflict).map(|height| self.block("fork/", height)).collect();
        let branches = fork["branches"].as_array().unwrap().iter().map(|branch| {
            let folder = format!("fork/{}/", branch.as_str().unwrap());
            [self.block_of(["fork/", &folder], conflict), self.block(&folder, conflict + 1)]
        });
        (common, branches.collect())
    }

    fn unread(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = vec![];
        walk(&self.root, &mut found);
        found.retain(|path| path.extension().is_some_and(|end| end == "json") && !self.read.contains(path));
        found
    }
}

/// A recorded height.
#[derive(Clone)]
struct Block {
    signed: SignedHeader,
    validators: ValidatorSet,
    next: ValidatorSet,
    json: Value,
}

impl Block {
    fn state(&self) -> State {
        State::of(&self.signed.header)
    }

    fn now(&self) -> BlockTime {
        BlockTime::new(self.signed.header.time.millis().get() + 1_000)
    }

    /// The addresses of those who voted for the block, as the node's JSON says.
    fn voters(&self) -> BTreeSet<String> {
        let list = self.json.as_array().unwrap().iter();
        list.filter(|each| each["block_id_flag"] == 2)
            .map(|each| each["validator_address"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn update(from: &Block, to: &Block) -> Update {
    let trusted = from.signed.header.height;
    Update::new(trusted, to.signed.clone(), to.validators.clone(), from.next.clone())
}

fn profile(chain_id: &str, store: Store) -> Profile {
    Profile { store, ..Testnet::new(chain_id).profile() }
}

/// A client that trusts one block, and the states it holds.
struct Client {
    bytes: Vec<u8>,
    states: BTreeMap<Height, Vec<u8>>,
}

impl Client {
    fn trusting(profile: &Profile, block: &Block) -> Self {
        let created =
            ADAPTER.create(&profile.to_bytes(), &block.state().to_bytes(), block.now()).expect("a client");
        Self { bytes: created.client, states: BTreeMap::from([created.state]) }
    }

    fn update(&mut self, update: &Update, now: BlockTime) -> Result<&'static str, Code> {
        let bytes = update.to_bytes();
        let height = ADAPTER.trusted_height(&self.bytes, &bytes).map_err(|refusal| refusal.code)?;
        let trusted = self.states.get(&height).cloned().ok_or(Code::NoStateAt)?;
        let known = |height: Height| self.states.get(&height).cloned();
        match ADAPTER.update(&self.bytes, &trusted, &known, &bytes, now).map_err(|refusal| refusal.code)? {
            Transition::Advanced { now, .. } => {
                self.bytes = now.client;
                self.states.insert(now.state.0, now.state.1);
                Ok("advanced")
            }
            Transition::Known => Ok("known"),
            Transition::Froze { client, .. } => {
                self.bytes = client;
                Ok("froze")
            }
        }
    }

    fn accuse(&mut self, one: &Update, other: &Update, now: BlockTime) -> Result<Height, Code> {
        let evidence = Evidence { blocks: [one.clone(), other.clone()] }.to_bytes();
        let heights = ADAPTER.evidence_heights(&self.bytes, &evidence).map_err(|refusal| refusal.code)?;
        let trusted = heights.map(|height| self.states[&height].as_slice());
        let (client, misbehaviour) =
            ADAPTER.submit_evidence(&self.bytes, trusted, &evidence, now).map_err(|refusal| refusal.code)?;
        self.bytes = client;
        Ok(misbehaviour.height)
    }

    fn status(&self, now: BlockTime) -> Status {
        ADAPTER.describe(&self.bytes, now).unwrap().status
    }
}

/// Whether more than a third of what `from` announced voted for `to`: by addresses, on the JSON.
fn a_third_carries_over(recording: &mut Recording, from: u64, to: &Block) -> bool {
    let announced = recording.result(&format!("validators-{:03}.json", from + 1))["validators"].clone();
    let voters = to.voters();
    let (mut total, mut carried) = (0_u64, 0_u64);
    for each in announced.as_array().unwrap() {
        let power: u64 = each["voting_power"].as_str().unwrap().parse().unwrap();
        total += power;
        carried += if voters.contains(each["address"].as_str().unwrap()) { power } else { 0 };
    }
    carried + carried + carried > total
}

fn follow_one_by_one(recording: &mut Recording, store: Store) -> (Profile, BTreeMap<u64, Block>) {
    let blocks = recording.run();
    let chain_id = recording.index()["run"]["chain_id"].as_str().unwrap().to_owned();
    let profile = profile(&chain_id, store);
    let (first, rest) = (blocks.first_key_value().unwrap(), blocks.iter().skip(1));
    let mut client = Client::trusting(&profile, first.1);
    let mut before = first.1;
    for (height, block) in rest {
        assert_eq!(client.update(&update(before, block), block.now()), Ok("advanced"), "height {height}");
        assert_eq!(client.update(&update(before, block), block.now()), Ok("known"), "height {height} again");
        before = block;
    }
    (profile, blocks)
}

#[test]
fn every_recorded_header_follows_from_the_one_before() {
    for name in NETWORKS {
        let mut recording = Recording::open(name);
        let (_, blocks) = follow_one_by_one(&mut recording, Store::Opaque);
        let run = recording.index()["run"].clone();
        // What the recording is for: a second round, an absent vote, and sets that change.
        let later = run["later_round"].as_u64().unwrap();
        assert!(blocks[&later].signed.commit.round > 0, "{name}: round of height {later}");
        let absent = blocks.values().any(|block| block.voters().len() < block.validators.validators().len());
        assert!(absent, "{name}: no vote is absent");
        let in_force =
            run["events"].as_array().unwrap().iter().filter_map(|event| event["in_force"].as_u64());
        for height in in_force {
            let changed = blocks[&height].validators != blocks[&(height - 1)].validators;
            assert!(changed, "{name}: the set of height {height} is that of the height before");
        }
    }
}

#[test]
fn a_recorded_header_is_skipped_to_exactly_when_a_third_of_the_trusted_set_signed_it() {
    for name in NETWORKS {
        let mut recording = Recording::open(name);
        let (profile, blocks) = follow_one_by_one(&mut recording, Store::Opaque);
        let (mut skipped, mut too_thin) = (0, 0);
        for (from, trusted) in &blocks {
            for (to, block) in blocks.range(from + 2..) {
                let verdict =
                    Client::trusting(&profile, trusted).update(&update(trusted, block), block.now());
                if a_third_carries_over(&mut recording, *from, block) {
                    assert_eq!(verdict, Ok("advanced"), "{name}: {from} to {to}");
                    skipped += 1;
                } else {
                    assert_eq!(verdict, Err(Code::TrustTooThin), "{name}: {from} to {to}");
                    too_thin += 1;
                }
            }
        }
        assert!(skipped > 0 && too_thin > 0, "{name}: {skipped} skipped, {too_thin} too thin");
    }
}

#[test]
fn a_lean_update_is_accepted_where_the_whole_one_is() {
    for name in NETWORKS {
        let mut recording = Recording::open(name);
        let (profile, blocks) = follow_one_by_one(&mut recording, Store::Opaque);
        let (first, third) = (&blocks[&1], &blocks[&3]);
        let mut lean = update(first, third);
        lean.lean(zeugma_crypto::tally::Rule::OneThirdStrict);
        assert!(lean.to_bytes().len() < update(first, third).to_bytes().len());
        assert_eq!(Client::trusting(&profile, first).update(&lean, third.now()), Ok("advanced"));
    }
}

#[test]
fn a_header_of_the_wrong_recording_is_refused() {
    let [old, new] = NETWORKS.map(|name| follow_one_by_one(&mut Recording::open(name), Store::Opaque));
    let (profile, blocks) = &old;
    let stranger = &new.1[&2];
    let verdict =
        Client::trusting(profile, &blocks[&1]).update(&update(&blocks[&1], stranger), stranger.now());
    // Both networks have one name, so only their keys tell them apart.
    assert_eq!(verdict, Err(Code::WrongNextMembers));
    let elsewhere = self::profile("zeugma-else", Store::Opaque);
    let verdict =
        Client::trusting(&elsewhere, &blocks[&1]).update(&update(&blocks[&1], &blocks[&2]), stranger.now());
    assert_eq!(verdict, Err(Code::WrongChain));
}

#[test]
fn a_height_that_was_committed_twice_freezes_the_client() {
    for name in NETWORKS {
        let mut recording = Recording::open(name);
        let fork = recording.index()["fork"].clone();
        let conflict = fork["conflict"].as_u64().unwrap();
        let profile = profile(fork["chain_id"].as_str().unwrap(), Store::Opaque);
        let (common, branches) = recording.fork();
        let [[one, one_next], [other, other_next]] = &branches[..] else { panic!("two branches") };
        let before = common.last().unwrap();
        let now = one_next.now().max(other_next.now());
        let trusting = || {
            let mut client = Client::trusting(&profile, &common[0]);
            for pair in common.windows(2) {
                assert_eq!(client.update(&update(&pair[0], &pair[1]), now), Ok("advanced"));
            }
            client
        };

        // Evidence, adjacent and from further back; and the block above the fork against the other side.
        for trusted in [before, &common[0]] {
            let mut client = trusting();
            let found = client.accuse(&update(trusted, one), &update(trusted, other), now);
            assert_eq!(found, Ok(Height::new(conflict)), "{name}");
            assert_eq!(client.status(now), Status::Frozen);
            assert_eq!(client.update(&update(before, one), now), Err(Code::ClientFrozen));
        }
        let found = trusting().accuse(&update(before, one_next), &update(before, other_next), now);
        assert_eq!(found, Ok(Height::new(conflict + 1)), "{name}");

        // No evidence: one block twice, a block and its child, and a block whose votes are of the other.
        let mut client = trusting();
        let none = Err(Code::NoMisbehaviour);
        assert_eq!(client.accuse(&update(before, one), &update(before, one), now), none, "{name}");
        assert_eq!(client.accuse(&update(before, one), &update(before, one_next), now), none, "{name}");
        let mut mixed = other.clone();
        mixed.signed.commit.signatures = one.signed.commit.signatures.clone();
        let found = client.accuse(&update(before, one), &update(before, &mixed), now);
        assert_eq!(found, Err(Code::BadSignature), "{name}");
        assert_eq!(client.status(now), Status::Active);

        // The other side as an update freezes too.
        assert_eq!(client.update(&update(before, one), now), Ok("advanced"), "{name}");
        assert_eq!(client.update(&update(before, other), now), Ok("froze"), "{name}");
        assert_eq!(client.status(now), Status::Frozen);
    }
}

/// The ops of an answer as a proof of a path, innermost first.
fn merkle_proof(answer: &Value) -> Vec<u8> {
    let mut proof = vec![];
    for op in answer["response"]["proofOps"]["ops"].as_array().unwrap() {
        let data = json::base64(&op["data"]).unwrap();
        zeugma_adapter_cometbft::proto::put_always(&mut proof, 1, &data);
    }
    proof
}

#[test]
fn recorded_keys_of_a_cosmos_store_are_there_or_not_as_recorded() {
    let mut recording = Recording::open("simd");
    let (profile, blocks) = follow_one_by_one(&mut recording, Store::Cosmos);
    let index = recording.index();
    let mut seen = BTreeMap::<String, usize>::new();
    for case in index["proofs"].as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let answer = recording.result(file);
        let block = &blocks[&case["proved_at"].as_u64().unwrap()];
        let client = Client::trusting(&profile, block);
        let (state, proof) = (block.state().to_bytes(), merkle_proof(&answer));
        let key = hex::decode(case["key"].as_str().unwrap()).unwrap();
        let path = MerklePath::new(vec![case["store"].as_str().unwrap().into(), key]).unwrap();
        let value = json::base64(&answer["response"]["value"]).unwrap();
        let shown =
            |state: &[u8], value: &[u8]| ADAPTER.membership(&client.bytes, state, &path, value, &proof);
        let absent = |state: &[u8]| ADAPTER.non_membership(&client.bytes, state, &path, &proof);

        let shows = case["shows"].as_str().unwrap();
        *seen.entry(shows.into()).or_default() += 1;
        match shows {
            "present" => {
                assert_eq!(shown(&state, &value), Ok(()), "{file}");
                assert!(shown(&state, &[&value[..], b"0"].concat()).is_err(), "{file}: another value");
                assert!(absent(&state).is_err(), "{file}: as absent");
            }
            "absent" => {
                assert_eq!(absent(&state), Ok(()), "{file}");
                assert!(shown(&state, b"value").is_err(), "{file}: as present");
            }
            _ => {
                assert!(shown(&state, b"value").is_err(), "{file}: as present");
                assert_eq!(absent(&state).unwrap_err().code, Code::Empty, "{file}: as absent");
            }
        }
        for (height, other) in &blocks {
            if other.signed.header.app_hash != block.signed.header.app_hash {
                let state = other.state().to_bytes();
                assert!(
                    shown(&state, &value).is_err() && absent(&state).is_err(),
                    "{file}: at height {height}"
                );
            }
        }
    }
    assert!(["present", "absent", "nothing"].iter().all(|shows| seen.contains_key(*shows)), "{seen:?}");
}

#[test]
fn recorded_transactions_are_under_the_header_s_data_hash() {
    for name in NETWORKS {
        let mut recording = Recording::open(name);
        let tx = recording.result("tx.json");
        let block = recording.block("", tx["height"].as_str().unwrap().parse().unwrap());
        assert_eq!(tx["proof"]["proof"]["total"], "1", "{name}: the block holds one transaction");
        let leaf = sha256(&[&json::base64(&tx["tx"]).unwrap()]);
        assert_eq!(block.signed.header.data_hash, Some(merkle::root(&[leaf])), "{name}");
    }
}

#[test]
fn every_recorded_file_is_read() {
    for name in [&NETWORKS[..], &["simd"]].concat() {
        let mut recording = Recording::open(name);
        let index = recording.index();
        let (run, fork) = (&index["run"], &index["fork"]);
        recording.run();
        let status = recording.result("status.json");
        assert_eq!(status["node_info"]["network"], run["chain_id"], "{name}");
        if fork.is_object() {
            recording.fork();
            recording.result("tx.json");
        }
        for case in index["proofs"].as_array().into_iter().flatten() {
            recording.result(case["file"].as_str().unwrap());
        }
        if let Some(file) = index["packet"]["file"].as_str() {
            // What was sent; its commitment is one of the proofs.
            recording.text(file);
        }
        assert_eq!(recording.unread(), Vec::<PathBuf>::new(), "{name}");
    }
}
