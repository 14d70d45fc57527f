//! Two real nodes, kept apart, share a key of more than two thirds of the power and commit two blocks at one height:
//! the watcher finds and submits both commits, and the client is frozen for everyone to see.

use crate::chain::{Periods, hash, profile, watched};
use crate::watcher::Watcher;
use crate::world::north;
use anyhow::{Result, ensure};
use zeugma_peers::{CometNetwork, Options, Release};

const PERIODS: Periods = Periods { trusting: 3_600, unbonding: 6_000 };

/// That a client is frozen for two blocks of this height before the time is over.
pub(crate) fn reported(client: &str, height: u64, seconds: u64) -> Result<()> {
    let frozen = north().becomes(client, "frozen", seconds, |client| client["status"] == "frozen")?;
    ensure!(frozen["frozen"]["height"] == height, "{height}: {frozen}");
    Ok(())
}

fn two_commits_of_one_height_freeze_the_client(release: Release, chain_id: &str) {
    let north = north();
    let options = Options { chain_id: chain_id.to_owned(), ..Options::default() };
    let mut chain = CometNetwork::start(release, &[70, 10, 10, 10], &options).unwrap();
    let (_folder, profile) = profile(chain_id, PERIODS);
    let (hash, url) = (hash(chain.rpc(0), 2), chain.rpc(0).url());
    let create = || {
        let profile = profile.to_str().unwrap();
        let begin =
            ["client", "create", "--profile", profile, "--rpc", &url, "--height", "2", "--hash", &hash];
        north.write(&begin).done()["client"].as_str().unwrap().to_owned()
    };
    let (by_watcher, by_hand) = (create(), create());
    let compare =
        |other: &str| north.write(&["client", "misbehaviour", &by_hand, "--rpc", &url, "--rpc", other]);
    compare(&chain.rpc(1).url()).refused("NotThere");

    let twin = chain.fork(0).unwrap();
    let conflict = twin.conflict(chain.rpc(0)).unwrap();
    let mut watcher = Watcher::new(
        &format!("frozen-{chain_id}"),
        &(north.hub("north") + &watched(chain_id, &[chain.rpc(0), twin.rpc()], &[&by_watcher])),
    );
    watcher.run();
    reported(&by_watcher, conflict.height, 60).unwrap();
    let counted = |sample: &str| watcher.metric(sample);
    assert_eq!(counted(&format!("zeugma_relay_misbehaviour_total{{chain=\"{chain_id}\"}}")), Some(1));
    // The gauge follows at the next round.
    let gauge = format!("zeugma_relay_client_frozen{{chain=\"north\",client=\"{by_watcher}\"}}");
    zeugma_peers::until("the gauge", std::time::Duration::from_secs(10), || {
        Ok(counted(&gauge).filter(|value| *value == 1))
    })
    .unwrap();
    assert_eq!(counted("zeugma_relay_submissions_total{chain=\"north\",result=\"refused\"}"), None);
    watcher.stop();

    // What is frozen follows nothing any more; and whoever has no watcher does the same by hand.
    north.write(&["client", "update", &by_watcher, "--rpc", &url]).refused("ClientFrozen");
    assert_eq!(north.client(&by_hand)["status"], "active");
    compare(&twin.rpc().url()).done();
    assert_eq!(north.client(&by_hand)["status"], "frozen");
}

#[test]
fn two_commits_of_one_height_freeze_the_client_0_38() {
    two_commits_of_one_height_freeze_the_client(Release::V0_38, "frozen-38");
}

#[test]
fn two_commits_of_one_height_freeze_the_client_1_0() {
    two_commits_of_one_height_freeze_the_client(Release::V1_0, "frozen-10");
}
