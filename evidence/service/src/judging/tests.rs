//! What no request over HTTP brings about: a child that dies on every entry.
#![allow(clippy::unwrap_used, reason = "a test may")]

use super::hand::{Hand, Round};
use super::*;
use crate::desk::Desk;
use crate::keys::Keys;
use std::sync::Arc;
use tempfile::TempDir;
use zeugma_evidence_log::Record;
use zeugma_evidence_log::record::Field;

fn record(number: u8) -> Record {
    let fields = vec![
        Field::Sha256([number; 32]),
        Field::MediaType("text/plain".into()),
        Field::Size(1),
        Field::Submitter("party".into()),
        Field::Source("archive".into()),
    ];
    Record::new(fields).unwrap()
}

fn desk(folder: &TempDir) -> Arc<Desk> {
    let log = folder.path().join("log");
    let pack = shipped::packs().remove(0);
    let text = format!(
        "[log]\nfolder = {log:?}\norigin = \"log.example/one\"\nsecond = false\n\
         [rules]\nworker = [\"/bin/false\"]\n\
         [[rules.pack]]\nfile = \"{}\"\ndigest = \"{}\"\n",
        pack.name,
        hex::encode(pack.digest())
    );
    let config = Config::from_toml(&text).unwrap();
    crate::files::make_dir(&log).unwrap();
    let keys = Keys::open(&log.join("keys.json")).unwrap();
    Arc::new(Desk::open(&config, keys).unwrap())
}

#[test]
fn a_child_that_dies_gives_no_verdict_and_after_five_tries_the_entry_is_told_to_have_none() {
    let folder = TempDir::new().unwrap();
    let desk = desk(&folder);
    desk.deposit("court", vec![record(1)], None).unwrap();
    let position = Position { shard: 0, index: 0 };
    let mut hand = Hand::new(&desk, 0);
    for _ in 0..4 {
        assert_eq!(hand.round().unwrap_err().code, Code::NoVerdict);
        assert!(desk.judging().told(position).unwrap().is_empty(), "nothing is recorded");
    }
    assert_eq!(hand.round().unwrap(), Round::Done);
    let told = desk.judging().told(position).unwrap();
    let Given::None { why, .. } = &told[0].given else { panic!("{told:?}") };
    assert!(why.contains("aborted without a verdict"), "{why}");
    assert_eq!(hand.round().unwrap(), Round::Idle);
    assert!(desk.judging().verdicts(position).unwrap().is_empty(), "a bundle carries verdicts alone");
    let metrics = desk.judging().text(desk.log());
    for line in
        ["aborted_total{pack=\"spc-online-litigation\"} 5", "missing_total{pack=\"spc-online-litigation\"} 1"]
    {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[test]
fn the_pack_of_the_example_is_the_shipped_one_by_its_digest() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ops/config/evidence.toml");
    let config = Config::from_toml(&std::fs::read_to_string(path).unwrap()).unwrap();
    let judge = Judge::read(&config.rules.pack[0]).unwrap();
    assert!(!judge.is_mandatory());
}

#[test]
fn a_need_names_a_head_or_a_rule_of_the_pack() {
    let pack = shipped::packs().remove(0);
    assert!(matches!(need(&pack, "legality"), Ok(Need::Head(Head::Legality))));
    assert!(matches!(need(&pack, &pack.rules[0].id), Ok(Need::Rule(_))));
    assert_eq!(need(&pack, "no-such-rule").unwrap_err().code, Code::BadRulePack);
}
