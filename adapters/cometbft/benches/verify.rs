//! One header update, verified by us and by `tendermint-light-client-verifier` in the same run.
//!
//! `cargo bench -p zeugma-adapter-cometbft`. Every side starts from bytes, as an update arrives: reading
//! is part of the work. *whole*: all validators' votes are carried, and we verify all of them, while the
//! peer stops at two thirds. *lean*: only the votes that decide are carried, as our relayer sends them;
//! the peer's work is the same. Blocks of runs alternate, so that a busy machine slows both alike.
//!
//! Then, for the work that the family charges: a signature of secp256k1, and an absence in a store.

use std::hint::black_box;
use std::time::{Duration, Instant};
use tendermint::{block::signed_header::SignedHeader, validator::Set};
use tendermint_light_client_verifier::options::Options;
use tendermint_light_client_verifier::types::{TrustThreshold, TrustedBlockState, UntrustedBlockState};
use tendermint_light_client_verifier::{ProdVerifier, Verdict, Verifier};
use tendermint_proto::Protobuf;
use tendermint_proto::v0_38::types as raw;
use zeugma_adapter_cometbft::ics23::{self, Spec};
use zeugma_adapter_cometbft::testnet::store::Multistore;
use zeugma_adapter_cometbft::testnet::{Committee, Member, Secret, Testnet};
use zeugma_adapter_cometbft::validators::ValidatorSet;
use zeugma_adapter_cometbft::{Rules, State, Update, predicates, verify};
use zeugma_crypto::tally::Rule;
use zeugma_types::{BlockTime, Decode, Encode};

/// Runs of each side: blocks, and runs in a block.
const BLOCKS: usize = 10;
const BLOCK: usize = 10;
const TRUSTED: u64 = 10;

/// An update, and what both sides need to judge it.
struct Case {
    rules: Rules,
    trusted: State,
    now: BlockTime,
    update: Vec<u8>,
    signed_header: Vec<u8>,
    validators: Vec<u8>,
    options: Options,
}

impl Case {
    fn new(members: u64, height: u64, votes: Votes) -> Self {
        let chain = Testnet::new("bench-1");
        let set = Committee::of(1..=members);
        let trusted = State::of(&chain.header(TRUSTED, &set, &set, [1; 32]));
        let mut update = chain.update(TRUSTED, &set, chain.header(height, &set, &set, [2; 32]), &set);
        if votes == Votes::Lean {
            update.lean(Rule::OneThirdStrict);
        }
        let profile = chain.profile();
        Self {
            now: BlockTime::new(chain.time_at(height).get() + 1_000),
            signed_header: update.signed_header.to_proto(),
            validators: their_bytes(&set.validators()),
            update: update.to_bytes(),
            options: Options {
                trust_threshold: TrustThreshold::ONE_THIRD,
                trusting_period: Duration::from_millis(profile.trusting_period.get()),
                clock_drift: Duration::from_millis(profile.max_drift.get()),
            },
            rules: Rules::of(&profile),
            trusted,
        }
    }

    fn ours(&self) -> Duration {
        let start = Instant::now();
        let update = Update::from_bytes(black_box(&self.update)).expect("our update is well formed");
        let state = verify::update(&self.rules, &self.trusted, &update, self.now).expect("a good update");
        black_box(state);
        start.elapsed()
    }

    fn theirs(&self) -> Duration {
        let chain_id = self.rules.chain_id.parse().expect("a chain identifier");
        let instant = |millis: u64| {
            let seconds = i64::try_from(millis / 1_000).expect("a time");
            tendermint::Time::from_unix_timestamp(seconds, 0).expect("a time")
        };
        let start = Instant::now();
        let signed_header: SignedHeader =
            Protobuf::<raw::SignedHeader>::decode(black_box(&self.signed_header[..])).expect("they read it");
        let set: Set =
            Protobuf::<raw::ValidatorSet>::decode(black_box(&self.validators[..])).expect("they read it");
        let trusted = TrustedBlockState {
            chain_id: &chain_id,
            header_time: instant(self.trusted.time.millis().get()),
            height: TRUSTED.try_into().expect("a height"),
            next_validators: &set,
            next_validators_hash: self.trusted.next_validators_hash.to_vec().try_into().expect("a hash"),
        };
        let untrusted =
            UntrustedBlockState { signed_header: &signed_header, validators: &set, next_validators: None };
        let verdict = ProdVerifier::default().verify_update_header(
            untrusted,
            trusted,
            &self.options,
            instant(self.now.get()),
        );
        assert_eq!(black_box(verdict), Verdict::Success);
        start.elapsed()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Votes {
    Whole,
    Lean,
}

fn their_bytes(set: &ValidatorSet) -> Vec<u8> {
    use prost::Message;
    let validators = set.validators().iter().map(|each| {
        let simple = raw::SimpleValidator::decode(&each.to_simple()[..]).expect("they read our leaves");
        raw::Validator {
            address: each.key.address().to_vec(),
            pub_key: simple.pub_key,
            voting_power: simple.voting_power,
            proposer_priority: 0,
        }
    });
    raw::ValidatorSet { validators: validators.collect(), proposer: None, total_voting_power: 0 }
        .encode_to_vec()
}

/// What the runs of one side came to, in microseconds.
struct Runs {
    best: f64,
    median: f64,
    tail: f64,
}

impl Runs {
    fn of(mut runs: Vec<Duration>) -> Self {
        runs.sort_unstable();
        let at = |part: usize| runs[(runs.len() - 1) * part / 100].as_secs_f64() * 1e6;
        Self { best: at(0), median: at(50), tail: at(99) }
    }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}", name.map_or("unknown processor", |(_, name)| name))
}

fn main() {
    println!("machine: {}; one thread; {BLOCKS} alternating blocks of {BLOCK} runs", machine());
    println!("peer: tendermint-light-client-verifier 0.41 with its default ed25519-consensus");
    println!("microseconds: best, median, 99th percentile; target ratio at most 0.4 (lean)");
    for members in [100, 150] {
        for (kind, height) in [("adjacent", TRUSTED + 1), ("skipping", TRUSTED + 10)] {
            for (name, votes) in [("whole", Votes::Whole), ("lean", Votes::Lean)] {
                let case = Case::new(members, height, votes);
                let (mut ours, mut theirs) = (vec![], vec![]);
                case.ours();
                case.theirs();
                for _ in 0..BLOCKS {
                    ours.extend((0..BLOCK).map(|_| case.ours()));
                    theirs.extend((0..BLOCK).map(|_| case.theirs()));
                }
                let (ours, theirs) = (Runs::of(ours), Runs::of(theirs));
                println!(
                    "verify::update/validators={members}/{kind}/{name}: {} bytes; \
                     ours {:.0} {:.0} {:.0}, peer {:.0} {:.0} {:.0}, ratio {:.2} of the best, {:.2} of the medians",
                    case.update.len(),
                    ours.best,
                    ours.median,
                    ours.tail,
                    theirs.best,
                    theirs.median,
                    theirs.tail,
                    ours.best / theirs.best,
                    ours.median / theirs.median
                );
            }
        }
    }
    println!("microseconds: best, median, 99th percentile");
    secp256k1();
    absence();
}

fn print(name: &str, work: impl Fn()) {
    let run = || {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let runs = Runs::of((0..BLOCKS * BLOCK).map(|_| run()).collect());
    println!("{name}: {:.0} {:.0} {:.0}", runs.best, runs.median, runs.tail);
}

fn secp256k1() {
    let chain = Testnet::new("bench-1");
    let set = Committee::new(vec![Member { secret: Secret::secp256k1(1), power: 1 }]);
    let update = chain.update(TRUSTED, &set, chain.header(TRUSTED + 1, &set, &set, [2; 32]), &set);
    print("predicates::votes_are_signed/secp256k1=1", || {
        predicates::votes_are_signed(&update.signed_header, &update.validators).expect("a good vote");
    });
}

fn absence() {
    let entries = (0..100_000_u32).map(|number| (number.to_be_bytes().to_vec(), vec![7; 32])).collect();
    let store = Multistore::new(
        &[(b"bank".to_vec(), [(b"one".to_vec(), b"1".to_vec())].into()), (b"ibc".to_vec(), entries)].into(),
    );
    let key = [0, 0, 9, 9, 1];
    let (root, path) = (store.app_hash(), [b"ibc".to_vec(), key.to_vec()]);
    let proof = store.non_membership(b"ibc", &key).expect("the store is there");
    print(&format!("ics23::verify_non_membership/keys=100000/bytes={}", proof.len()), || {
        ics23::verify_non_membership(&[Spec::IAVL, Spec::TENDERMINT], &root, &path, black_box(&proof))
            .expect("a good proof");
    });
}
