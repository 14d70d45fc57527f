//! Random histories of packets over several ledgers: does every asset stay one asset, and does every packet end?
//!
//! Three ledgers, each the real state machine, and two banks where coins are at home, in plain numbers ([`world`]). A
//! history draws from a seed what users send, what relayers try, how clocks run, which orders come and go: attempts
//! out of turn, under old heights, twice, with packets that nobody sent; transfers sent on over a hub, held, limited,
//! halted, timed out, refused ([`history`]). Then the faults end. In so many rounds honest relayers must come to an
//! end with every packet, and an accountant that shares no code with the ledger draws the sums ([`sums`]).
//!
//! Bugs planted in the ledger show that the accountant can find something: [`BUGS`], each found in a few histories.
#![forbid(unsafe_code)]

pub mod bank;
pub mod chain;
pub mod draw;
pub mod history;
pub mod mirror;
pub mod relay;
pub mod sums;
pub mod told;
pub mod world;

pub use history::{Counts, Start};
use zeugma_ledger::PlantedBug;

/// Every bug of the ledger that histories must find.
pub const BUGS: [PlantedBug; 8] = [
    PlantedBug::ReceiptSkipped,
    PlantedBug::TombstoneSkipped,
    PlantedBug::CommitmentKept,
    PlantedBug::StaleAbsence,
    PlantedBug::HoldReleasedTwice,
    PlantedBug::RefundAfterRelease,
    PlantedBug::ReleasedEarly,
    PlantedBug::LimitIgnored,
];

/// What must happen in histories, or they show nothing.
pub const SEEN: [&str; 13] = [
    "sent",
    "sent on",
    "arrived",
    "returned",
    "timed out",
    "closed",
    "taken at once",
    "refused",
    "held",
    "released",
    "rejected",
    "lapsed",
    "forged",
];

/// Runs the histories of these seeds one after the other; what happened in all of them, or the first that failed.
///
/// # Errors
/// The seed, and what was found.
pub fn run(start: &Start, seeds: impl Iterator<Item = u64>) -> Result<Counts, (u64, String)> {
    let mut sum = Counts::new();
    for seed in seeds {
        let counts = start.run(seed, None).map_err(|found| (seed, found))?;
        for (what, count) in counts {
            *sum.entry(what).or_default() += count;
        }
    }
    Ok(sum)
}
