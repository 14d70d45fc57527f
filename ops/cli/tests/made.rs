//! Trust files and proofs made for the case at hand: warnings, followed files, hostile names.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Desk, Ran};
use zeugma_proof::testkit::{TestNetwork, institutions};
use zeugma_proof::{
    EraEntry, Institution, Institutions, KeyOrigin, LeafFormat, Reliance, Sunset, TrustFile, verify,
};
use zeugma_types::{BlockTime, ClientId, Encode, LeafPath, Sequence, Value};

const AT: &str = "2026-01-01T00:00:01Z";

/// A desk with a proof, and the network that made it.
fn desk() -> (Desk, TestNetwork) {
    let mut network = TestNetwork::new(9);
    let path = LeafPath::closed(&ClientId::new("client-1").unwrap(), Sequence::new(7));
    let index = network.say(LeafFormat::Sha256, path, Value::new([5; 32]));
    network.close_block();
    let desk = Desk::new();
    let proof = network.prove(index).to_bytes();
    verify(&proof, &network.trust(Reliance::Court)).unwrap();
    desk.put("case.proof", proof);
    (desk, network)
}

fn judge(desk: &Desk, file: &TrustFile, more: &[&str]) -> Ran {
    desk.put("trust.zgt", file.to_bytes());
    desk.run(&[&["verify", "case.proof", "--trust", "trust.zgt", "--time", AT], more].concat())
}

/// The network's file under other eras, unsigned.
fn unsigned(network: &TestNetwork, eras: Vec<EraEntry>) -> TrustFile {
    let file = network.trust_file();
    TrustFile::new(file.network, file.issued_at, file.trusting_period, eras, institutions().1).unwrap()
}

#[test]
fn a_key_of_one_dealer_is_warned_of() {
    let (desk, network) = desk();
    let mut eras = network.eras.clone();
    eras[0].committee.origin = KeyOrigin::InsecureDealer;
    let file = unsigned(&network, eras);
    let words = judge(&desk, &file, &[]).ends(0).out;
    assert!(words.contains("WARNING") && words.contains("one dealer made the group key"), "{words}");
    assert!(words.contains("key made: by ONE DEALER"), "{words}");
    let chinese = judge(&desk, &file, &["--lang", "zh"]).ends(0).out;
    assert!(chinese.contains("警告") && chinese.contains("群密钥由单一分发者生成"), "{chinese}");
    let object = judge(&desk, &file, &["--json"]).ends(0).json();
    assert_eq!(object["committee"]["key_made_by"], "insecure-dealer");
    assert!(object["warnings"][0].as_str().unwrap().contains("one dealer"));
    let shown = desk.run(&["trust", "show", "trust.zgt"]).ends(0).out;
    assert!(shown.contains("WARNING: key made by one dealer"), "{shown}");
}

#[test]
fn an_unsigned_file_an_ended_algorithm_and_a_time_too_early_are_warned_of() {
    let (desk, network) = desk();
    let mut file = unsigned(&network, network.eras.clone());
    file.sunsets = vec![
        Sunset { algorithm: "ed25519".into(), at: BlockTime::new(1_767_225_600_000) },
        Sunset { algorithm: "sha-256".into(), at: BlockTime::new(1_967_225_600_000) },
    ];
    let warnings = |ran: Ran| ran.ends(0).json()["warnings"].to_string();
    let now = warnings(judge(&desk, &file, &["--json"]));
    assert!(now.contains("not signed") && now.contains("ed25519") && !now.contains("sha-256"), "{now}");
    desk.put("trust.zgt", network.trust_file().to_bytes());
    let early = ["verify", "case.proof", "--trust", "trust.zgt", "--time", "2025-12-31T00:00:00Z", "--json"];
    let early = warnings(desk.run(&early));
    assert!(early.contains("younger") && !early.contains("not signed"), "{early}");
    assert_eq!(warnings(judge(&desk, &network.trust_file(), &["--json"])), "[]");
}

#[test]
fn a_newer_file_is_followed_only_under_institutions_that_were_known() {
    let (desk, network) = desk();
    let known = network.trust_file();
    desk.put("old.zgt", known.to_bytes());
    let show = |file: &TrustFile| {
        desk.put("new.zgt", file.to_bytes());
        desk.run(&["trust", "show", "new.zgt", "--signed-by", "old.zgt"])
    };
    assert!(show(&known).ends(0).out.contains("signed by those you knew: yes"));
    let ran = show(&unsigned(&network, network.eras.clone())).ends(1);
    assert!(ran.err.contains("344 TrustFileUnsigned"), "{}", ran.err);
    let mut changed = known.clone();
    changed.issued_at = BlockTime::new(changed.issued_at.get() + 1);
    let ran = show(&changed).ends(1);
    assert!(ran.err.contains("202 BadSignature"), "{}", ran.err);
    let ran = show(&TestNetwork::new(8).trust_file()).ends(1);
    assert!(ran.err.contains("300 WrongNetwork"), "{}", ran.err);
}

#[test]
fn a_name_cannot_steer_the_terminal_of_its_reader() {
    let (desk, network) = desk();
    let mut list = institutions().1.list().to_vec();
    list.push(Institution { name: "evil \u{1b}[2J\u{202e} court".into(), key: [7; 32] });
    let file = network.trust_file();
    let institutions = Institutions::new(1, list).unwrap();
    let (network, at) = (file.network, file.issued_at);
    let file = TrustFile::new(network, at, file.trusting_period, file.eras().to_vec(), institutions).unwrap();
    desk.put("evil.zgt", file.to_bytes());
    let shown = desk.run(&["trust", "show", "evil.zgt"]).ends(0).out;
    assert!(shown.contains("evil \\u{1b}[2J\\u{202e} court"), "{shown}");
    desk.run(&["trust", "export", "evil.zgt", "--form", "json", "--out", "evil.json"]).ends(0);
    assert!(desk.text("evil.json").contains("evil \\u001b[2J\\u202e court"));
    assert_eq!(desk.run(&["trust", "show", "evil.json"]).ends(0).out, shown);
    desk.put("raw.json", desk.text("evil.json").replace("\\u202e", "\u{202e}"));
    assert!(desk.run(&["trust", "show", "raw.json"]).ends(1).err.contains("ViewDiffers"));
}
