//! Real CometBFT networks, started, changed and forked. Needs Go once, to build them.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

use std::collections::BTreeSet;

use serde_json::Value;
use zeugma_peers::{CometNetwork, Options, Release};

fn addresses(validators: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let set = validators.as_array().unwrap();
    set.iter().map(|validator| (text(&validator["address"]), text(&validator["voting_power"]))).collect()
}

/// Who signed for the block (flag 2), and with what.
fn signers(signed_header: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let votes = signed_header["commit"]["signatures"].as_array().unwrap();
    votes
        .iter()
        .filter(|vote| vote["block_id_flag"] == 2)
        .map(|vote| (text(&vote["validator_address"]), text(&vote["signature"])))
        .collect()
}

fn heights_advance_and_the_validator_set_changes_two_blocks_later(release: Release) {
    let options = Options { spares: 1, ..Options::default() };
    let network = CometNetwork::start(release, &[10, 10, 10, 10], &options).unwrap();
    let rpc = network.rpc(3);

    let before = rpc.height().unwrap();
    assert!(rpc.wait_for_height(before + 2).unwrap() >= before + 2);
    assert_eq!(rpc.header(2).unwrap()["chain_id"], network.chain_id());

    // One validator grows, one leaves, one joins.
    let grown = network.change_power(1, 25).unwrap();
    let left = network.change_power(2, 0).unwrap();
    let joined = network.change_power(4, 10).unwrap();
    rpc.wait_for_height(joined.in_force).unwrap();

    let power = |height: u64, node: usize| {
        let set = addresses(&rpc.validators(height).unwrap());
        let address = &network.validator(node).address;
        set.into_iter().find(|(member, _)| member == address).map(|(_, power)| power)
    };
    assert_eq!(power(grown.in_force - 1, 1).as_deref(), Some("10"));
    assert_eq!(power(grown.in_force, 1).as_deref(), Some("25"));
    assert_eq!(power(left.in_force - 1, 2).as_deref(), Some("10"));
    assert_eq!(power(left.in_force, 2), None);
    assert_eq!(power(joined.in_force - 1, 4), None);
    assert_eq!(power(joined.in_force, 4).as_deref(), Some("10"));
    let header = |height: u64| rpc.header(height).unwrap();
    assert_eq!(
        header(joined.included + 1)["next_validators_hash"],
        header(joined.in_force)["validators_hash"]
    );
    assert_ne!(header(joined.included)["next_validators_hash"], header(joined.in_force)["validators_hash"]);
    network.stop().unwrap();
}

fn a_shared_key_of_more_than_two_thirds_commits_two_blocks_at_one_height(release: Release) {
    let mut network = CometNetwork::start(release, &[70, 10, 10, 10], &Options::default()).unwrap();
    let twin = network.fork(0).unwrap();
    let conflict = twin.conflict(network.rpc(1)).unwrap();

    let (one, other) = (&conflict.one, &conflict.other);
    assert_eq!(one["header"]["height"], conflict.height.to_string());
    assert_eq!(other["header"]["height"], conflict.height.to_string());
    assert_eq!(one["header"]["chain_id"], other["header"]["chain_id"]);
    assert_eq!(one["header"]["validators_hash"], other["header"]["validators_hash"]);
    assert_ne!(one["commit"]["block_id"]["hash"], other["commit"]["block_id"]["hash"]);
    let shared = &network.validator(0).address;
    let signature =
        |signed: &Value| signers(signed).into_iter().find(|(signer, _)| signer == shared).unwrap().1;
    assert_ne!(signature(one), signature(other));

    // Before the fork there is one history.
    let height = twin.forked_at();
    let hash =
        |rpc: zeugma_peers::CometRpc| rpc.signed_header(height).unwrap()["commit"]["block_id"]["hash"].take();
    assert_eq!(hash(network.rpc(0)), hash(twin.rpc()));
}

#[test]
fn heights_advance_and_the_validator_set_changes_two_blocks_later_in_0_38() {
    heights_advance_and_the_validator_set_changes_two_blocks_later(Release::V0_38);
}

#[test]
fn heights_advance_and_the_validator_set_changes_two_blocks_later_in_1_0() {
    heights_advance_and_the_validator_set_changes_two_blocks_later(Release::V1_0);
}

#[test]
fn a_shared_key_of_more_than_two_thirds_commits_two_blocks_at_one_height_in_0_38() {
    a_shared_key_of_more_than_two_thirds_commits_two_blocks_at_one_height(Release::V0_38);
}

#[test]
fn a_shared_key_of_more_than_two_thirds_commits_two_blocks_at_one_height_in_1_0() {
    a_shared_key_of_more_than_two_thirds_commits_two_blocks_at_one_height(Release::V1_0);
}

#[test]
fn a_transaction_comes_with_its_proof_and_a_halted_validator_is_absent_until_it_resumes() {
    let mut network = CometNetwork::start(Release::V0_38, &[10, 10, 10, 10], &Options::default()).unwrap();
    let included = network.rpc(0).broadcast_tx(b"exhibit=7").unwrap();
    let header = network.rpc(0).header(included.height).unwrap();
    assert_eq!(included.answer["proof"]["root_hash"], header["data_hash"]);

    let address = network.validator(3).address.clone();
    let signed = |network: &CometNetwork, height| {
        signers(&network.rpc(0).signed_header(height).unwrap()).iter().any(|(signer, _)| *signer == address)
    };
    network.halt(3).unwrap();
    assert!(network.rpc(3).status().is_err());
    let without = network.rpc(0).height().unwrap() + 1;
    assert!(!signed(&network, without));
    network.resume(3).unwrap();
    let caught_up = network.rpc(0).height().unwrap() + 1;
    assert!((caught_up..caught_up + 30).any(|height| signed(&network, height)));
}

#[test]
fn a_key_of_two_thirds_or_less_is_not_forked() {
    let mut network = CometNetwork::start(Release::V0_38, &[20, 10], &Options::default()).unwrap();
    let refusal = network.fork(0).unwrap_err().to_string();
    assert!(refusal.contains("20 of 30"), "{refusal}");
}
