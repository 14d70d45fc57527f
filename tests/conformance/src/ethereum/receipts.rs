//! The `receipts` suite: a block's receipts as a node answers them, with the block's header beside.
//!
//! The header's hash is recomputed from its fields. A case is one receipt: it is proved by its place under
//! the header's receipts root, through the product's own walk, and what is read is compared with what the
//! file says, the events by their emitter too. The trie is built from the receipts of the file, so one
//! changed receipt changes the root and fails every case.

use super::execution::{Kind, encode, header_beside, narrow, receipt};
use super::json::unwrapped;
use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use zeugma_adapter_ethereum::block::BlockHeader;
use zeugma_adapter_ethereum::receipt::{self as product, Outcome, Receipt};
use zeugma_adapter_ethereum::testnet::Trie;

/// Receipts of a block under its header.
pub(crate) struct Receipts;

impl Suite for Receipts {
    fn name(&self) -> &'static str {
        "receipts"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        let Ok(value) = serde_json::from_slice::<Value>(&file.bytes) else {
            return super::elsewhere(file, None, report);
        };
        match Kind::of(&value) {
            Kind::Header => Ok(()),
            Kind::Receipts => match Block::read(file, &value) {
                Ok(block) => block.run(&file.name, report),
                Err(why) => report.unknown(&file.name, &format!("{why:#}")),
            },
            other => super::elsewhere(file, Some(other), report),
        }
    }
}

struct Block {
    beside: String,
    header: BlockHeader,
    receipts: Vec<(u64, Receipt)>,
    trie: Trie,
}

impl Block {
    fn read(file: &File, value: &Value) -> Result<Self> {
        let list = unwrapped(value);
        let Some(beside) = header_beside(&file.path, list)? else { bail!("no header lies beside") };
        let one = [list.clone()];
        let list = list.as_array().map_or(&one[..], Vec::as_slice);
        let receipts = list.iter().enumerate().map(|(index, value)| {
            let place = match value.get("transactionIndex").filter(|place| !place.is_null()) {
                Some(_) => narrow(value, "transactionIndex")?,
                None => u64::try_from(index)?,
            };
            Ok((place, receipt(value).with_context(|| format!("receipt {index}"))?))
        });
        let receipts: Vec<_> = receipts.collect::<Result<_>>()?;
        let trie = Trie::new(receipts.iter().map(|(place, receipt)| (product::key(*place), encode(receipt))));
        Ok(Self { beside: beside.name, header: beside.header, receipts, trie })
    }

    fn run(self, name: &str, report: &mut Report<'_>) -> Result<()> {
        report.policy(&format!("{name}: under the receipts root of {}", self.beside))?;
        for (place, expected) in &self.receipts {
            let proof = self.trie.proof(&product::key(*place));
            let got = match product::receipt(&self.header.receipts_root, *place, &proof) {
                Err(refusal) => refusal.to_string(),
                Ok(found) if found == *expected => events(&found),
                Ok(found) => format!("another receipt: {}", words(&found)),
            };
            report.case(&format!("{name}#{place}"), &words(expected), &got)?;
        }
        Ok(())
    }
}

/// A receipt whose events are found by their emitter, in words.
fn events(receipt: &Receipt) -> String {
    for (index, log) in receipt.logs.iter().enumerate() {
        let found = receipt.event(index, &log.emitter).is_ok_and(|found| found == log);
        if found != (receipt.outcome == Outcome::Succeeded) {
            return format!("event {index} by its emitter: {found}");
        }
    }
    words(receipt)
}

fn words(receipt: &Receipt) -> String {
    let outcome = match receipt.outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Unknown { .. } => "with a state root",
    };
    format!(
        "type {} {outcome}, {} gas so far, {} events",
        receipt.kind,
        receipt.cumulative_gas,
        receipt.logs.len()
    )
}
