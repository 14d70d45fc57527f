//! Every message of the ledger, asked of running networks by its command alone.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;
#[path = "tx/holds.rs"]
mod holds;
#[path = "tx/people.rs"]
mod people;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Desk, Net, Ran};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use zeugma_adapter_core::Family as _;
use zeugma_adapter_zeugma::{Certified, Profile, State, Update, Zeugma};
use zeugma_crypto::hash::sha256;
use zeugma_ledger::Message;
use zeugma_ledger::gov::Change;
use zeugma_proof::testkit::TestNetwork;
use zeugma_proof::{Header, LeafFormat};
use zeugma_types::{
    BodyRoot, ClientId, Encode as _, HashSuite, LeafPath, Sequence, Span, Value as Commitment,
};

/// Longest wait for what comes by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// One network, and which messages it was asked.
struct Asked<'d> {
    desk: &'d Desk,
    net: &'d Net,
    messages: BTreeSet<String>,
}

impl<'d> Asked<'d> {
    fn of(desk: &'d Desk, net: &'d Net) -> Self {
        Self { desk, net, messages: BTreeSet::new() }
    }

    /// Asks, and fails the test unless it took effect. Gives the report.
    #[track_caller]
    fn does(&mut self, arguments: &[&str]) -> Value {
        self.does_as(self.net.said["account"].as_str().unwrap(), arguments)
    }

    #[track_caller]
    fn does_as(&mut self, key: &str, arguments: &[&str]) -> Value {
        let report = self.net.tx_of(self.desk, key, arguments).ends(0).json();
        for message in report["asked"].as_array().unwrap() {
            self.messages.insert(message.as_str().unwrap().to_owned());
        }
        assert!(report["messages"].as_array().unwrap().iter().all(|one| one == "applied"), "{report}");
        report
    }

    #[track_caller]
    fn refuses(&self, code: u64, arguments: &[&str]) {
        let ran = self.net.tx(self.desk, arguments).ends(1);
        assert_eq!(ran.json()["refused"]["code"], code, "{}", ran.err);
        assert!(ran.err.contains("what to do: "), "no advice: {}", ran.err);
    }

    /// Asks a node until what it tells is so.
    #[track_caller]
    fn until(&self, arguments: &[&str], so: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let told: Ran = self.net.query(self.desk, arguments);
            if told.code == 0 && so(&told.json()) {
                return told.json();
            }
            assert!(Instant::now() < end, "{arguments:?}: {} {}", told.out, told.err);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The event of that name in a report.
#[track_caller]
fn event<'r>(report: &'r Value, name: &str) -> &'r Value {
    let mut events = report["events"].as_array().unwrap().iter();
    events.find(|event| event["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"))
}

/// A checkpoint of a log as C2SP's signed note, written here from the standard.
fn note(origin: &str, key: &SigningKey, size: u64, root: [u8; 32]) -> String {
    let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root));
    let public = key.verifying_key().to_bytes();
    let id = sha256(&[origin.as_bytes(), b"\n", &[1], &public]);
    let signed = [&id[..4], &key.sign(text.as_bytes()).to_bytes()].concat();
    format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(signed))
}

fn logs(desk: &Desk, asked: &mut Asked<'_>) {
    let (origin, key) = ("log.example/one", SigningKey::from_bytes(&[7; 32]));
    let public = hex::encode(key.verifying_key().to_bytes());
    desk.put("one.note", note(origin, &key, 2, [1; 32]));
    desk.put("other.note", note(origin, &key, 2, [2; 32]));
    asked.refuses(560, &["anchor", "--origin", origin, "--note", "one.note"]);
    asked.does(&["register-origin", "--origin", origin, "--log-key", &public]);
    asked.does(&["anchor", "--origin", origin, "--note", "one.note"]);
    asked
        .refuses(566, &["report-split-view", "--origin", origin, "--one", "one.note", "--other", "one.note"]);
    let report = &["report-split-view", "--origin", origin, "--one", "one.note", "--other", "other.note"];
    let split = asked.does(report);
    event(&split, "split-view-recorded");
}

fn registry(desk: &Desk, asked: &mut Asked<'_>) {
    desk.put("rules.pack", "authenticity first");
    let name = ["--kind", "rule-pack", "--name", "court/2026"];
    asked.refuses(567, &[&["revoke-digest"][..], &name].concat());
    asked.does(&[&["set-digest", "--file", "rules.pack"][..], &name].concat());
    let entry = asked.until(&["registry", "rule-pack", "court/2026"], |entry| entry["in_force"] == true);
    assert_eq!(entry["digest"], hex::encode(sha256(&[b"authenticity first"])));
    asked.does(&[&["revoke-digest"][..], &name].concat());
    asked.until(&["registry", "rule-pack", "court/2026"], |entry| entry["in_force"] == false);

    // A frozen asset is found under the digest of its name.
    let asset = ["--kind", "halt", "--asset", "transfer/zeugma-0/coin"];
    let order = "07".repeat(32);
    asked.does(&[&["set-digest", "--digest", &order][..], &asset].concat());
    let name = hex::encode(sha256(&[b"transfer/zeugma-0/coin"]));
    let entry = asked.until(&["registry", "halt", &name], |entry| entry["in_force"] == true);
    assert_eq!(entry["digest"], order);
    asked.does(&[&["revoke-digest"][..], &asset].concat());

    // Nothing of it ever came in: there is nothing to see, and nothing to send.
    let found = asked.until(&["asset", "transfer/zeugma-0/coin", "--client", "zeugma-0"], |_| true);
    assert_eq!((&found["in_all"], &found["went_out"]), (&"0".into(), &"0".into()));
}

fn governance(desk: &Desk, asked: &mut Asked<'_>) -> BTreeSet<&'static str> {
    let bob = desk.run(&["keys", "new", "account", "--out", "bob.json", "--json"]).ends(0).json();
    let bob_id = bob["account"].as_str().unwrap();
    // Bob is nobody yet.
    let unknown = asked.net.tx_of(desk, "bob.json", &["approve", "--proposal", "0"]).ends(1);
    assert_eq!(unknown.json()["refused"]["name"], "NotThere");
    asked.refuses(580, &["approve", "--proposal", "99"]);
    let role = asked.does(&["propose", "roles", "--of", bob_id, "--grant", "governor"]);
    event(&role, "change-scheduled");
    asked.until(&["account", bob_id], |account| account["roles"] == "governor");

    let limit =
        ["propose", "limit", "--client", "zeugma-0", "--denom", "transfer/zeugma-0/coin", "--capacity"];
    asked.refuses(584, &[&limit[..], &[&format!("{}", zeugma_ledger::app::transfer::Amount::MAX)]].concat());
    event(&asked.does(&[&limit[..], &["1000", "--refill-seconds", "60"]].concat()), "change-scheduled");

    let usage = asked.net.tx(desk, &["propose", "parameters"]).ends(2);
    assert!(usage.err.contains("stay as they are"), "{}", usage.err);
    asked.refuses(584, &["propose", "parameters", "--notice", "0"]);
    asked.does(&["propose", "parameters", "--governors-needed", "2"]);
    asked.until(&["parameters"], |parameters| parameters["governors_needed"] == 2);

    let upgrade = asked.does(&["propose", "upgrade", "--program", "9", "--activation", "100000"]);
    let number = event(&upgrade, "change-proposed")["proposal"].to_string();
    let waits = asked.until(&["proposal", &number], |_| true);
    assert_eq!((&waits["change"]["program"], waits["approvals"].as_array().unwrap().len()), (&9.into(), 1));
    asked.refuses(581, &["approve", "--proposal", &number]);
    let approved = asked.does_as("bob.json", &["approve", "--proposal", &number]);
    assert_eq!(event(&approved, "change-scheduled")["activation"], 100_000);
    let schedule = asked.until(&["schedule"], |schedule| schedule["changes_that_wait"] == 1);
    assert_eq!(schedule["waiting"][0]["change"]["kind"], "upgrade");
    let withdraw = asked.does(&["propose", "withdraw", "--proposal", &number]);
    let withdraw = event(&withdraw, "change-proposed")["proposal"].to_string();
    let gone = asked.does_as("bob.json", &["approve", "--proposal", &withdraw]);
    event(&gone, "change-withdrawn");
    BTreeSet::from(["roles", "limit", "delay", "parameters", "upgrade", "withdraw"])
}

/// A chain of which two histories are shown, and the client that recovers by a substitute.
fn clients(desk: &Desk, asked: &mut Asked<'_>) {
    let mut chain = TestNetwork::new(4);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let behind = u64::try_from(now).unwrap() - chain.time().get() - 60_000;
    chain.wait(Span::millis(behind));
    let path = LeafPath::closed(&ClientId::new("client-1").unwrap(), Sequence::new(7));
    let index = chain.say(LeafFormat::Sha256, path, Commitment::new([5; 32]));
    let first = chain.close_block();
    let profile = Profile {
        network: chain.network,
        trusting_period: Span::seconds(24 * 60 * 60),
        drift: Span::seconds(10),
    };
    let key = chain.keys.committee.group_key.clone();
    desk.put("profile.bin", profile.to_bytes());
    let create = |desk: &Desk, asked: &mut Asked<'_>, header: &Header| {
        desk.put("state.bin", State::of(header, key.clone()).to_bytes());
        let family = Zeugma::NUMBER.to_string();
        let made = asked.does(&[
            "create-client",
            "--family",
            &family,
            "--profile",
            "profile.bin",
            "--state",
            "state.bin",
        ]);
        event(&made, "client-created")["client"].as_str().unwrap().to_owned()
    };
    let client = create(desk, asked, &first);

    let second = chain.close_block();
    let certificate = chain.headers.last().unwrap().1;
    let update = Update { handovers: Vec::new(), target: Certified { header: second.clone(), certificate } };
    desk.put("update.bin", update.to_bytes());
    asked.does(&["update-client", "--client", &client, "--update", "update.bin"]);
    asked.refuses(527, &["propose-recovery", "--client", &client, "--substitute", &client]);

    let mut other = second.clone();
    other.body = BodyRoot::new([9; 32]);
    let forged = chain.certify(&chain.keys, &other);
    desk.put("one.proof", chain.prove(index).to_bytes());
    desk.put("other.proof", chain.prove_under(index, HashSuite::Sha256, &other, forged).to_bytes());
    asked.refuses(415, &["submit-misbehaviour", "--client", &client, "--proofs", "one.proof", "one.proof"]);
    let frozen =
        asked.does(&["submit-misbehaviour", "--client", &client, "--proofs", "one.proof", "other.proof"]);
    event(&frozen, "client-frozen");
    asked.until(&["client", &client], |told| told["status"] == "frozen");

    let third = chain.close_block();
    let substitute = create(desk, asked, &third);
    asked.refuses(529, &["finish-recovery", "--client", &client]);
    let recover = ["propose-recovery", "--client", client.as_str(), "--substitute", &substitute];
    asked.does(&recover);
    asked.until(&["recovery", &client], |told| told["substitute"] == substitute.as_str());
    asked.does(&["cancel-recovery", "--client", &client]);
    asked.does(&recover);
    let end = Instant::now() + PATIENCE;
    loop {
        let ran = asked.net.tx(desk, &["finish-recovery", "--client", &client, "--dry-run"]);
        if ran.code == 0 {
            break;
        }
        assert_eq!(ran.json()["refused"]["name"], "TooEarly", "{}", ran.err);
        assert!(Instant::now() < end, "the delay of two seconds does not pass");
        std::thread::sleep(Duration::from_millis(300));
    }
    let recovered = asked.does(&["finish-recovery", "--client", &client]);
    assert_eq!(event(&recovered, "client-recovered")["substitute"], substitute.as_str());
    asked.until(&["client", &client], |told| told["status"] == "active");
}

fn packets(one: &mut Asked<'_>, two: &mut Asked<'_>) {
    let ((url_one, trust_one), (url_two, trust_two)) = (place(one), place(two));
    let (from_one, from_two) = (
        ["--other", &url_one, "--other-trust", &trust_one],
        ["--other", &url_two, "--other-trust", &trust_two],
    );
    people::nothing_is_there_yet(one, two);
    let created = |report: &Value| event(report, "client-created")["client"].as_str().unwrap().to_owned();
    let of_two = created(&one.does(&[&["create-client"][..], &from_two].concat()));
    let of_one = created(&two.does(&[&["create-client"][..], &from_one].concat()));
    one.refuses(522, &["send", "--client", &of_two, "--text", "too early"]);
    people::half_a_route(one, two, &of_two, &of_one);
    one.does(&["register-counterparty", "--client", &of_two, "--counterparty", &of_one]);
    two.does(&["register-counterparty", "--client", &of_one, "--counterparty", &of_two]);
    two.does(&[&["update-client", "--client", &of_one][..], &from_one].concat());

    let sent = |report: &Value| event(report, "packet-sent")["sequence"].to_string();
    let packet = sent(&one.does(&["send", "--client", &of_two, "--text", "the parties agree"]));
    let named = ["--client", of_two.as_str(), "--sequence", &packet];
    people::a_route_that_works(one, two, &of_two, &of_one);
    let life = people::Life { one, two, packet: format!("{of_two}/{packet}") };
    life.waits("a relayer to bring it", &["sent"]);
    two.does(&[&["receive"][..], &from_one, &named].concat());
    let life = people::Life { one, two, packet: format!("{of_two}/{packet}") };
    life.waits("a relayer to bring the answer back", &["sent", "received", "answered: success"]);
    one.does(&[&["acknowledge"][..], &from_two, &named].concat());
    let life = people::Life { one, two, packet: format!("{of_two}/{packet}") };
    life.ended(&["sent", "received", "answered: success", "acknowledged: success"]);

    let late = sent(&one.does(&["send", "--client", &of_two, "--text", "too late", "--timeout", "3"]));
    let named = ["--client", of_two.as_str(), "--sequence", &late];
    std::thread::sleep(Duration::from_secs(4));
    let life = people::Life { one, two, packet: format!("{of_two}/{late}") };
    life.waits("somebody to close it", &["sent"]);
    two.does(&[&["claim-timeout"][..], &from_one, &named].concat());
    one.does(&[&["timeout"][..], &from_two, &named].concat());
    let life = people::Life { one, two, packet: format!("{of_two}/{late}") };
    life.ended(&["sent", "closed: it can never be received", "timed out: what it carried came back"]);
    people::a_light_client_of_its_own(two);
}

/// Its first node and its trust file.
fn place(of: &Asked<'_>) -> (String, String) {
    (of.net.node(0).to_owned(), of.net.said["trust"].as_str().unwrap().to_owned())
}

#[test]
fn every_message_and_every_change_is_asked_of_a_running_network_by_its_command() {
    let desk = Desk::new();
    let net = Net::start(&desk, "one", &["--notice", "1", "--recovery-delay", "2"]);
    let mut asked = Asked::of(&desk, &net);

    // A dry run changes nothing, and refuses as the network would.
    let id = desk.run(&["keys", "show", "one/account.json", "--json"]).ends(0).json();
    let id = id["account"].as_str().unwrap();
    let dry = net.tx(&desk, &["opaque", "--text", "hello", "--dry-run"]).ends(0).json();
    assert_eq!((&dry["dry_run"], &dry["asked"][0]), (&true.into(), &"opaque".into()), "{dry}");
    assert!(dry["cost"].as_u64().unwrap() > 0 && dry["most_cost"].as_u64() > dry["cost"].as_u64());
    let refused = net.tx(&desk, &["finish-recovery", "--client", "zeugma-9", "--dry-run"]).ends(1);
    assert_eq!(refused.json()["refused"]["name"], "NoRecovery", "{}", refused.err);
    assert!(refused.err.contains("not sent"), "{}", refused.err);
    assert_eq!(net.query(&desk, &["account", id]).ends(0).json()["highest_sequence"], 0);
    let done = asked.does(&["opaque", "--text", "hello"]);
    assert_eq!(net.query(&desk, &["account", id]).ends(0).json()["highest_sequence"], 1);
    let found = net.query(&desk, &["tx", done["transaction"].as_str().unwrap()]).ends(0).json();
    assert_eq!(found["status"], "final");

    logs(&desk, &mut asked);
    registry(&desk, &mut asked);
    clients(&desk, &mut asked);
    holds::holds(&desk, &mut asked);
    {
        let second = Net::start(&desk, "two", &[]);
        let mut other = Asked::of(&desk, &second);
        packets(&mut asked, &mut other);
        asked.messages.append(&mut other.messages);
    }
    // Last, for two governors are needed from then on.
    let changes = governance(&desk, &mut asked);

    let all: BTreeSet<String> = Message::NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(asked.messages, all, "a message that no command asked for");
    assert_eq!(changes, Change::NAMES.iter().copied().collect(), "a change that no command proposed");
}
