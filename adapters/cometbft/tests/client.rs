//! The client around this family's predicates, where time and heights come close to each other.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use zeugma_adapter_cometbft::testnet::{Committee, Testnet};
use zeugma_adapter_cometbft::time::Time;
use zeugma_adapter_cometbft::{CometBft, State, Update};
use zeugma_adapter_core::{Client, MAX_STORED, Status, Updated};
use zeugma_types::{BlockTime, Code, Height};

struct Follower {
    chain: Testnet,
    set: Committee,
    client: Client<zeugma_adapter_cometbft::Profile>,
    states: Vec<State>,
}

impl Follower {
    fn new() -> Self {
        let (chain, set) = (Testnet::new("close-1"), Committee::of([1]));
        let state = State::of(&chain.header(10, &set, &set, [1; 32]));
        let client = Client::create::<CometBft>(
            chain.profile(),
            &state,
            BlockTime::new(state.time.millis().get() + 1),
        )
        .unwrap();
        Self { chain, set, client, states: vec![state] }
    }

    /// A block of `height`, that many nanoseconds after the trusted one of height 10.
    fn block(&self, height: u64, nanos: i128) -> Update {
        let mut header = self.chain.header(height, &self.set, &self.set, [2; 32]);
        let total = self.states[0].time.total_nanos() + nanos;
        let part = u32::try_from(total % 1_000_000_000).unwrap();
        header.time = Time::new(i64::try_from(total / 1_000_000_000).unwrap(), part).unwrap();
        self.chain.update(10, &self.set, header, &self.set)
    }

    fn apply(&mut self, update: &Update) -> Result<Updated<State>, Code> {
        let trusted = self.states[0].clone();
        let states = self.states.clone();
        let known = |height: Height| states.iter().find(|state| state.height == height).cloned();
        let now = BlockTime::new(trusted.time.millis().get() + 1_000_000);
        let updated = self.client.update::<CometBft>(&trusted, known, update, now);
        if let Ok(Updated::Advanced { state, .. }) = &updated {
            self.states.push(state.clone());
        }
        updated.map_err(|refusal| refusal.code)
    }
}

#[test]
fn two_blocks_within_a_millisecond_do_not_freeze_an_honest_chain() {
    let mut follower = Follower::new();
    for (height, nanos) in [(11, 1), (13, 3), (12, 2)] {
        let update = follower.block(height, nanos);
        assert!(matches!(follower.apply(&update), Ok(Updated::Advanced { .. })), "height {height}");
    }
    assert_eq!(follower.client.frozen, None);
}

#[test]
fn a_block_that_is_not_a_nanosecond_later_is_refused() {
    let mut follower = Follower::new();
    let update = follower.block(11, 0);
    assert_eq!(follower.apply(&update), Err(Code::TimeNotMonotonic));
}

#[test]
fn a_block_between_two_others_whose_time_is_not_freezes_the_client() {
    for nanos in [9_000_000_i128, 31_000_000] {
        let mut follower = Follower::new();
        for (height, nanos) in [(20, 10_000_000), (30, 30_000_000)] {
            let update = follower.block(height, nanos);
            follower.apply(&update).unwrap();
        }
        let update = follower.block(25, nanos);
        assert!(matches!(follower.apply(&update), Ok(Updated::Froze(_))), "{nanos}");
        let now = BlockTime::new(follower.states[0].time.millis().get() + 1);
        assert_eq!(follower.client.status::<CometBft>(now), Status::Frozen);
    }
}

#[test]
fn a_client_keeps_its_newest_states() {
    let mut follower = Follower::new();
    let mut forgotten = vec![];
    for height in 11..=10 + MAX_STORED as u64 {
        let update = follower.block(height, i128::from(height) * 5_000_000);
        match follower.apply(&update) {
            Ok(Updated::Advanced { pruned, .. }) => forgotten.extend(pruned),
            other => panic!("height {height}: {other:?}"),
        }
    }
    assert_eq!(forgotten, [Height::new(10)]);
    assert_eq!(follower.client.stored().len(), MAX_STORED);
    let update = follower.block(500, 5_000_000_000);
    assert_eq!(follower.apply(&update), Err(Code::NoStateAt));
}
