//! A service that takes 200,000 entries keeps each once, in bounded memory and disk, and knows them after it was killed.
//!
//! The times are printed and not judged: the command is not optimized here. `cargo xtask bench evidence-load` does the
//! same with millions.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as claimed")]

#[path = "network/program.rs"]
#[expect(dead_code, reason = "here it is a service, and reports nothing")]
mod program;

use zeugma_peers::bench::evidence::Fill;

const ENTRIES: u64 = 200_000;
/// Most memory, in bytes: a queue of requests, the tiles that wait, what the index keeps at hand.
const MEMORY: u64 = 512 << 20;
/// Most disk for an entry, in bytes: a leaf of 71 and its record, both trees' tiles, the bundle, a row of the index twice.
const DISK: f64 = 1_100.0;

#[test]
fn two_hundred_thousand_entries_are_kept_once_in_bounded_memory_and_disk() {
    let fill = Fill { program: program::program().to_owned(), entries: ENTRIES, window: 20_000 };
    let found = fill.run().unwrap();
    println!("{:#}", found.json());
    assert_eq!(found.durable, ENTRIES, "after it was killed");
    let memory = found.most_memory.max(found.most_memory_again);
    assert!((1 << 20..MEMORY).contains(&memory), "{memory} bytes of memory");
    assert!((200.0..DISK).contains(&found.bytes_per_entry), "{} bytes an entry", found.bytes_per_entry);
}
