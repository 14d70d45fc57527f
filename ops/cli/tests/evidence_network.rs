//! `zeugma evidence serve` on a network of real node processes: the log, the log of acts and the shard that follows are
//! anchored, and one policy judges all shards offline.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::service::{Service, until};
use common::{Desk, Net};
use serde_json::{Value, json};
use zeugma_crypto::hash::sha256;
use zeugma_evidence_verify::Bundle;
use zeugma_types::Decode as _;

fn get(service: &Service, token: &str, path: &str) -> Option<Vec<u8>> {
    let request =
        ureq::get(format!("{}{path}", service.url)).header("authorization", format!("Bearer {token}"));
    request.call().ok()?.body_mut().read_to_vec().ok()
}

fn tenant(name: &str, role: &str) -> String {
    let digest = hex::encode(sha256(&[name.as_bytes()]));
    format!(
        "[[tenant]]\nname = \"{name}\"\npseudonym = \"{name}\"\nrole = \"{role}\"\ntoken_sha256 = \"{digest}\"\n"
    )
}

/// A service whose account is the network's founding one.
fn service(desk: &Desk, net: &Net) -> Service {
    std::fs::create_dir(desk.path("evidence")).unwrap();
    let account: Value = serde_json::from_str(&desk.text("net/account.json")).unwrap();
    let seed = |of: &str| hex::encode(sha256(&[of.as_bytes()]));
    let mut keys = json!({ "format": "zeugma-evidence-keys-1", "account": account["secret"] });
    for name in ["log", "log_mldsa44", "second", "second_mldsa44", "desk"] {
        keys[name] = seed(name).into();
    }
    desk.put("evidence/keys.json", keys.to_string());
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(desk.path("evidence/keys.json"), mode).unwrap();
    let chain =
        format!("[chain]\nnode = \"{}\"\ntoken_file = \"net/token\"\nanchor_seconds = 1\n", net.node(0));
    let tenants = [tenant("party", "party"), tenant("operator", "operator"), tenant("auditor", "regulator")];
    let more = [chain, tenants.concat()].concat();
    Service::with(desk, "127.0.0.1:0", "origin = \"log.example/one\"", &more)
}

#[test]
fn log_acts_and_the_next_shard_are_anchored_and_one_policy_judges_every_shard_offline() {
    let desk = Desk::new();
    let net = Net::start(&desk, "net", &[]);
    let service = service(&desk, &net);
    for name in ["party", "operator", "auditor"] {
        desk.put(name, name);
    }
    let at = ["--service", service.url.as_str()];
    let as_of = |token: &str, arguments: &[&str]| {
        desk.run(&[&["evidence"], arguments, &at, &["--token-file", token]].concat())
    };
    desk.put("one", "exhibit one");
    desk.put("two", "exhibit two");
    as_of("party", &["deposit", "one"]).ends(0);
    let anchored = |entry: &str| {
        until(&format!("{entry} anchored"), || {
            let path = format!("/v1/entries/{entry}?wait=20&for=anchored");
            let told = get(&service, "party", &path).unwrap();
            let told: Value = serde_json::from_slice(&told).unwrap();
            told["state"] == "anchored"
        });
    };
    anchored("0/0");
    // The court's policy, fetched once.
    desk.put("policy", get(&service, "party", "/v1/policy").unwrap());

    // The acts so far are anchored too, in the log of acts.
    let acts = get(&service, "auditor", "/v1/audit?limit=1").unwrap();
    let mut act: Value = serde_json::from_slice::<Value>(&acts).unwrap()["acts"][0].clone();
    until("the anchor of the log of acts", || {
        let Some(bytes) = get(&service, "auditor", "/v1/audit/0/0/bundle") else { return false };
        let anchored = Bundle::from_bytes(&bytes).unwrap().proof.is_some();
        desk.put("act.bundle", bytes);
        anchored
    });
    desk.put("act.policy", get(&service, "auditor", "/v1/audit/policy").unwrap());
    for name in ["shard", "index"] {
        act.as_object_mut().unwrap().remove(name);
    }
    desk.put("act", act.to_string());

    // A new shard opens while it serves, and is anchored under its own origin.
    let rolled = as_of("operator", &["roll", "log.example/one/shard/2027", "--json"]).ends(0).json();
    assert_eq!(rolled["shard"], 1);
    as_of("party", &["deposit", "two"]).ends(0);
    anchored("1/0");
    desk.put("two.bundle", get(&service, "party", "/v1/entries/1/0/bundle").unwrap());
    desk.put("one.bundle", get(&service, "party", "/v1/entries/0/0/bundle").unwrap());
    service.end();
    drop(net);

    // Everybody is gone. One policy judges both shards; the log of acts has its own.
    let judge = |bundle: &str, file: &str, policy: &str| {
        desk.run(&["verify", bundle, file, "--policy", policy, "--trust", "net/trust.json", "--json"])
    };
    let words = |report: &Value| -> Vec<String> {
        let shown = report["shown"].as_array().unwrap().iter();
        shown.map(|line| line["word"].as_str().unwrap().to_owned()).collect()
    };
    for (bundle, file, policy, shard) in [
        ("one.bundle", "one", "policy", false),
        ("two.bundle", "two", "policy", true),
        ("act.bundle", "act", "act.policy", false),
    ] {
        let report = judge(bundle, file, policy).ends(0).json();
        assert_eq!(report["integrity"], "proven", "{bundle}: {report}");
        let words = words(&report);
        assert!(words.iter().any(|word| word == "Anchored"), "{bundle}: {report}");
        assert_eq!(words.iter().any(|word| word == "InShard"), shard, "{bundle}: {report}");
        let other = if file == "one" { "two" } else { "one" };
        judge(bundle, other, policy).ends(1);
    }
    assert!(judge("act.bundle", "act", "policy").ends(1).err.contains("563"));
    assert!(judge("two.bundle", "two", "act.policy").ends(1).err.contains("563"));
}
