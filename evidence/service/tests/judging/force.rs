//! Whether a pack was in force is shown by the relay chain, or said not to be confirmed.

use crate::chain::Chain;
use crate::world::*;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use zeugma_evidence_service::keys::Keys;
use zeugma_evidence_verify::report::{Line, Word};
use zeugma_evidence_verify::{Policy, Question, Subject, verify};
use zeugma_ledger::bounded::Text;
use zeugma_ledger::registry::Kind;
use zeugma_ledger::tx::{RevokeDigest, SetDigest};
use zeugma_proof::body::{Body, Neighbour};
use zeugma_proof::{Expected, Reliance, verify_expected};
use zeugma_types::{BlockTime, Decode as _, Encode as _, HashSuite};

/// A relay chain that knows the service's account, and the part of the configuration that names it.
pub(crate) fn chain(folder: &Path) -> (Chain, String) {
    let log = folder.join("log");
    std::fs::create_dir_all(&log).unwrap();
    let account = Keys::open(&log.join("keys.json")).unwrap().account;
    let chain = Chain::start(&account);
    let trust = folder.join("trust.zeugma");
    std::fs::write(&trust, chain.trust_file().to_bytes()).unwrap();
    let text = format!("[chain]\nnode = \"{}\"\ntrust = {trust:?}\nanchor_seconds = 1\n", chain.url());
    (chain, text)
}

fn set(digest: [u8; 32]) -> zeugma_ledger::Message {
    SetDigest { kind: Kind::RulePack, name: Text::new("court-filing").unwrap(), digest }.into()
}

#[test]
fn a_verdict_is_confirmed_by_the_standing_that_ends_its_epoch_and_by_no_other() {
    let folder = TempDir::new().unwrap();
    let (chain, network) = chain(folder.path());
    let extra = network + rules("").as_str() + configured(folder.path(), "").as_str();
    let service = Service::start(config(folder.path(), &extra));
    let force = |index| service.judged(index)["verdicts"][0]["in_force"].clone();

    // Before it is registered, and while the epoch goes on, nothing is confirmed.
    service.deposit(&[lawful(b"early")]);
    assert_eq!(force(0)["confirmed"], false);
    chain.submit(set([7; 32]));
    chain.end_epoch();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(force(0)["confirmed"], false, "another digest is registered");
    chain.submit(set(pack().digest()));
    chain.settle();
    service.deposit(&[lawful(b"during")]);
    assert_eq!(force(1)["confirmed"], false);

    chain.end_epoch();
    until("the standing confirms what came before it", || force(1)["confirmed"] == true);
    assert_eq!(force(0)["confirmed"], false, "the verdict is older than the registration");

    // Both proofs are whole by themselves, and the neighbour stands in the list.
    let shown = force(1);
    let bytes = |name: &str| hex::decode(shown[name].as_str().unwrap()).unwrap();
    let trust = chain.trust_file();
    let trust = trust.at(trust.issued_at, Reliance::Court);
    let proven = |bytes: &[u8]| verify_expected(bytes, &trust, Expected { path: None, value: None }).unwrap();
    let (registered, standing) = (proven(&bytes("registered")), proven(&bytes("standing")));
    let Some(Body::Registered(said)) = registered.body() else { panic!("{registered:?}") };
    assert_eq!(said.digest, Some(pack().digest()));
    let Some(Body::Standing(said)) = standing.body() else { panic!("{standing:?}") };
    let neighbour = Neighbour::from_bytes(&bytes("neighbour")).unwrap();
    said.verify_presence(&neighbour).unwrap();
    assert_eq!(neighbour.entry.leaf, registered.leaf().hash(HashSuite::Sha256));

    // The bundle carries them, and an offline verifier says so: of the later entry, and not of the earlier.
    let shown_by_bundle = |index: u64| {
        let bytes = service.bytes(&format!("/v1/entries/0/{index}/bundle"));
        let policy = Policy::from_bytes(&service.bytes("/v1/policy")).unwrap();
        let (trust, subject) = (chain.trust_file(), Subject::Nothing);
        let time = BlockTime::new(trust.issued_at.get() + 60_000);
        let question = Question { bundle: &bytes, subject, trust: &trust, policy: &policy, time };
        let report = verify(&question).unwrap();
        let has = |lines: &[Line], word| lines.iter().any(|line| line.word == word);
        (has(&report.shown, Word::PackInForce), has(&report.not_shown, Word::PackForceNotShown))
    };
    assert_eq!((shown_by_bundle(1), shown_by_bundle(0)), ((true, false), (false, true)));

    // Taken out of force: what was given before stays confirmed, what comes after is not.
    let name = Text::new("court-filing").unwrap();
    chain.submit(RevokeDigest { kind: Kind::RulePack, name }.into());
    chain.settle();
    service.deposit(&[lawful(b"late")]);
    service.judged(2);
    chain.end_epoch();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!((&force(1)["confirmed"], &force(2)["confirmed"]), (&json!(true), &json!(false)));
    service.end();

    // The proofs are durable: nobody is asked for them again.
    chain.set_away(true);
    let service = Service::start(config(folder.path(), &extra));
    let told: Value = service.judged(1);
    assert_eq!(told["verdicts"][0]["in_force"], shown);
    service.end();
}

#[test]
fn a_pack_that_waits_for_the_anchor_judges_what_it_shows_and_is_replayed_from_the_bundle() {
    use zeugma_evidence_rules::Verdict;
    use zeugma_evidence_rules::replay::{Replay, replay};
    use zeugma_evidence_service::judging::facts::{When, of_bundle};
    let folder = TempDir::new().unwrap();
    let (_chain, network) = chain(folder.path());
    let extra = network + rules("").as_str() + configured(folder.path(), "when = \"anchored\"\n").as_str();
    let service = Service::start(config(folder.path(), &extra));
    service.deposit(&[lawful(b"one")]);
    let told = service.judged(0);
    assert_eq!(told["state"], "anchored", "{told}");
    let heads = &told["verdicts"][0]["heads"];
    assert_eq!((&heads["authenticity"], &heads["legality"]), (&json!("met"), &json!("met")));
    let bundle =
        zeugma_evidence_verify::Bundle::from_bytes(&service.bytes("/v1/entries/0/0/bundle")).unwrap();
    let recorded = Verdict::from_bytes(&bundle.verdicts[0].statement).unwrap();
    let facts = of_bundle(&bundle, When::Anchored).unwrap();
    assert_eq!(replay(&recorded, &pack(), &facts).unwrap(), Replay::Same);
    assert_ne!(facts.digest(), of_bundle(&bundle, When::Received).unwrap().digest());
    service.end();
}
