//! A client that nobody refreshed expires, and is recovered by a substitute: a guardian proposes, the network waits, and
//! the substitute's history must continue the client's own.

use crate::chain::{Periods, profile, watched};
use crate::watcher::Watcher;
use crate::world::{RECOVERY_DELAY, north};
use std::path::Path;
use std::time::Duration;
use zeugma_peers::{CometNetwork, Options, Release};

const CHAIN: &str = "expired-10";
const SHORT: Periods = Periods { trusting: 24, unbonding: 40 };
const OTHER: Periods = Periods { trusting: 300, unbonding: 600 };

#[test]
fn an_expired_client_is_recovered_by_a_substitute_after_the_delay() {
    let north = north();
    let options = Options { chain_id: CHAIN.to_owned(), ..Options::default() };
    let chain = CometNetwork::start(Release::V1_0, &[10, 10, 10, 10], &options).unwrap();
    let (first, second) = (chain.rpc(0).url(), chain.rpc(1).url());
    let ((_one, short), (_two, other)) = (profile(CHAIN, SHORT), profile(CHAIN, OTHER));
    let create = |profile: &Path| {
        let profile = profile.to_str().unwrap();
        let begin =
            ["client", "create", "--profile", profile, "--rpc", &first, "--rpc", &second, "--first-use"];
        north.write(&begin).done()["client"].as_str().unwrap().to_owned()
    };

    // While the watcher runs it does not expire, for longer than its period.
    let subject = create(&short);
    let begun = north.height(&subject);
    let mut watcher = Watcher::new(
        "expired",
        &(north.hub("north") + &watched(CHAIN, &[chain.rpc(0), chain.rpc(1)], &[&subject])),
    );
    watcher.run();
    let kept = north.wait_for(&subject, "refreshed", 24, |client| client["latest"].as_u64().unwrap() > begun);
    assert_eq!(kept["status"], "active");
    watcher.stop();

    north.wait_for(&subject, "expired", 60, |client| client["status"] == "expired");
    north.write(&["client", "update", &subject, "--rpc", &first]).refused("ClientExpired");

    let (stranger, substitute) = (create(&other), create(&short));
    let propose = |by: &str| north.write(&["client", "recover", "propose", &subject, "--substitute", by]);
    propose(&stranger).refused("NotContinuous");
    let waiting = propose(&substitute).done();
    assert!(waiting["recovery_ready_at"].is_string(), "{waiting}");
    let finish = || north.write(&["client", "recover", "finish", &subject]);
    finish().refused("TooEarly");
    assert_eq!(north.client(&subject)["status"], "expired");
    std::thread::sleep(Duration::from_secs(RECOVERY_DELAY));
    finish().done();
    let recovered = north.client(&subject);
    assert_eq!(recovered["status"], "active", "{recovered}");
    assert_eq!(recovered["latest"], north.client(&substitute)["latest"]);

    // The same watcher takes it up again.
    watcher.run();
    let height = recovered["latest"].as_u64().unwrap();
    let kept =
        north.wait_for(&subject, "refreshed", 24, |client| client["latest"].as_u64().unwrap() > height);
    assert_eq!(kept["status"], "active");
    watcher.stop();
}
