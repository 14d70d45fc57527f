//! The light client and the search for misbehaviour on what real nodes once said (`tests/vectors/cometbft`), and on what
//! liars would make of it.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeugma_adapter_cometbft::{Profile, Store, TrustLevel, verify};
use zeugma_endpoint_cometbft::{
    Comparison, Endpoint, Endpoints, Error, Finding, Followed, Source as _, StoreKey, Transport,
};
use zeugma_types::{BlockTime, Code, Height, Span};

/// Changes the answer to a method with these parameters.
type Lie = Box<dyn Fn(&str, &Value, &mut Value) + Send + Sync>;

/// A node that says what one node once said, from a folder; `lie` may change an answer.
struct Recorded {
    name: String,
    folders: Vec<PathBuf>,
    lie: Lie,
}

impl Recorded {
    fn file(&self, name: &str) -> Option<Value> {
        let read = |folder: &PathBuf| std::fs::read(folder.join(name)).ok();
        self.folders.iter().find_map(read).map(|bytes| serde_json::from_slice(&bytes).unwrap())
    }

    fn latest(&self) -> u64 {
        let has = |height: &u64| self.file(&format!("commit-{height:03}.json")).is_some();
        (1..=999).take_while(has).last().unwrap()
    }

    fn answer(&self, method: &str, params: &Value) -> Option<Value> {
        let height = || params["height"].as_str().unwrap().parse::<u64>().unwrap();
        match method {
            "commit" => self.file(&format!("commit-{:03}.json", height())),
            "validators" => self.file(&format!("validators-{:03}.json", height())),
            "status" => {
                let network = self.file("commit-001.json").unwrap();
                let network = &network["result"]["signed_header"]["header"]["chain_id"];
                Some(json!({"result": {
                    "node_info": {"network": network},
                    "sync_info": {
                        "latest_block_height": self.latest().to_string(),
                        "latest_block_time": "2026-11-21T12:52:11.371643752Z",
                        "earliest_block_height": "1",
                        "catching_up": false,
                    },
                }}))
            }
            _ => None,
        }
    }
}

impl Transport for Recorded {
    fn address(&self) -> &str {
        &self.name
    }

    fn call(&self, method: &str, params: &Value) -> Result<Vec<u8>, Error> {
        let none = json!({"jsonrpc": "2.0", "error": {"code": -32603, "message": "not recorded"}});
        let mut answer = self.answer(method, params).unwrap_or(none);
        (self.lie)(method, params, &mut answer);
        Ok(answer.to_string().into_bytes())
    }
}

fn vectors(release: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors/cometbft").join(release)
}

fn node(folders: Vec<PathBuf>) -> Endpoint {
    liar(folders, |_, _, _| {})
}

fn liar(folders: Vec<PathBuf>, lie: impl Fn(&str, &Value, &mut Value) + Send + Sync + 'static) -> Endpoint {
    let name = folders[0].file_name().unwrap().to_string_lossy().into_owned();
    Endpoint::new(Arc::new(Recorded { name, folders, lie: Box::new(lie) }))
}

fn profile(chain_id: &str) -> Profile {
    Profile {
        chain_id: chain_id.into(),
        trust_level: TrustLevel::ONE_THIRD,
        trusting_period: Span::seconds(3_600),
        unbonding_period: Span::seconds(6_000),
        max_drift: Span::seconds(10),
        store: Store::Opaque,
    }
}

/// The chain followed from its first recorded height, and a time shortly after its last.
fn followed(node: &Endpoint, chain_id: &str) -> (Followed, BlockTime) {
    let first = node.signed_header(Height::new(1)).unwrap().header;
    let now = first.time.millis().after(Span::seconds(60)).unwrap();
    let begun = Followed::begin(profile(chain_id), node, Height::new(1), first.hash()).unwrap();
    (begun, now)
}

#[test]
fn a_walk_over_turned_over_validators_halves_where_trust_is_too_thin_and_every_step_verifies() {
    for release in ["v0.38", "v1.0"] {
        let folder = vectors(release);
        let index: Value =
            serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
        let last = Height::new(index["run"]["last"].as_u64().unwrap());
        let node = node(vec![folder]);
        let (start, now) = followed(&node, "zeugma-peer");
        let mut walker = start.clone();
        let steps = walker.walk(&node, last, now).unwrap();
        assert_eq!(walker.trusted().height, last);
        assert!(steps.len() > 1, "{release}: trust is too thin for one step over this run");
        assert!(steps.len() < usize::try_from(last.get()).unwrap() - 1, "{release}: it skips where it can");

        // The same steps move another client from the same state.
        let mut state = start.trusted().clone();
        for step in &steps {
            assert_eq!(step.trusted_height, state.height);
            state = verify::update(start.rules(), &state, step, now).unwrap();
        }
        assert_eq!(&state, walker.trusted());

        // Header by header leads to the same state.
        let mut sequential = start;
        for height in 2..=last.get() {
            assert_eq!(sequential.walk(&node, Height::new(height), now).unwrap().len(), 1);
        }
        assert_eq!(sequential.trusted(), walker.trusted());
    }
}

#[test]
fn two_branches_of_a_forked_chain_are_found_and_give_evidence_that_verifies() {
    for release in ["v0.38", "v1.0"] {
        let fork = vectors(release).join("fork");
        let index = std::fs::read(vectors(release).join("index.json")).unwrap();
        let index: Value = serde_json::from_slice(&index).unwrap();
        let conflict = Height::new(index["fork"]["conflict"].as_u64().unwrap());
        let branch = |name: &str| node(vec![fork.join(name), fork.clone()]);
        let (one, other) = (branch("one"), branch("other"));
        let (start, now) = followed(&one, "zeugma-fork");
        let endpoints = Endpoints::new("zeugma-fork", vec![one, other]);

        let before = conflict.previous().unwrap();
        assert_eq!(endpoints.compare(before, now).unwrap(), Comparison::Agreed { endpoints: 2 });
        let later = conflict.next().unwrap();
        assert_eq!(endpoints.compare(later, now).unwrap(), Comparison::Differ { one: 0, other: 1 });
        let found =
            endpoints.examine(start.profile(), &[start.trusted().clone()], (0, 1), later, now).unwrap();
        let Finding::Misbehaviour { updates, evidence, at } = found else { panic!("{found:?}") };
        assert_eq!(at.height, conflict, "the lowest height at which they differ");
        assert!(updates.is_empty(), "one key holds more than a third: trust reaches");
        let trusted = [start.trusted(), start.trusted()];
        verify::misbehaviour(start.rules(), trusted, &evidence, now).unwrap();
        assert_eq!(endpoints.disagreements(), 1);
    }
}

#[test]
fn a_header_that_was_changed_is_a_lie_and_no_misbehaviour() {
    let folder = vectors("v1.0");
    let honest = node(vec![folder.clone()]);
    let changed = liar(vec![folder], |method, params, answer| {
        if method == "commit" && params["height"] == "5" {
            answer["result"]["signed_header"]["header"]["app_hash"] = json!("00".repeat(32));
        }
    });
    let (start, now) = followed(&honest, "zeugma-peer");
    let endpoints = Endpoints::new("zeugma-peer", vec![honest, changed]);
    let height = Height::new(5);
    assert_eq!(endpoints.compare(height, now).unwrap(), Comparison::Differ { one: 0, other: 1 });
    let trusted = [start.trusted().clone()];
    let found = endpoints.examine(start.profile(), &trusted, (0, 1), height, now).unwrap();
    assert!(
        matches!(&found, Finding::Lied { endpoint: 1, refusal } if refusal.code == Code::WrongCommit),
        "{found:?}"
    );
    // The liar rests: the comparison goes on without it.
    assert_eq!(endpoints.compare(height, now).unwrap(), Comparison::Agreed { endpoints: 1 });
}

#[test]
fn a_walk_goes_on_with_the_next_endpoint_when_one_forges_a_signature_or_is_of_another_chain() {
    let folder = vectors("v0.38");
    let forged = liar(vec![folder.clone()], |method, _, answer| {
        if method == "commit" {
            for vote in answer["result"]["signed_header"]["commit"]["signatures"].as_array_mut().unwrap() {
                vote["signature"] = json!(format!("{}==", "A".repeat(86)));
            }
        }
    });
    let elsewhere = liar(vec![folder.clone()], |method, _, answer| {
        if method == "commit" {
            answer["result"]["signed_header"]["header"]["chain_id"] = json!("elsewhere");
        }
    });
    let honest = node(vec![folder]);
    let (mut start, now) = followed(&honest, "zeugma-peer");
    let endpoints = Endpoints::new("zeugma-peer", vec![forged, elsewhere, honest]);
    endpoints.walk(&mut start, Height::new(3), now).unwrap();
    assert_eq!(start.trusted().height, Height::new(3));
    assert_eq!(endpoints.disagreements(), 2, "both liars were noticed");
}

#[test]
fn a_trust_root_of_another_hash_and_an_expired_one_are_refused() {
    let node = node(vec![vectors("v1.0")]);
    let refused = Followed::begin(profile("zeugma-peer"), &node, Height::new(1), [7; 32]).unwrap_err();
    assert_eq!(refused.refusal().unwrap().code, Code::WrongCommit);
    let (mut start, now) = followed(&node, "zeugma-peer");
    let late = now.after(Span::seconds(3_600)).unwrap();
    let refused = start.walk(&node, Height::new(4), late).unwrap_err();
    assert_eq!(refused.refusal().unwrap().code, Code::ClientExpired);
    assert!(!refused.blames_endpoint());
}

#[test]
fn what_a_node_does_not_have_and_answers_that_are_not_json_are_told_apart() {
    let folder = vectors("v1.0");
    let node = node(vec![folder.clone()]);
    assert!(matches!(node.signed_header(Height::new(900)), Err(Error::Declined { .. })));
    let odd = liar(vec![folder], |_, _, answer| *answer = json!([1, 2]));
    assert!(matches!(odd.status(), Err(Error::Layout { .. })));
    let key = StoreKey { store: "ibc".into(), key: vec![1] };
    assert!(matches!(odd.store(&key, Height::new(1)), Err(Error::Layout { .. })));
}
