//! Random light blocks, good and forged, get the verdict of `tendermint-light-client-verifier`.
//!
//! Where the two differ on purpose, we refuse more: we verify every vote that is carried (they stop at
//! enough), and a vote must stand in its validator's place (they look it up by address). Where a block
//! lacks its own quorum and the trusted one, they leave open which is said.

use crate::encodings::{their_set, theirs};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tendermint_light_client_verifier::options::Options;
use tendermint_light_client_verifier::types::{TrustThreshold, TrustedBlockState, UntrustedBlockState};
use tendermint_light_client_verifier::{ProdVerifier, Verdict, Verifier};
use zeugma_adapter_cometbft::commit::CommitSig;
use zeugma_adapter_cometbft::testnet::{Ballot, Committee, Member, Secret, Testnet};
use zeugma_adapter_cometbft::time::Time;
use zeugma_adapter_cometbft::{Rules, State, TrustLevel, Update, verify};
use zeugma_types::{BlockTime, Code, Decode, Encode, Height, Span};

const TRUSTED: u64 = 10;
const PERIOD: Span = Span::seconds(1_000);
const DRIFT: Span = Span::seconds(10);

/// What is wrong with a block, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Flaw {
    None,
    Chain,
    HeaderField,
    CommitHeight,
    CommitBlock,
    Validators,
    NextValidators,
    Signature,
    Round,
    Timestamp,
    SwappedVotes,
    StrangersVote,
    OneVoteLess,
}

const FLAWS: [Flaw; 12] = [
    Flaw::Chain,
    Flaw::HeaderField,
    Flaw::CommitHeight,
    Flaw::CommitBlock,
    Flaw::Validators,
    Flaw::NextValidators,
    Flaw::Signature,
    Flaw::Round,
    Flaw::Timestamp,
    Flaw::SwappedVotes,
    Flaw::StrangersVote,
    Flaw::OneVoteLess,
];

/// A light block to be made.
#[derive(Clone, Debug)]
struct Plan {
    /// Numbers of keys and their powers.
    old: BTreeMap<u64, u64>,
    new: BTreeMap<u64, u64>,
    ballots: Vec<u8>,
    adjacent: bool,
    /// Of the header against the trusted one, in nanoseconds.
    later: i64,
    /// Of the clock against the header, in milliseconds.
    clock: i64,
    level: (u32, u32),
    flaw: Flaw,
    at: usize,
}

fn plans() -> impl Strategy<Value = Plan> {
    let set = || prop::collection::btree_map(1..=9_u64, prop_oneof![1..=3_u64, 1..=40_u64], 1..=8);
    let often = |value: Flaw| prop_oneof![3 => Just(value), 2 => prop::sample::select(&FLAWS[..])];
    (
        (set(), set(), prop::bool::ANY, prop::bool::weighted(0.3)),
        prop::collection::vec(prop_oneof![6 => Just(0_u8), 1 => Just(1), 1 => Just(2)], 9),
        prop_oneof![8 => 1..900_000_000_000_i64, 1 => -5..=5_i64],
        prop_oneof![6 => 0..5_000_i64, 1 => Just(-10_000), 1 => -10_002..-9_998_i64, 1 => 99_000..1_100_000_i64],
        prop::sample::select(&[(1, 3), (1, 3), (1, 2), (2, 3), (1, 1)][..]),
        often(Flaw::None),
        0..8_usize,
    )
        .prop_map(|((old, new, same, adjacent), ballots, later, clock, level, flaw, at)| {
            let new = if same { old.clone() } else { new };
            Plan { old, new, ballots, adjacent, later, clock, level, flaw, at }
        })
}

fn committee(set: &BTreeMap<u64, u64>) -> Committee {
    let member = |(number, power): (&u64, &u64)| Member {
        // A ninth of the keys is of the other kind.
        secret: if *number == 9 { Secret::secp256k1(9) } else { Secret::ed25519(*number) },
        power: *power,
    };
    Committee::new(set.iter().map(member).collect())
}

fn time(nanos: i64) -> Time {
    let nanos_part = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap();
    Time::new(nanos.div_euclid(1_000_000_000), nanos_part).unwrap()
}

struct Made {
    trusted: State,
    update: Update,
    now: BlockTime,
    rules: Rules,
}

fn make(plan: &Plan) -> Made {
    let chain = Testnet::new("judge-1");
    let (old, new) = (committee(&plan.old), committee(&plan.new));
    let trusted = State::of(&chain.header(TRUSTED, &old, &old, [1; 32]));
    let trusted_nanos = i64::try_from(trusted.time.total_nanos()).unwrap();
    let height = if plan.adjacent { TRUSTED + 1 } else { TRUSTED + 7 };
    let mut header = chain.header(height, &new, &new, [2; 32]);
    header.time = time(trusted_nanos + plan.later);
    match plan.flaw {
        Flaw::Chain => header.chain_id = "judge-2".into(),
        Flaw::Validators => header.validators_hash = [9; 32],
        _ => {}
    }
    let ballot = |index: usize| [Ballot::For, Ballot::Nil, Ballot::Absent][usize::from(plan.ballots[index])];
    let mut signed = chain.sign(header, &new, ballot);
    let mut trusted_next = old.validators();
    let at = plan.at % signed.commit.signatures.len();
    let votes = &mut signed.commit.signatures;
    match (plan.flaw, votes[at]) {
        (Flaw::HeaderField, _) => signed.header.app_hash = vec![3; 32],
        (Flaw::CommitHeight, _) => signed.commit.height = Height::new(height + 1),
        (Flaw::CommitBlock, _) => signed.commit.block_id.hash = Some([5; 32]),
        (Flaw::NextValidators, _) => trusted_next = Committee::of(50..=52).validators(),
        (Flaw::Round, _) => signed.commit.round += 1,
        (Flaw::SwappedVotes, _) => {
            let other = (at + 1) % votes.len();
            votes.swap(at, other);
        }
        (Flaw::OneVoteLess, _) => {
            votes.pop();
        }
        (Flaw::Signature, CommitSig::For(mut vote)) => {
            vote.signature[40] ^= 1;
            votes[at] = CommitSig::For(vote);
        }
        (Flaw::Timestamp, CommitSig::For(mut vote)) => {
            vote.timestamp = time(5);
            votes[at] = CommitSig::For(vote);
        }
        (Flaw::StrangersVote, CommitSig::For(mut vote)) => {
            vote.address = Secret::ed25519(77).public().address();
            votes[at] = CommitSig::For(vote);
        }
        _ => {}
    }
    let now = (trusted_nanos + plan.later) / 1_000_000 + plan.clock;
    Made {
        update: Update::new(Height::new(TRUSTED), signed, new.validators(), trusted_next),
        trusted,
        now: BlockTime::new(u64::try_from(now).unwrap()),
        rules: Rules {
            chain_id: chain.chain_id,
            trust_level: TrustLevel::new(plan.level.0, plan.level.1).unwrap(),
            trusting_period: PERIOD,
            max_drift: DRIFT,
        },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Success,
    NotEnoughTrust,
    Invalid,
}

/// Through our own bytes, as an update arrives.
fn ours(made: &Made) -> Said {
    let update = match Update::from_bytes(&made.update.to_bytes()) {
        Ok(update) => update,
        Err(_) => return Said::Invalid,
    };
    match verify::update(&made.rules, &made.trusted, &update, made.now) {
        Ok(_) => Said::Success,
        Err(refusal) if refusal.code == Code::TrustTooThin => Said::NotEnoughTrust,
        Err(_) => Said::Invalid,
    }
}

fn oracle(made: &Made, plan: &Plan) -> Said {
    if made.update.signed_header.commit.height != made.update.signed_header.header.height {
        // They refuse to read it.
        return Said::Invalid;
    }
    let signed = theirs(&made.update.signed_header);
    let validators = their_set(&made.update.validators);
    let trusted_next = their_set(made.update.trusted_next_validators());
    let instant = |time: Time| tendermint::Time::from_unix_timestamp(time.seconds(), time.nanos()).unwrap();
    let chain_id = made.rules.chain_id.parse().unwrap();
    // Comparing the trusted set with its hash is left to the caller.
    if trusted_next.hash().as_bytes() != made.trusted.next_validators_hash {
        return Said::Invalid;
    }
    let trusted = TrustedBlockState {
        chain_id: &chain_id,
        header_time: instant(made.trusted.time),
        height: made.trusted.height.get().try_into().unwrap(),
        next_validators: &trusted_next,
        next_validators_hash: made.trusted.next_validators_hash.to_vec().try_into().unwrap(),
    };
    let untrusted =
        UntrustedBlockState { signed_header: &signed, validators: &validators, next_validators: None };
    let (numerator, denominator) = plan.level;
    let options = Options {
        trust_threshold: TrustThreshold::new(numerator.into(), denominator.into()).unwrap(),
        trusting_period: Duration::from_millis(PERIOD.get()),
        clock_drift: Duration::from_millis(DRIFT.get()),
    };
    let millis = made.now.get();
    let nanos = u32::try_from(millis % 1_000).unwrap() * 1_000_000;
    let now = tendermint::Time::from_unix_timestamp(i64::try_from(millis / 1_000).unwrap(), nanos).unwrap();
    match ProdVerifier::default().verify_update_header(untrusted, trusted, &options, now) {
        Verdict::Success => Said::Success,
        Verdict::NotEnoughTrust(_) => Said::NotEnoughTrust,
        Verdict::Invalid(_) => Said::Invalid,
    }
}

/// Whether the votes for the block are more than two thirds of its own power, counted on the plan.
fn has_own_quorum(made: &Made) -> bool {
    let validators = made.update.validators.validators();
    let votes = &made.update.signed_header.commit.signatures;
    let total: u64 = validators.iter().map(|each| each.power.get()).sum();
    let voted = validators.iter().zip(votes).filter(|(_, vote)| matches!(vote, CommitSig::For(_)));
    let voted: u64 = voted.map(|(each, _)| each.power.get()).sum();
    voted + voted + voted > total + total
}

#[test]
fn random_light_blocks_get_the_verdict_of_the_published_verifier() {
    let seen = RefCell::new(BTreeSet::new());
    let stricter = RefCell::new(BTreeSet::new());
    let mut runner = TestRunner::new(Config { cases: 1_500, failure_persistence: None, ..Config::default() });
    let result = runner.run(&plans(), |plan| {
        let made = make(&plan);
        let (found, judged) = (ours(&made), oracle(&made, &plan));
        seen.borrow_mut().insert((plan.flaw, judged));
        if found == judged {
            return Ok(());
        }
        prop_assert_ne!(found, Said::Success, "accepted, and they say {:?}", judged);
        let on_purpose = match plan.flaw {
            // A vote in another place, or one they did not come to.
            Flaw::SwappedVotes | Flaw::Signature | Flaw::Timestamp | Flaw::Round => found == Said::Invalid,
            _ => judged == Said::NotEnoughTrust && found == Said::Invalid && !has_own_quorum(&made),
        };
        prop_assert!(on_purpose, "we say {:?}, they say {:?}", found, judged);
        stricter.borrow_mut().insert(plan.flaw);
        Ok(())
    });
    result.unwrap();
    // The blocks are of every kind, and every verdict was given.
    let (seen, stricter) = (seen.into_inner(), stricter.into_inner());
    for said in [Said::Success, Said::NotEnoughTrust, Said::Invalid] {
        assert!(seen.contains(&(Flaw::None, said)), "no good block was judged {said:?}");
    }
    for flaw in FLAWS {
        assert!(seen.iter().any(|(tried, _)| *tried == flaw), "{flaw:?} was not tried");
    }
    println!("seen: {seen:?}\nstricter on purpose: {stricter:?}");
}
