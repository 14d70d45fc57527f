//! `zeugma evidence export`: the bundles of many entries, each a file that is verified offline.
//!
//! A run that was broken off is begun again: a bundle that stands there whole is not fetched again. What has no bundle is
//! told: erased, not yet in a checkpoint. Entries of others are as if they were not there.

use super::{At, Service};
use crate::failure::{Failure, Rule};
use crate::files::{self, Readers};
use crate::output::{Output, Report, plain};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use zeugma_evidence_log::{Field, NoteBounds, checkpoint::SignedCheckpoint};
use zeugma_evidence_verify::Bundle;
use zeugma_types::Decode as _;

/// Between two words of progress, in entries.
const STEP: u64 = 1_000;

/// What to export.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder; it is made, and a run that was broken off goes on in it
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Only this shard
    #[arg(long)]
    shard: Option<u32>,
    /// From this index on
    #[arg(long, default_value_t = 0, requires = "shard")]
    from: u64,
    /// Up to this index, which is not exported
    #[arg(long, requires = "shard")]
    to: Option<u64>,
    /// Only entries whose field `case` is this
    #[arg(long, value_name = "NUMBER")]
    case: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Default)]
struct Counts {
    written: u64,
    there: u64,
    erased: Vec<String>,
    pending: Vec<String>,
    other: u64,
}

impl Export {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let service = Service::new(&self.at)?;
        let status = service.json("GET", "/v1/status", None, None)?;
        let open = status["shard"].as_u64().and_then(|shard| u32::try_from(shard).ok()).unwrap_or(0);
        std::fs::create_dir_all(&self.out).map_err(|why| Failure::unreadable(&self.out, &why))?;
        let mut counts = Counts::default();
        let shards = match self.shard {
            Some(shard) => shard..=shard,
            None => 0..=open,
        };
        for shard in shards {
            let end = match self.to {
                Some(to) => to,
                None => size(&service, shard)?,
            };
            for index in self.from..end {
                self.one(&service, shard, index, &mut counts)?;
                if (index + 1).is_multiple_of(STEP) {
                    output.progress(&format!("shard {shard}: {} of {end}", index + 1));
                }
            }
        }
        let mut text = format!(
            "{} bundles written to {}, {} were there\n",
            counts.written,
            plain(&self.out.display().to_string()),
            counts.there
        );
        for (names, what) in [(&counts.erased, "erased"), (&counts.pending, "in no checkpoint yet")] {
            if !names.is_empty() {
                text.push_str(&format!("{} {what}: {}\n", names.len(), names.join(" ")));
            }
        }
        let json = json!({
            "written": counts.written, "there": counts.there,
            "erased": counts.erased, "pending": counts.pending, "of_others_or_cases": counts.other,
        });
        output.report(&Report { text, json });
        if counts.pending.is_empty() {
            return Ok(());
        }
        let todo = "run it again: what is there is not fetched again";
        Err(Failure::own(Rule::TooSlow, self.out.display(), "some entries are in no checkpoint yet", todo))
    }

    fn one(&self, service: &Service, shard: u32, index: u64, counts: &mut Counts) -> Result<(), Failure> {
        let path = self.out.join(format!("{shard}-{index}.bundle"));
        if path.exists() {
            counts.there += 1;
            return Ok(());
        }
        let entry = format!("{shard}/{index}");
        match service.bytes(&format!("/v1/entries/{entry}/bundle")) {
            Ok(bytes) => {
                if self.case.as_ref().is_some_and(|case| !is_of(&bytes, case)) {
                    counts.other += 1;
                    return Ok(());
                }
                write(&path, &bytes)?;
                counts.written += 1;
            }
            Err(failure) if failure.code() == Some(Rule::RecordErased) => counts.erased.push(entry),
            Err(failure) if failure.code() == Some(Rule::NoSuchEntry) => {
                // Of another tenant, or too young for a checkpoint: an own entry has a standing.
                match service.json("GET", &format!("/v1/entries/{entry}"), None, None) {
                    Ok(_) => counts.pending.push(entry),
                    Err(failure) if failure.code() == Some(Rule::NoSuchEntry) => counts.other += 1,
                    Err(failure) => return Err(failure),
                }
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    // Whole or not there: what stands under its name is not fetched again.
    files::write_new(path, bytes, Readers::Owner)
}

/// Entries of a shard: what its checkpoint covers, by the log that everyone reads.
fn size(service: &Service, shard: u32) -> Result<u64, Failure> {
    let path = format!("/log/{shard}/checkpoint");
    match service.bytes(&path) {
        Ok(note) => {
            let parsed = SignedCheckpoint::parse(&note, NoteBounds::USUAL)
                .map_err(|refusal| Failure::refused(&path, refusal))?;
            Ok(parsed.claimed().view.size.get())
        }
        Err(failure) if failure.code() == Some(Rule::NoSuchEntry) => Ok(0),
        Err(failure) => Err(failure),
    }
}

/// Whether the bundle opens a field `case` of this value.
fn is_of(bundle: &[u8], case: &str) -> bool {
    let Ok(bundle) = Bundle::from_bytes(bundle) else { return false };
    let Ok(fields) = bundle.disclosure.verify(&bundle.entry) else { return false };
    fields.iter().any(|field| match field {
        Field::Custom(custom) => custom.name == "case" && custom.value == case.as_bytes(),
        _ => false,
    })
}
