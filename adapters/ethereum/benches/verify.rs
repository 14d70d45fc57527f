//! What verification costs, beside the libraries that do the same work, in the same run.
//!
//! `cargo bench -p zeugma-adapter-ethereum`. Every side starts from bytes, as an update arrives: reading is
//! part of our work. Blocks of runs alternate, so that a busy machine slows both alike.
//!
//! * *committee known*: an update whose committee a memory holds, against `fast_aggregate_verify` of blst
//!   over the 512 affine keys of that committee;
//! * *committee new*: the same without a memory, against decompressing and validating 512 keys with blst;
//! * *state proof*: seven nodes, the widest that a trie has.

use std::hint::black_box;
use std::time::{Duration, Instant};
use zeugma_adapter_ethereum::State;
use zeugma_adapter_ethereum::account;
use zeugma_adapter_ethereum::committee::Memory;
use zeugma_adapter_ethereum::container::Kind;
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::rlp::{put_bytes, put_list};
use zeugma_adapter_ethereum::ssz::Root;
use zeugma_adapter_ethereum::testnet::{self, Draft, Testnet};
use zeugma_adapter_ethereum::{Profile, Update, verify};
use zeugma_crypto::hash::keccak256;
use zeugma_types::{BlockTime, Decode, Encode, Span};

/// Alternating blocks, and runs in a block.
const BLOCKS: usize = 20;
const BLOCK: usize = 10;
const SEATS: usize = 512;
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

struct Case {
    profile: Profile,
    trusted: State,
    now: BlockTime,
    update: Vec<u8>,
    keys: Vec<[u8; 48]>,
    affine: Vec<blst::min_pk::PublicKey>,
    message: Root,
    signature: blst::min_pk::Signature,
}

impl Case {
    /// An update that `signers` of 512 seats signed.
    fn new(chain: &Testnet, signers: usize, kind: Kind) -> Self {
        let draft = Draft::new(8, 24, 40, kind);
        let update = chain.update_by(&draft, signers);
        let keys: Vec<[u8; 48]> = update.committee.as_bytes()[..48 * SEATS]
            .chunks_exact(48)
            .map(|key| key.try_into().expect("chunks of 48"))
            .collect();
        let affine = keys
            .iter()
            .take(signers)
            .map(|key| blst::min_pk::PublicKey::key_validate(key).expect("a key"))
            .collect();
        let message = update.message();
        let root = chain.chain.signing_root(&message.attested.beacon.root(), message.signature_slot);
        Self {
            profile: chain.profile(),
            trusted: chain.state_at(8),
            now: chain.time(41).after(Span::seconds(1)).expect("a time"),
            keys,
            affine,
            message: root.expect("a slot after the first fork"),
            signature: blst::min_pk::Signature::from_bytes(&message.signature).expect("a signature"),
            update: update.to_bytes(),
        }
    }

    fn ours(&self, memory: &mut Memory) {
        let update = Update::from_bytes(black_box(&self.update)).expect("our update is well formed");
        let state = verify::update(&self.profile, &self.trusted, &update, self.now, memory);
        black_box(state.expect("a good update"));
    }

    /// One aggregate check over keys that are in memory.
    fn aggregate(&self) {
        let keys: Vec<_> = self.affine.iter().collect();
        let found = self.signature.fast_aggregate_verify(true, black_box(&self.message), DOMAIN, &keys);
        assert_eq!(found, blst::BLST_ERROR::BLST_SUCCESS);
    }

    /// Decompressing and validating every key of the committee.
    fn validate(&self) {
        for key in &self.keys {
            black_box(blst::min_pk::PublicKey::key_validate(black_box(key)).expect("a key"));
        }
    }
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

fn timed(work: &mut dyn FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn compare(name: &str, target: f64, runs: usize, ours: &mut dyn FnMut(), peer: &mut dyn FnMut()) {
    let (mut mine, mut theirs) = (vec![], vec![]);
    ours();
    peer();
    for _ in 0..BLOCKS {
        mine.extend((0..runs).map(|_| timed(ours)));
        theirs.extend((0..runs).map(|_| timed(peer)));
    }
    let (mine, theirs) = (Runs::of(mine), Runs::of(theirs));
    println!(
        "{name}: ours {:.0} {:.0} {:.0}, peer {:.0} {:.0} {:.0}, ratio {:.3} of the best, {:.3} of the medians, \
         target {target}",
        mine.best,
        mine.median,
        mine.tail,
        theirs.best,
        theirs.median,
        theirs.tail,
        mine.best / theirs.best,
        mine.median / theirs.median
    );
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}", name.map_or("unknown processor", |(_, name)| name))
}

/// A proof of seven nodes: six branches with all their children, and the account.
fn seven_nodes(address: &[u8; 20]) -> (Root, Vec<Vec<u8>>) {
    let key = keccak256(&[address]);
    let digit = |at: usize| if at.is_multiple_of(2) { key[at / 2] >> 4 } else { key[at / 2] & 0x0f };
    let mut leaf = vec![];
    // The rest of the key after six digits: an even number of them.
    put_bytes(&mut leaf, &[&[0x20][..], &key[3..]].concat());
    put_bytes(&mut leaf, &testnet::account(1, &[7; 32]));
    let mut nodes = vec![];
    let mut whole = vec![];
    put_list(&mut whole, &leaf);
    nodes.push(whole);
    for level in (0..6_usize).rev() {
        let below = keccak256(&[nodes.last().expect("a leaf at least")]);
        let mut branch = vec![];
        for other in 0..16_u8 {
            let filler = keccak256(&[&[other], &level.to_be_bytes()]);
            put_bytes(&mut branch, if other == digit(level) { &below } else { &filler });
        }
        put_bytes(&mut branch, &[]);
        let mut whole = vec![];
        put_list(&mut whole, &branch);
        nodes.push(whole);
    }
    nodes.reverse();
    (keccak256(&[&nodes[0]]), nodes)
}

fn main() {
    println!("machine: {}; one thread; {BLOCKS} alternating blocks of {BLOCK} runs", machine());
    println!("microseconds: best, median, 99th percentile");
    let chain = Testnet::of_seats(512, &[(Fork::Electra, 0)]);
    for (kind, word) in [(Kind::Finality, "finality"), (Kind::Full, "next-committee")] {
        for signers in [342, 500, 512] {
            let case = Case::new(&chain, signers, kind);
            let mut memory = Memory::of(4);
            compare(
                &format!(
                    "verify::update/seats=512/signers={signers}/{word}/committee known, against one aggregate check"
                ),
                1.15,
                BLOCK,
                &mut || case.ours(&mut memory),
                &mut || case.aggregate(),
            );
        }
    }
    let case = Case::new(&chain, 500, Kind::Finality);
    compare(
        "verify::update/seats=512/signers=500/finality/committee new, against validating 512 keys",
        1.1,
        2,
        &mut || case.ours(&mut Memory::none()),
        &mut || case.validate(),
    );
    let address = [7; 20];
    let (root, nodes) = seven_nodes(&address);
    let runs = (0..BLOCKS * BLOCK * 10).map(|_| {
        timed(&mut || {
            black_box(account::account(&root, &address, black_box(&nodes)).expect("a good proof"));
        })
    });
    let runs = Runs::of(runs.collect());
    let bytes: usize = nodes.iter().map(Vec::len).sum();
    println!(
        "account::account/nodes={}/bytes={bytes}: {:.1} {:.1} {:.1}, target 40",
        nodes.len(),
        runs.best,
        runs.median,
        runs.tail
    );
    let path = b"client-0\x01\0\0\0\0\0\0\0\x05";
    let proof = Testnet::proof(24, path).to_bytes();
    let state = chain.state_at(24);
    let (profile, path) = (chain.profile(), zeugma_adapter_core::MerklePath::new(vec![path.to_vec()]));
    let path = path.expect("a path");
    let runs = (0..BLOCKS * BLOCK * 10).map(|_| {
        timed(&mut || {
            verify::membership(&profile, &state.state_root, &path, &[5; 32], black_box(&proof))
                .expect("a good proof");
        })
    });
    let runs = Runs::of(runs.collect());
    println!(
        "verify::membership/bytes={}: {:.1} {:.1} {:.1}",
        proof.len(),
        runs.best,
        runs.median,
        runs.tail
    );
}
