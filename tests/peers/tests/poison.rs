//! Poison: the dearest transactions that strangers can make, each refused at the last check, as fast as the API takes
//! them. Leaders keep their time, and who else has something to say is heard.
//!
//! Two strangers with an ordinary relayer's account each send what costs validators most before it is refused: one
//! updates, the other evidence, with as many ECDSA signatures as can be paid for, made by keys of their own. The network
//! has a binary of its own, so nothing else loads it, and is compared with itself: a run that nobody disturbs, and one
//! of the same length, in heartbeats of the chain's own time, under poison. What is read is what anybody can read.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

#[allow(dead_code, reason = "shared with the scenarios of `network`")]
#[path = "network/program.rs"]
mod program;
#[allow(dead_code, reason = "shared with the scenarios of `network`")]
#[path = "network/world.rs"]
mod world;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use world::Devnet;
use zeugma_adapter_cometbft::commit::{CommitSig, Vote};
use zeugma_adapter_cometbft::testnet::{Committee, Member, Secret, Testnet};
use zeugma_adapter_cometbft::validators::MAX_VALIDATORS;
use zeugma_adapter_cometbft::{CometBft, Evidence, State};
use zeugma_adapter_core::Family as _;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::bounded::{Bytes, List};
use zeugma_ledger::tx::{SignedBody, SubmitMisbehaviour, Until, UpdateClient};
use zeugma_ledger::{Checked, Message, Transaction};
use zeugma_peers::{get, until};
use zeugma_types::{BlockTime, ClientId, Code, Cost, Encode as _, NetworkId};

/// Length of a run, in heartbeats of the network: whole seconds of its own time.
const HEARTBEATS: u64 = 12;
/// What each of them sends.
const STRANGERS: [Kind; 2] = [Kind::Update, Kind::Evidence];
/// How many times longer the work takes than in an optimized build on a machine that does nothing else: at the least, as
/// without optimization, and at the most.
const SLOWER: RangeInclusive<u64> = if cfg!(debug_assertions) { 5..=100 } else { 1..=100 };
/// Bytes, and so units, that evidence takes for each validator of its two sets, at most.
const UNITS_PER_VALIDATOR: u64 = 365;
/// And units that it takes beside.
const UNITS_OF_EVIDENCE: u64 = 1_200;

/// The usual parameters of a network, in units of this machine as it is now: a unit of cost is a microsecond of work, and
/// who founds a network sets them so that a block is executed in time.
struct Parameters {
    slower: u64,
    transaction_cost: u64,
}

impl Parameters {
    fn measure() -> Self {
        let slower = (0..5).map(|_| slower()).max().unwrap().clamp(*SLOWER.start(), *SLOWER.end());
        Self { slower, transaction_cost: 400_000 / slower }
    }

    fn flags(&self) -> Vec<String> {
        let flags = [
            ("--block-cost", 500_000 / self.slower),
            ("--transaction-cost", self.transaction_cost),
            ("--allowance-capacity", 1_000_000 / self.slower),
            ("--allowance-per-second", 100_000 / self.slower),
        ];
        flags.iter().map(|(flag, units)| format!("{flag}={units}")).collect()
    }
}

/// Microseconds of this machine for each unit of a dear update.
fn slower() -> u64 {
    let (chain, own) = (Testnet::new("measured-1"), committee(0, 60));
    let state = State::of(&chain.header(10, &own, &own, [1; 32]));
    let update = chain.update(10, &own, chain.header(12, &own, &own, [2; 32]), &own);
    let units = CometBft::update_cost(update.to_bytes().len()).get();
    let (now, start) = (chain.header(12, &own, &own, [2; 32]).time.millis(), Instant::now());
    CometBft::verify_update(&chain.profile(), &state, &update, now).unwrap();
    u64::try_from(start.elapsed().as_micros()).unwrap().div_ceil(units)
}

/// What anybody sees of the network at one moment.
struct Seen {
    height: u64,
    time: u64,
    /// Of each node, views that ended without a block.
    nullified: Vec<u64>,
    /// Of one node, refusals by code.
    refused: BTreeMap<u16, u64>,
}

fn address(node: &str) -> SocketAddr {
    node.strip_prefix("http://").unwrap().parse().unwrap()
}

fn samples(node: &str, name: &str) -> Vec<(String, u64)> {
    let text = get(address(node), "/metrics").unwrap().body;
    let of = |line: &str| {
        let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        Some((labels.to_owned(), value.parse().unwrap()))
    };
    text.lines().filter_map(of).collect()
}

impl Seen {
    fn now(net: &Devnet) -> Self {
        let height = net.api("/v1/status")["height"].as_u64().unwrap();
        let time = net.api(&format!("/v1/headers/{height}"))["time"].as_u64().unwrap();
        let nullified =
            net.nodes.iter().map(|node| match &samples(node, "zeugma_chain_views_nullified_total")[..] {
                [(_, count)] => *count,
                other => panic!("{node} counts nullified views once: {other:?}"),
            });
        let refused = samples(&net.nodes[2], "zeugma_chain_refusals_total{code=\"").into_iter();
        let refused = refused.map(|(code, count)| (code.trim_end_matches("\"}").parse().unwrap(), count));
        Self { height, time, nullified: nullified.collect(), refused: refused.collect() }
    }

    /// Waits for a block of `HEARTBEATS` later.
    fn after_a_run(net: &Devnet, from: &Self) -> Self {
        until("a run of the network", Duration::from_secs(10 * HEARTBEATS), || {
            std::thread::sleep(Duration::from_millis(100));
            let now = Self::now(net);
            Ok((now.time >= from.time + HEARTBEATS * 1_000).then_some(now))
        })
        .unwrap()
    }

    fn nullified_since(&self, from: &Self) -> Vec<u64> {
        self.nullified.iter().zip(&from.nullified).map(|(now, then)| now - then).collect()
    }

    fn refused_since(&self, from: &Self, code: Code) -> u64 {
        let count = |seen: &Self| seen.refused.get(&code.number()).copied().unwrap_or_default();
        count(self) - count(from)
    }
}

/// So many validators, of the signatures that cost most.
fn committee(first: u64, most: u64) -> Committee {
    let member = |number| Member { secret: Secret::secp256k1(number), power: 10 };
    Committee::new((first..first + most).map(member).collect())
}

/// Two messages about a client that trusts height 10 of a chain, and the rules that refuse them.
struct Poison {
    profile: Vec<u8>,
    state: Vec<u8>,
    /// Every signature but the last is good.
    update: Vec<u8>,
    /// The chain's own block, and another in order but for the last check: nobody whom the client trusts signed it.
    evidence: Vec<u8>,
}

impl Poison {
    const LATE: [Code; 2] = [Code::BadSignature, Code::TrustTooThin];

    /// With as many validators as evidence that can be paid for has room for.
    fn make(parameters: &Parameters) -> Self {
        let most = u64::try_from(MAX_VALIDATORS).unwrap();
        let most = most.min((parameters.transaction_cost - UNITS_OF_EVIDENCE) / UNITS_PER_VALIDATOR);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let genesis = BlockTime::new(u64::try_from(since.as_millis()).unwrap() - 3_600_000);
        let chain = Testnet { genesis, ..Testnet::new("poisoned-1") };
        let (own, strange) = (committee(0, most), committee(10_000, most));
        let state = State::of(&chain.header(10, &own, &own, [1; 32]));
        let honest = chain.update(10, &own, chain.header(12, &own, &own, [2; 32]), &own);
        let forged = chain.update(10, &own, chain.header(12, &strange, &strange, [3; 32]), &strange);
        let mut update = honest.clone();
        match update.signed_header.commit.signatures.last_mut() {
            Some(CommitSig::For(Vote { signature, .. })) => signature[40] ^= 1,
            other => panic!("everybody voted: {other:?}"),
        }
        Self {
            profile: chain.profile().to_bytes(),
            state: state.to_bytes(),
            update: update.to_bytes(),
            evidence: Evidence { blocks: [honest, forged] }.to_bytes(),
        }
    }

    /// Founds the client that the poison is about.
    fn client(&self, net: &Devnet) -> ClientId {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (profile, state) = (write("profile", &self.profile), write("state", &self.state));
        let create = ["tx", "create-client", "--family", "1", "--profile", &profile, "--state", &state];
        let told = net.write(&create).done();
        let events = told["events"].as_array().unwrap();
        ClientId::new(events.iter().find_map(|event| event["client"].as_str()).unwrap()).unwrap()
    }

    /// What a stranger sends.
    fn message(&self, client: &ClientId, kind: Kind) -> Message {
        let client = client.clone();
        match kind {
            Kind::Update => UpdateClient { client, update: Bytes::new(self.update.clone()).unwrap() }.into(),
            Kind::Evidence => {
                let evidence = Bytes::new(self.evidence.clone()).unwrap();
                SubmitMisbehaviour { client, evidence }.into()
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Update,
    Evidence,
}

struct Stranger<'s> {
    kind: Kind,
    net: &'s Devnet,
    poison: &'s Poison,
    client: &'s ClientId,
    network: NetworkId,
    key: SecretKey,
}

impl<'s> Stranger<'s> {
    fn new(net: &'s Devnet, poison: &'s Poison, client: &'s ClientId, kind: Kind) -> Self {
        let digits = |text: &str| <[u8; 32]>::try_from(hex::decode(text).unwrap()).unwrap();
        let file: Value = serde_json::from_slice(&fs::read(net.relayer()).unwrap()).unwrap();
        let key = SecretKey::from_seed(&digits(file["secret"].as_str().unwrap()));
        let network = NetworkId::new(digits(net.api("/v1/status")["network"].as_str().unwrap()));
        Self { kind, net, poison, client, network, key }
    }

    /// Sends one after the other until it is over; gives those that were taken.
    fn send(&self, over: &AtomicBool) -> Vec<[u8; 32]> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let (url, token) = (format!("{}/v1/transactions", self.net.nodes[0]), self.net.token());
        let mut taken = Vec::new();
        for sequence in 1.. {
            if over.load(Ordering::Acquire) {
                break;
            }
            let body = SignedBody {
                network: self.network,
                key: *self.key.public().as_bytes(),
                sequence,
                until: Until::NEVER,
                cost_limit: Cost::MAX,
                messages: List::new(vec![self.poison.message(self.client, self.kind)]).unwrap(),
            };
            let bytes = Transaction::sign(body, &self.key).to_bytes();
            let post = agent.post(&url).header("Authorization", format!("Bearer {token}"));
            let answer = post.content_type("application/octet-stream").send(&bytes).unwrap();
            if answer.status() == 202 {
                taken.push(*Checked::new(&bytes).unwrap().digest());
            }
        }
        taken
    }
}

/// What became of transactions, as a node tells: of those that are final, how many were refused by each code.
fn refused_in_blocks(net: &Devnet, taken: &[[u8; 32]]) -> BTreeMap<u16, u64> {
    let mut refused = BTreeMap::new();
    for id in taken {
        let told = net.api(&format!("/v1/transactions/{}", hex::encode(id)));
        if told["status"] == "final" {
            assert_eq!(told["outcome"]["result"], "refused", "{told}");
            let code = told["outcome"]["refusal"]["code"].as_u64().unwrap();
            *refused.entry(u16::try_from(code).unwrap()).or_default() += 1;
        }
    }
    refused
}

#[test]
fn poison_times_out_no_leader_and_holds_up_nobody_else() {
    let parameters = Parameters::measure();
    println!("a unit takes {} us here", parameters.slower);
    let flags = parameters.flags();
    let net = Devnet::start("poison", &flags.iter().map(String::as_str).collect::<Vec<_>>());
    let poison = Poison::make(&parameters);
    let client = poison.client(&net);

    let from = Seen::now(&net);
    let to = Seen::after_a_run(&net, &from);
    let (calm, calm_nullified) = (to.height - from.height, to.nullified_since(&from));

    let strangers: Vec<_> = STRANGERS.map(|kind| Stranger::new(&net, &poison, &client, kind)).into();
    let over = AtomicBool::new(false);
    let from = Seen::now(&net);
    let (to, said, taken) = std::thread::scope(|scope| {
        let (over, net) = (&over, &net);
        let sending: Vec<_> =
            strangers.iter().map(|stranger| scope.spawn(move || stranger.send(over))).collect();
        let ordinary = scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(HEARTBEATS / 4));
            net.write(&["tx", "opaque", "--text", "may I be heard"]).done()
        });
        let to = Seen::after_a_run(net, &from);
        over.store(true, Ordering::Release);
        println!(
            "{HEARTBEATS} heartbeats: calm {calm} blocks and {calm_nullified:?} views nullified, poisoned {} and {:?}",
            to.height - from.height,
            to.nullified_since(&from)
        );
        let taken: Vec<_> = sending.into_iter().flat_map(|each| each.join().unwrap()).collect();
        (to, ordinary.join().unwrap(), taken)
    });
    let (grown, nullified) = (to.height - from.height, to.nullified_since(&from));
    let refused = refused_in_blocks(&net, &taken);
    println!("{} transactions taken, in blocks refused by code: {refused:?}", taken.len());

    for (poisoned, calm) in nullified.iter().zip(&calm_nullified) {
        assert!(
            poisoned <= calm,
            "views ended without a block: {nullified:?}, undisturbed {calm_nullified:?}"
        );
    }
    // A calm network makes a block each heartbeat, and a leader may take two and a half.
    assert!(5 * grown >= 2 * calm, "{grown} blocks under poison, {calm} without");
    let heard = said["height"].as_u64().unwrap();
    assert!(heard <= to.height, "heard at {heard}, after the poison ended at {}", to.height);

    // The poison was what it claims to be: in blocks, refused by the last check that it reaches, and counted.
    let seen = Seen::now(&net);
    assert_eq!(refused.keys().copied().collect::<Vec<_>>(), Poison::LATE.map(Code::number));
    for code in Poison::LATE {
        let in_blocks = refused[&code.number()];
        assert!(in_blocks >= 2, "{code:?} refused {in_blocks} transactions only");
        let counted = seen.refused_since(&from, code);
        assert!(
            counted >= in_blocks,
            "{code:?} stands in blocks {in_blocks} times and is counted {counted} times"
        );
    }
}
