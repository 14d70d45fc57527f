//! Each bug planted in the ledger is found, and without one nothing is.
#![allow(clippy::unwrap_used, reason = "a test may")]

use zeugma_packets::{BUGS, SEEN, Start, run};

/// Histories in which each bug must be found.
const HISTORIES: u64 = 400;

#[test]
fn histories_of_the_ledger_keep_every_sum_and_end() {
    let counts = run(&Start::new(), 0..60).unwrap();
    for what in SEEN {
        assert!(counts.contains_key(what), "nothing was {what} in 60 histories: {counts:?}");
    }
}

#[test]
fn every_bug_that_is_planted_is_found() {
    let start = Start::new();
    for bug in BUGS {
        let found = (0..HISTORIES).find_map(|seed| start.run(seed, Some(bug)).err().map(|why| (seed, why)));
        let (seed, why) = found.unwrap_or_else(|| panic!("{bug:?} is not found in {HISTORIES} histories"));
        println!("{bug:?}: seed {seed}: {why}");
    }
}

#[test]
fn a_seed_is_one_history() {
    let start = Start::new();
    assert_eq!(start.run(7, None).unwrap(), start.run(7, None).unwrap());
    assert_ne!(start.run(7, None).unwrap(), start.run(8, None).unwrap());
}
