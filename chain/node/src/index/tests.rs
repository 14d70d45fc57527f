//! The index against what was put into it, across restarts.

use super::Index;
use crate::engine::page_cache;
use crate::outbox::{BlockRecord, Outbox};
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use zeugma_crypto::hash::sha256;
use zeugma_ledger::Outcome;
use zeugma_ledger::bounded::List;
use zeugma_types::{BlockTime, HeaderDigest, Height, NetworkId};

/// As many transactions as each block of [`chain`] has.
const SIZES: [u32; 9] = [3, 20_000, 0, 20_000, 20_000, 20_000, 70, 1, 0];
/// The same one three times: twice in the second block, and again in the last but one.
const REPEATED: u32 = 4_000_000;

fn id(number: u32) -> [u8; 32] {
    sha256(&[&number.to_be_bytes()])
}

fn chain() -> Vec<BlockRecord> {
    let mut first = 0_u32;
    let records = (1_u64..).zip(SIZES).map(|(height, size)| {
        let ids = (first..first + size).map(|number| match height {
            8 => id(REPEATED),
            2 if number < first + 2 => id(REPEATED),
            _ => id(number),
        });
        let done = || Outcome::Done { messages: List::default() };
        let record = BlockRecord {
            height: Height::new(height),
            digest: HeaderDigest::new([0; 32]),
            time: BlockTime::new(height),
            first_leaf: 0,
            first_transaction: 0,
            said: Vec::new(),
            transactions: ids.map(|id| (id, done())).collect(),
            events: Vec::new(),
        };
        first += size;
        record
    });
    records.collect()
}

#[test]
fn a_transaction_is_found_wherever_it_lies_and_after_every_restart() {
    let runner = deterministic::Runner::timed(std::time::Duration::from_secs(60));
    runner.start(|context| async move {
        let cache = page_cache(64);
        let network = NetworkId::new([1; 32]);
        // Opened again before each block: some are in memory only then, some in a run, some in the archive.
        for (at, record) in chain().into_iter().enumerate() {
            let context = context.child("open").with_attribute("at", at);
            let outbox = Outbox::open(&context, "test", network, &cache).await.unwrap();
            let index = Index::open(&context, "test", &cache, &outbox).await.unwrap();
            let record = outbox.append(record).await.unwrap();
            index.put(&record).await.unwrap();
            index.settle(&record).await.unwrap();
            let mut number = 0_u32;
            for (height, size) in (1_u64..).zip(SIZES).take(at + 1) {
                // Some of each block: its edges, and few between.
                for place in (0..size).filter(|place| place % 4_999 == 0 || place + 1 == size) {
                    let name = match (height, place) {
                        (8, _) | (2, 0 | 1) => continue,
                        _ => id(number + place),
                    };
                    let found = index.transaction(&name).await.unwrap();
                    assert_eq!(found, Some((Height::new(height), place)), "after {at}");
                }
                number += size;
            }
            let repeated = (at >= 1).then_some((Height::new(2), 0));
            assert_eq!(index.transaction(&id(REPEATED)).await.unwrap(), repeated);
            assert_eq!(index.transaction(&id(u32::MAX)).await.unwrap(), None);
        }
    });
}
