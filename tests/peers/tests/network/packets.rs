//! Packets between two networks, carried by the watcher: answered, or closed by timeout, and neither lost nor done
//! twice when it is killed in between.

use crate::watcher::Watcher;
use crate::world::{Devnet, north, south};
use serde_json::Value;
use std::time::Duration;
use zeugma_peers::until;

/// A client of `other` on `on`.
fn follow(on: &Devnet, other: &Devnet) -> String {
    let (node, trust) = (other.nodes[0].as_str(), other.trust.to_str().unwrap());
    let begin = ["client", "create", "--profile", "local-zeugma", "--other", node, "--other-trust", trust];
    on.write(&begin).done()["client"].as_str().unwrap().to_owned()
}

fn name_counterparty(on: &Devnet, client: &str, counterparty: &str) {
    on.write(&["tx", "register-counterparty", "--client", client, "--counterparty", counterparty]).done();
}

/// Sends a packet, and gives its number.
fn send(from: &Devnet, client: &str, seconds: u64) -> u64 {
    let (timeout, text) = (seconds.to_string(), "the court has ruled");
    let sent = from.write(&["tx", "send", "--client", client, "--timeout", &timeout, "--text", text]).done();
    let events = sent["events"].as_array().unwrap();
    events.iter().find_map(|event| event["sequence"].as_u64()).unwrap()
}

/// Where a packet stands, over both APIs.
struct Route<'r> {
    from: (&'r Devnet, &'r str),
    to: (&'r Devnet, &'r str),
}

impl Route<'_> {
    /// Waits until the sender has no commitment any more; gives what the receiver holds.
    #[track_caller]
    fn settled(&self, sequence: u64, seconds: u64) -> Value {
        let slots = |(at, client): (&Devnet, &str)| at.api(&format!("/v1/packets/{client}/{sequence}"));
        until(&format!("packet {sequence} to be settled"), Duration::from_secs(seconds), || {
            std::thread::sleep(Duration::from_millis(200));
            Ok(slots(self.from)["commitment"].is_null().then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error:#}: {} {}", slots(self.from), slots(self.to)));
        slots(self.to)
    }
}

#[test]
fn packets_between_two_networks_are_answered_or_closed_whatever_happens_to_the_watcher() {
    let (north, south) = std::thread::scope(|scope| {
        let south = scope.spawn(south);
        (north(), south.join().unwrap())
    });
    let (on_north, on_south) = (follow(north, south), follow(south, north));
    let route = format!(
        "{}{}[[route]]\nname = \"r\"\na = {{ hub = \"north\", client = \"{on_north}\" }}\nb = {{ hub = \"south\", client \
         = \"{on_south}\" }}\n",
        north.hub("north"),
        south.hub("south")
    );
    let mut watcher = Watcher::new("packets", &route);
    name_counterparty(north, &on_north, &on_south);
    name_counterparty(south, &on_south, &on_north);
    assert_eq!(watcher.wrong(), [""; 0]);
    let there = Route { from: (north, &on_north), to: (south, &on_south) };
    let back = Route { from: (south, &on_south), to: (north, &on_north) };

    watcher.run();
    let answered = |slots: &Value| {
        assert!(slots["receipt"] == "received" && slots["acknowledgement"].is_string(), "{slots}")
    };
    answered(&there.settled(send(north, &on_north, 600), 40));
    answered(&back.settled(send(south, &on_south, 600), 40));

    // Killed at three moments of a packet's way.
    for millis in [100, 900, 1_800] {
        let packet = send(north, &on_north, 600);
        std::thread::sleep(Duration::from_millis(millis));
        watcher.kill();
        watcher.run();
        answered(&there.settled(packet, 60));
    }
    assert_eq!(watcher.metric("zeugma_relay_submissions_total{chain=\"south\",result=\"refused\"}"), None);

    // Nobody carries this one in time.
    watcher.kill();
    let late = send(north, &on_north, 4);
    std::thread::sleep(Duration::from_secs(5));
    watcher.run();
    let slots = there.settled(late, 60);
    assert_eq!(
        (slots["receipt"].as_str(), slots["acknowledgement"].as_str()),
        (Some("closed"), None),
        "{slots}"
    );
    let open = "zeugma_relay_open_packets{route=\"r/a-to-b\"}";
    until("no packet to be open", Duration::from_secs(20), || {
        Ok(watcher.metric(open).filter(|open| *open == 0))
    })
    .unwrap();
    watcher.stop();
}
