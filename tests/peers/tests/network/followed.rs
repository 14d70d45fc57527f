//! A client of a real chain: created, led over every header, by skipping, over a change of its validators; then kept
//! fresh by the watcher, without anybody asking.

use crate::chain::{Periods, hash, profile, watched};
use crate::watcher::Watcher;
use crate::world::north;
use zeugma_peers::{CometNetwork, Options, Release};

/// The watcher refreshes at a third of the first.
const PERIODS: Periods = Periods { trusting: 60, unbonding: 90 };

fn a_client_is_led_over_headers_and_changes_of_validators(release: Release, chain_id: &str) {
    let north = north();
    let options = Options { chain_id: chain_id.to_owned(), spares: 3, ..Options::default() };
    let chain = CometNetwork::start(release, &[10, 10, 10, 10], &options).unwrap();
    let (rpc, url) = (chain.rpc(0), chain.rpc(0).url());
    let (_folder, profile) = profile(chain_id, PERIODS);
    let begin = |hash: &str| {
        let profile = profile.to_str().unwrap();
        north.write(&[
            "client",
            "create",
            "--profile",
            profile,
            "--rpc",
            &url,
            "--height",
            "2",
            "--hash",
            hash,
        ])
    };
    begin(&hash(rpc, 3)).refused("WrongCommit");
    let created = begin(&hash(rpc, 2)).done();
    let id = created["client"].as_str().unwrap();
    assert_eq!((north.client(id)["status"].as_str(), north.height(id)), (Some("active"), 2));

    // One header after the other.
    rpc.wait_for_height(6).unwrap();
    let update = |more: &[&str]| north.write(&[&["client", "update", id, "--rpc", &url], more].concat());
    let moved = update(&["--every-header", "--to", "5"]).done();
    assert_eq!((&moved["steps"], &moved["to"]), (&3.into(), &5.into()), "{moved}");
    let shown = north.ask(&["client", "show", id]).done();
    let heights: Vec<u64> = shown["trusted_states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["height"].as_u64().unwrap())
        .collect();
    assert_eq!(heights, [2, 3, 4, 5]);
    assert_eq!(shown["latest_hash"].as_str().unwrap(), hash(rpc, 5));

    // Skipping: the set is the same, so one step leads anywhere.
    let far = rpc.wait_for_height(15).unwrap();
    let moved = update(&["--to", &far.to_string()]).done();
    assert_eq!(
        (&moved["steps"], &moved["from"], &moved["to"]),
        (&1.into(), &5.into(), &far.into()),
        "{moved}"
    );

    // Three of four leave and three others come: too little of the trusted power stays for one step.
    chain.change_powers(&[(4, 10), (5, 10), (6, 10)]).unwrap();
    let change = chain.change_powers(&[(1, 0), (2, 0), (3, 0)]).unwrap();
    rpc.wait_for_height(change.in_force + 2).unwrap();
    let moved = update(&[]).done();
    assert!(moved["steps"].as_u64().unwrap() > 1, "{moved}");
    assert!(moved["to"].as_u64().unwrap() >= change.in_force, "{moved}");

    // From here on nobody asks.
    let mut watcher = Watcher::new(
        &format!("followed-{chain_id}"),
        &(north.hub("north") + &watched(chain_id, &[chain.rpc(0), chain.rpc(4)], &[id])),
    );
    assert_eq!(watcher.wrong(), [""; 0]);
    watcher.run();
    chain.change_powers(&[(1, 10), (2, 10), (3, 10)]).unwrap();
    let change = chain.change_powers(&[(4, 0), (5, 0), (6, 0)]).unwrap();
    let followed = north.wait_for(id, "over the change of validators", 45, |client| {
        client["latest"].as_u64().unwrap() >= change.in_force
    });
    // And with no further change: at a third of the trusting period.
    let before = followed["latest"].as_u64().unwrap();
    let refreshed = north.wait_for(id, "refreshed", 60, |client| client["latest"].as_u64().unwrap() > before);
    assert_eq!(refreshed["status"], "active");
    let left = watcher
        .metric(&format!("zeugma_relay_client_expires_in_seconds{{chain=\"north\",client=\"{id}\"}}"))
        .unwrap();
    assert!((1..=60).contains(&left), "{left} s");
    assert_eq!(watcher.metric("zeugma_relay_submissions_total{chain=\"north\",result=\"refused\"}"), None);
    watcher.stop();
    chain.stop().unwrap();
}

#[test]
fn a_client_of_cometbft_0_38_is_led_over_headers_and_changes_of_validators() {
    a_client_is_led_over_headers_and_changes_of_validators(Release::V0_38, "followed-38");
}

#[test]
fn a_client_of_cometbft_1_0_is_led_over_headers_and_changes_of_validators() {
    a_client_is_led_over_headers_and_changes_of_validators(Release::V1_0, "followed-10");
}
