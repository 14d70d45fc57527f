//! The scenarios can fail: a watcher that does not report, and one that forgets over a power cut what it had taken on, are
//! found by the judge of `frozen`, beside one that does both.
//!
//! Nothing in the product is changed for it. The first is a watcher that is told of one side of the fork only: it runs,
//! and keeps its client fresh. The second loses its file while it is down.

use crate::chain::{Periods, hash, profile, watched};
use crate::frozen::reported;
use crate::watcher::Watcher;
use crate::world::north;
use std::fs;
use std::time::Duration;
use zeugma_peers::{CometNetwork, Options, Release, until};

const CHAIN: &str = "planted-10";
const PERIODS: Periods = Periods { trusting: 3_600, unbonding: 6_000 };
/// How long a client is looked at that is expected to stay as it is: many rounds of a watcher.
const IN_VAIN: u64 = 12;

#[test]
fn a_watcher_that_reports_nothing_and_one_that_forgets_are_found() {
    let north = north();
    let options = Options { chain_id: CHAIN.to_owned(), ..Options::default() };
    let mut chain = CometNetwork::start(Release::V1_0, &[70, 10, 10, 10], &options).unwrap();
    let (_folder, profile) = profile(CHAIN, PERIODS);
    let (hash, url) = (hash(chain.rpc(0), 2), chain.rpc(0).url());
    let create = || {
        let profile = profile.to_str().unwrap();
        let begin =
            ["client", "create", "--profile", profile, "--rpc", &url, "--height", "2", "--hash", &hash];
        north.write(&begin).done()["client"].as_str().unwrap().to_owned()
    };
    let (kept, forgotten) = (create(), create());
    let twin = chain.fork(0).unwrap();
    let conflict = twin.conflict(chain.rpc(0)).unwrap().height;

    let one_side = [chain.rpc(0), chain.rpc(1)];
    let mut silent =
        Watcher::new("planted-silent", &(north.hub("north") + &watched(CHAIN, &one_side, &[&kept])));
    silent.run();
    let lasts = format!("zeugma_relay_client_expires_in_seconds{{chain=\"north\",client=\"{kept}\"}}");
    until("the silent watcher to look after its client", Duration::from_secs(60), || {
        Ok(silent.metric(&lasts))
    })
    .unwrap();
    let found = reported(&kept, conflict, IN_VAIN).unwrap_err();
    assert!(format!("{found:#}").contains("in vain"), "{found:#}");
    silent.stop();

    // Both of these find the fork, and have no word yet by which a node takes what they submit.
    let (folder, sides) = (tempfile::tempdir().unwrap(), [chain.rpc(0), twin.rpc()]);
    let token = folder.path().join("token");
    fs::write(&token, "not the word").unwrap();
    let mut both = [("planted-keeps", &kept), ("planted-forgets", &forgotten)].map(|(name, client)| {
        Watcher::new(name, &(north.hub_with("north", &token) + &watched(CHAIN, &sides, &[client])))
    });
    for watcher in &mut both {
        watcher.run();
        let misbehaviour = format!("zeugma_relay_misbehaviour_total{{chain=\"{CHAIN}\"}}");
        until("the fork to be found", Duration::from_secs(60), || {
            Ok(watcher.metric(&misbehaviour).filter(|found| *found == 1))
        })
        .unwrap();
        watcher.kill();
    }
    assert_eq!(
        (north.client(&kept)["status"].as_str(), north.client(&forgotten)["status"].as_str()),
        (Some("active"), Some("active"))
    );
    // Nobody can find the fork a second time; and what was taken on can be done now.
    drop(twin);
    fs::write(&token, north.token()).unwrap();
    let [keeps, forgets] = &mut both;
    forgets.forget();
    forgets.run();
    keeps.run();
    reported(&kept, conflict, 60).unwrap();
    let found = reported(&forgotten, conflict, IN_VAIN).unwrap_err();
    assert!(format!("{found:#}").contains("in vain"), "{found:#}");
    forgets.stop();
    keeps.stop();
}
