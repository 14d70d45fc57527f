//! The process is killed at any moment, on this machine's disk, with the index the product uses.

use crate::world::*;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use zeugma_evidence_service::store::{Config, FjallIndex, Log, Position, RealDisk};

const FOLDER: &str = "ZEUGMA_STORE_TO_CRASH";

fn at(folder: &Path) -> Log {
    let index = FjallIndex::open(&folder.join("index")).unwrap();
    let config = Config { segment_bytes: 200_000, ..Config::new(folder, ORIGIN) };
    let log = Log::open(config, Arc::new(RealDisk), Arc::new(index)).unwrap();
    assert!(log.wait_ready(Duration::from_secs(30)));
    log
}

/// Not a test of its own: the process that is killed. Tells of what was acknowledged, a line each.
#[test]
fn deposits_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let log = at(Path::new(&folder));
    let mut chance = Chance::new(log.head().2.get());
    let mut out = std::io::stdout().lock();
    loop {
        let from = log.head().2.get();
        let numbers: Vec<u64> = (from..from + 1 + chance.below(200)).collect();
        let outcomes = append(&log, &numbers, &mut chance).unwrap();
        for (number, outcome) in numbers.iter().zip(outcomes.iter()) {
            writeln!(out, "acknowledged {number} {}", outcome.position.index).unwrap();
        }
        out.flush().unwrap();
        if chance.below(4) == 0 {
            log.publish(&[fast_signers(ORIGIN)], NOW).unwrap();
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_in_50_kills() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut chance = Chance::new(7);
    let mut known = std::collections::BTreeMap::new();
    for round in 0..50 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::deposits_until_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let (first, began) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let lines = lines.lines().map_while(Result::ok);
            // A line that the kill cut in two says nothing.
            let told = lines.filter_map(|line| {
                let mut words = line.strip_prefix("acknowledged ")?.split(' ');
                Some((words.next()?.parse::<u64>().ok()?, words.next()?.parse::<u64>().ok()?))
            });
            // A busy machine takes long to begin: the clock of the kill starts with the first.
            told.inspect(|_| {
                // Whoever waits for the first may have gone.
                let _ = first.send(());
            })
            .collect::<Vec<_>>()
        });
        let began = began.recv_timeout(Duration::from_secs(60));
        assert!(began.is_ok(), "round {round}: nothing was acknowledged");
        std::thread::sleep(Duration::from_millis(chance.below(150)));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut told = reader.join().unwrap();
        told.pop();
        known.extend(told);
        if round % 10 == 9 {
            let log = at(folder.path());
            for (number, index) in &known {
                let position = Position { shard: 0, index: *index };
                assert_eq!(log.stored(position).unwrap().record, record(*number), "round {round}");
            }
            let all: Vec<u64> = known.keys().copied().take(5_000).collect();
            let again = append(&log, &all, &mut chance).unwrap();
            assert!(
                all.iter()
                    .zip(again.iter())
                    .all(|(number, item)| item.known && known[number] == item.position.index)
            );
            assert_eq!(log.fsck(false).unwrap().findings, vec![], "round {round}");
        }
    }
    assert!(known.len() > 1_000, "{} entries were acknowledged", known.len());
}
