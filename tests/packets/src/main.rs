//! `zeugma-packets [--histories N] [--seed S]`: N histories from seed S on, over all cores; without flags the share of
//! the gate. `--seed` alone replays one. Exit 1 when one fails or the histories show nothing; 2 for a wrong command.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use zeugma_packets::{Counts, SEEN, Start};

/// Histories of the gate.
const GATE: u64 = 300;
/// How often a long run says where it is.
const PROGRESS: Duration = Duration::from_secs(20);
/// Histories that a core takes at once.
const SHARE: u64 = 16;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((first, histories)) = parse(&words) else {
        eprintln!("usage: zeugma-packets [--histories N] [--seed S]");
        return ExitCode::from(2);
    };
    let begin = Instant::now();
    let (sum, failed) = all(first, histories);
    let seconds = begin.elapsed().as_secs_f64();
    for (what, count) in &sum {
        println!("{what}: {count}");
    }
    println!("{histories} histories in {seconds:.1} s, {:.0} in a second", histories as f64 / seconds);
    for (seed, found) in &failed {
        println!("FAILED: seed {seed}: {found}; again by `cargo xtask sim packets --seed {seed}`");
    }
    let missing: Vec<&str> = SEEN.into_iter().filter(|what| !sum.contains_key(what)).collect();
    if histories > 1 && !missing.is_empty() {
        println!("nothing was proved of: {}", missing.join(", "));
        return ExitCode::FAILURE;
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(words: &[String]) -> Option<(u64, u64)> {
    let (mut first, mut histories) = (None, None);
    let mut words = words.iter();
    while let Some(flag) = words.next() {
        let number: u64 = words.next()?.parse().ok()?;
        match flag.as_str() {
            "--histories" if number > 0 => histories = Some(number),
            "--seed" => first = Some(number),
            _ => return None,
        }
    }
    let one = first.map(|_| 1);
    Some((first.unwrap_or(0), histories.or(one).unwrap_or(GATE)))
}

/// All histories, a share at a time on each core, and those that failed.
fn all(first: u64, histories: u64) -> (Counts, Vec<(u64, String)>) {
    let start = Start::new();
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let sum = Mutex::new((Counts::new(), Vec::new()));
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let said = Mutex::new(Instant::now());
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let from = next.fetch_add(SHARE, Ordering::Relaxed);
                    if from >= histories {
                        return;
                    }
                    let to = (from + SHARE).min(histories);
                    for seed in first + from..first + to {
                        let one = start.run(seed, None);
                        let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        match one {
                            Ok(counts) => {
                                counts.into_iter().for_each(|(what, n)| *sum.0.entry(what).or_default() += n);
                            }
                            Err(found) => sum.1.push((seed, found)),
                        }
                    }
                    let done = done.fetch_add(to - from, Ordering::Relaxed) + to - from;
                    if let Ok(mut said) = said.lock()
                        && said.elapsed() > PROGRESS
                    {
                        *said = Instant::now();
                        println!("{done} of {histories} histories");
                    }
                }
            });
        }
    });
    sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
