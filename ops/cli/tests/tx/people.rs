//! What people ask of a route: what is missing, where a packet is, what a chain says by its own proofs.

use super::{Asked, place};
use crate::common::Ran;
use serde_json::Value;

/// `zeugma bridge doctor` of the route between two networks.
fn doctor(one: &Asked<'_>, two: &Asked<'_>, more: &[&str]) -> Ran {
    let (other, trust) = place(two);
    let fixed = ["bridge", "doctor", "--node", one.net.node(0), "--other", &other, "--other-trust", &trust];
    one.desk.run(&[&fixed[..], more, &["--json"]].concat())
}

/// The commands that it names.
fn fixes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter_map(|finding| finding["fix"].as_str()).map(ToOwned::to_owned).collect()
}

pub(crate) fn nothing_is_there_yet(one: &Asked<'_>, two: &Asked<'_>) {
    let told = doctor(one, two, &[]).ends(1);
    let fixes = fixes(&told.json());
    assert_eq!(fixes.len(), 2, "{fixes:?}");
    assert!(fixes.iter().all(|fix| fix.starts_with("zeugma tx create-client")), "{fixes:?}");
    // A node that does not answer is one finding, and not the end of the look.
    let away = ["bridge", "doctor", "--node", "http://127.0.0.1:1", "--other", one.net.node(0), "--json"];
    let told = one.desk.run(&away).ends(1).json();
    assert_eq!((&told["findings"][0]["ok"], &told["findings"][1]["ok"]), (&false.into(), &true.into()));
}

pub(crate) fn half_a_route(one: &Asked<'_>, two: &Asked<'_>, of_two: &str, of_one: &str) {
    let told = doctor(one, two, &["--client", of_two, "--other-client", of_one]).ends(1);
    let fixes = fixes(&told.json());
    assert_eq!(fixes.len(), 2, "{fixes:?}");
    let register = format!("zeugma tx register-counterparty --client {of_two} --counterparty {of_one}");
    assert!(fixes.iter().any(|fix| fix.starts_with(&register)), "{fixes:?}");
}

pub(crate) fn a_route_that_works(one: &Asked<'_>, two: &Asked<'_>, of_two: &str, of_one: &str) {
    let key = one.desk.run(&["keys", "show", "one/account.json", "--json"]).ends(0).json();
    let account = key["account"].as_str().unwrap();
    let route = ["--client", of_two, "--other-client", of_one];
    doctor(one, two, &[&route[..], &["--relayer", account]].concat()).ends(0);
    let stranger = "5".repeat(64);
    let told = doctor(one, two, &[&route[..], &["--relayer", &stranger]].concat()).ends(1);
    let fixes = fixes(&told.json());
    assert!(fixes.len() == 1 && fixes[0].contains("--grant relayer"), "{fixes:?}");
}

/// A packet that the first network sent the second.
pub(crate) struct Life<'a, 'd> {
    pub(crate) one: &'a Asked<'d>,
    pub(crate) two: &'a Asked<'d>,
    pub(crate) packet: String,
}

impl Life<'_, '_> {
    fn trace(&self) -> Value {
        let ((url_one, trust_one), (url_two, trust_two)) = (place(self.one), place(self.two));
        let asked = ["packet", "trace", &self.packet, "--node", &url_one, "--trust", &trust_one];
        let other = ["--other", &url_two, "--other-trust", &trust_two, "--json"];
        self.one.desk.run(&[&asked[..], &other].concat()).ends(0).json()
    }

    #[track_caller]
    fn steps(&self, expected: &[&str]) -> Value {
        let told = self.trace();
        let steps = told["steps"].as_array().unwrap();
        let what: Vec<&str> = steps.iter().map(|step| step["what"].as_str().unwrap()).collect();
        assert_eq!(what, expected, "{told}");
        // What is said is proved, wherever a certified block covers it by now.
        for step in steps.iter().filter(|step| !step["certified_block"].is_null()) {
            assert!(step["proof_verified"] == true && step["leaf"].is_u64(), "{step}");
        }
        told
    }

    #[track_caller]
    pub(crate) fn waits(&self, what: &str, steps: &[&str]) {
        let told = self.steps(steps);
        assert_eq!(told["ended"], false);
        assert!(told["waits_for"].as_str().unwrap().contains(what), "{told}");
        assert!(told["command"].as_str().unwrap().starts_with("zeugma tx "), "{told}");
    }

    #[track_caller]
    pub(crate) fn ended(&self, steps: &[&str]) {
        let told = self.steps(steps);
        assert_eq!((&told["ended"], &told["waits_for"]), (&true.into(), &Value::Null));
    }
}

/// A light client that needs no account and no relay chain proves new heads of a network.
pub(crate) fn a_light_client_of_its_own(of: &mut Asked<'_>) {
    let (url, trust) = place(of);
    let follow = ["light-client", "follow", "local-zeugma", "--other", &url, "--other-trust", &trust];
    // Something happens meanwhile: an idle chain makes few blocks.
    of.does(&["opaque", "--text", "a block"]);
    let told = of.desk.run(&[&follow[..], &["--heads", "1", "--json"]].concat()).ends(0).json();
    let (from, head) = (told["trusted_from"]["height"].as_u64().unwrap(), told["height"].as_u64().unwrap());
    assert!(head > from && told["heads"].as_array().unwrap().len() == 1, "{told}");
    let without = of.desk.run(&["light-client", "follow", "local-zeugma", "--other", &url]).ends(2);
    assert!(without.err.contains("--other-trust") || without.err.contains("network"), "{}", without.err);
    let unsaid =
        of.desk.run(&["light-client", "follow", "local-cometbft", "--rpc", "http://127.0.0.1:1"]).ends(2);
    assert!(unsaid.err.contains("which header is trusted"), "{}", unsaid.err);
}
