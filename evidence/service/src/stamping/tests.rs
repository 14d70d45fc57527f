//! What no request over HTTP brings about: crashes between two writes, damage, an anchored log, a clock set wrong.
#![allow(clippy::unwrap_used, reason = "a test may")]

use super::hand::Taker;
use super::*;
use crate::anchors::Anchored;
use crate::desk::Desk;
use crate::keys::Keys;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use zeugma_evidence_anchors::Client;
use zeugma_evidence_anchors::testkit::{Hosted, Manner, OpensslAuthority};
use zeugma_evidence_log::Record;
use zeugma_evidence_log::record::Field;

struct World {
    folder: TempDir,
    hosted: Hosted,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let one = Arc::new(OpensslAuthority::new(&folder.path().join("one"), "one"));
        let hosted = Hosted::new(Arc::clone(&one), one, Manner::Honest);
        Self { folder, hosted }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn desk(&self) -> Arc<Desk> {
        let (log, url, root) = (self.log(), self.hosted.url(), self.hosted.authority.root());
        let text = format!(
            "[log]\nfolder = {log:?}\norigin = \"log.example/one\"\nsecond = false\n\
             [[authority]]\ninstitution = \"institute\"\nurl = \"{url}\"\nanchor = {root:?}\n"
        );
        let config = Config::from_toml(&text).unwrap();
        crate::files::make_dir(&log).unwrap();
        let keys = Keys::open(&log.join("keys.json")).unwrap();
        Arc::new(Desk::open(&config, keys).unwrap())
    }
}

/// Logs one more entry and keeps its checkpoint as an anchored one; gives the size.
fn anchor(desk: &Desk, number: u8) -> u64 {
    let fields = vec![
        Field::Sha256([number; 32]),
        Field::MediaType("text/plain".into()),
        Field::Size(1),
        Field::Submitter("party".into()),
        Field::Source("archive".into()),
    ];
    desk.deposit("court", vec![Record::new(fields).unwrap()], None).unwrap();
    desk.publish().unwrap();
    let notes = desk.notes(0).unwrap().unwrap();
    let anchored = Anchored { first: notes.first, second: notes.second, proof: vec![1] };
    desk.anchors().keep(0, notes.size.get(), &anchored).unwrap();
    notes.size.get()
}

fn hand(desk: &Arc<Desk>) -> Hand {
    Hand::new(Arc::clone(desk), Client::new(Duration::from_secs(10)), 0)
}

fn taker(desk: &Arc<Desk>) -> Taker {
    Taker::new(Arc::clone(desk), Source::Anchored)
}

fn complete(desk: &Desk, size: u64) -> bool {
    let legs = desk.stamping().stood(0, size).unwrap();
    legs.len() == 1 && legs[0].leg.got.is_some()
}

#[test]
fn each_anchored_checkpoint_gets_one_request_and_an_older_log_begins_with_its_newest() {
    let world = World::new();
    let desk = world.desk();
    let (old, newest) = (anchor(&desk, 1), anchor(&desk, 2));
    let (mut taker, hand) = (taker(&desk), hand(&desk));
    taker.round().unwrap();
    assert!(hand.round().unwrap() && !hand.round().unwrap());
    assert!(desk.stamping().stood(0, old).unwrap().is_empty() && complete(&desk, newest));
    let later = [anchor(&desk, 3), anchor(&desk, 4)];
    taker.round().unwrap();
    assert_eq!(desk.stamping().doing()[0].pending, 2);
    assert!(hand.round().unwrap() && hand.round().unwrap() && !hand.round().unwrap());
    assert!(later.iter().all(|size| complete(&desk, *size)));
    assert_eq!(world.hosted.asked(), 3);
}

#[test]
fn what_was_anchored_while_nobody_asked_is_taken_up_after_a_restart() {
    let world = World::new();
    let desk = world.desk();
    anchor(&desk, 1);
    taker(&desk).round().unwrap();
    let missed = [anchor(&desk, 2), anchor(&desk, 3)];
    drop(desk);
    let desk = world.desk();
    taker(&desk).round().unwrap();
    let hand = hand(&desk);
    while hand.round().unwrap() {}
    assert!(missed.iter().all(|size| complete(&desk, *size)));
}

#[test]
fn a_crash_between_the_whole_file_and_the_end_of_the_pending_one_asks_for_nothing_again() {
    let world = World::new();
    let desk = world.desk();
    let size = anchor(&desk, 1);
    taker(&desk).round().unwrap();
    let (whole, pending) = (world.log().join("stamps/0/1"), world.log().join("stamps/0/1.pending"));
    let before = std::fs::read(&pending).unwrap();
    hand(&desk).round().unwrap();
    assert!(whole.exists() && !pending.exists());
    std::fs::write(&pending, before).unwrap();
    drop(desk);
    let desk = world.desk();
    assert!(!hand(&desk).round().unwrap() && complete(&desk, size) && !pending.exists());
}

#[test]
fn a_damaged_file_is_never_served_and_its_checkpoint_is_asked_for_anew() {
    let world = World::new();
    let desk = world.desk();
    let size = anchor(&desk, 1);
    let mut taker = taker(&desk);
    taker.round().unwrap();
    let path = world.log().join("stamps/0/1.pending");
    let flip = || {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    };
    // Found while it runs.
    flip();
    assert_eq!(desk.stamping().stood(0, size).unwrap_err().code, Code::Damaged);
    assert_eq!(hand(&desk).round().unwrap_err().code, Code::Damaged);
    taker.round().unwrap();
    // Found at a start.
    flip();
    drop((taker, desk));
    let desk = world.desk();
    self::taker(&desk).round().unwrap();
    assert!(hand(&desk).round().unwrap() && complete(&desk, size));
}

#[test]
fn a_clock_set_wrong_alarms_and_the_next_answer_that_agrees_ends_the_alarm() {
    fn ahead() -> BlockTime {
        crate::desk::now().after(zeugma_types::Span::seconds(60)).unwrap()
    }
    let world = World::new();
    let desk = world.desk();
    let mut taker = taker(&desk);
    let line = |name: &str, value: &str| {
        let text = desk.stamping().text(crate::desk::now());
        let label = format!("institution=\"institute\",url=\"{}\"", world.hosted.url());
        assert!(
            text.contains(&format!("{name}{{{label}}} {value}\n")),
            "{name} {value} is missing in\n{text}"
        );
    };
    anchor(&desk, 1);
    taker.round().unwrap();
    let wrong = Client::new(Duration::from_secs(10)).with_clock(ahead);
    Hand::new(Arc::clone(&desk), wrong, 0).round().unwrap();
    line("zeugma_evidence_clock_alarm", "1");
    line("zeugma_evidence_clock_disagreements_total", "1");
    let offset = desk.stamping().doing()[0].numbers.offset.unwrap().millis();
    assert!((-59_500..=-50_000).contains(&offset), "{offset}");
    assert!(complete(&desk, 1), "the time-stamp is kept: which clock is wrong is not known");

    anchor(&desk, 2);
    taker.round().unwrap();
    hand(&desk).round().unwrap();
    line("zeugma_evidence_clock_alarm", "0");
    line("zeugma_evidence_clock_disagreements_total", "1");
    line("zeugma_evidence_clock_offset_seconds", "0.000");
    line("zeugma_evidence_stamps_total", "2");
    line("zeugma_evidence_stamps_pending", "0");
}
