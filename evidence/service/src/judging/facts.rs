//! The facts of an entry: made from its record, and from its anchor where a pack waits for that, and from nothing else. They
//! are never stored: the bundle gives them again, so a verdict is replayed from bundle and pack alone.
//!
//! | fact | from |
//! |---|---|
//! | `declared.record.media_type`, `declared.record.size` | the record |
//! | `declared.provenance.source` | the record's origin, unless a custom field of that name says more |
//! | `declared.…` | each custom field whose name begins so |
//! | `shown.log.inclusion`, `shown.log.origin` | the anchored checkpoint; with an anchor only |
//! | `shown.anchor.certified`, `shown.anchor.network`, `shown.times.anchored_at` | the one proof; with an anchor only |
//! | `shown.times.received_at` | the receipt; with an anchor only |
//!
//! What is shown before an entry is logged is nothing, and so a pack that judges then sees what is declared alone.

use serde::Deserialize;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::note::NoteBounds;
use zeugma_evidence_log::record::Field;
use zeugma_evidence_rules::{DECLARED, Facts, Gathered, Value};
use zeugma_evidence_verify::Bundle;
use zeugma_proof::Proof;
use zeugma_types::{BlockTime, Code, Decode as _, Refusal};

/// When a pack judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Once the entry is durable: on what is declared.
    #[default]
    Received,
    /// Once the relay chain anchored it: on what that shows as well.
    Anchored,
}

/// What an anchor shows of an entry.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    pub(crate) origin: String,
    pub(crate) network: String,
    pub(crate) received_at: BlockTime,
    pub(crate) anchored_at: BlockTime,
}

impl Anchor {
    /// From the anchored note and its one proof.
    pub(crate) fn of(note: &str, proof: &[u8], received_at: BlockTime) -> Result<Self, Refusal> {
        let proof = Proof::from_bytes(proof)?;
        let origin = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL)?.claimed().origin.clone();
        let network = proof.leaf.network.to_string();
        Ok(Self { origin, network, received_at, anchored_at: proof.leaf.time })
    }
}

fn bad(why: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::BadFacts).found(why.to_string())
}

fn milliseconds(time: BlockTime) -> Result<Value, Refusal> {
    i64::try_from(time.get()).map(Value::Number).map_err(bad)
}

/// The facts of these fields of a record.
///
/// # Errors
/// [`Code::BadFacts`] with the field that declares what no pack may ask for, or not as it is asked for.
pub(crate) fn of<'a>(
    fields: impl Iterator<Item = &'a Field>,
    anchor: Option<&Anchor>,
) -> Result<Facts, Refusal> {
    const SOURCE: &str = "declared.provenance.source";
    let mut gathered = Gathered::default();
    let mut source = None;
    for field in fields {
        match field {
            Field::MediaType(text) => {
                gathered.put("declared.record.media_type", Value::Text(text.clone())).map_err(bad)?;
            }
            Field::Size(size) => {
                let size = i64::try_from(*size).map_err(bad)?;
                gathered.put("declared.record.size", Value::Number(size)).map_err(bad)?;
            }
            Field::Source(text) => source = Some(text.clone()),
            Field::Custom(own) if own.name.starts_with(DECLARED) => {
                gathered.declare(&own.name, &own.value).map_err(bad)?;
            }
            _ => {}
        }
    }
    if let Some(source) = source.filter(|_| !gathered.has(SOURCE)) {
        gathered.put(SOURCE, Value::Text(source)).map_err(bad)?;
    }
    if let Some(anchor) = anchor {
        for (path, value) in [
            ("shown.log.inclusion", Value::Flag(true)),
            ("shown.log.origin", Value::Text(anchor.origin.clone())),
            ("shown.anchor.certified", Value::Flag(true)),
            ("shown.anchor.network", Value::Text(anchor.network.clone())),
            ("shown.times.received_at", milliseconds(anchor.received_at)?),
            ("shown.times.anchored_at", milliseconds(anchor.anchored_at)?),
        ] {
            gathered.put(path, value).map_err(bad)?;
        }
    }
    gathered.facts().map_err(bad)
}

/// The facts that a bundle gives: every field must be open, since each may be what a rule read.
///
/// # Errors
/// [`Code::WrongDisclosure`]; [`Code::BadFacts`] for a field that is closed, and, for [`When::Anchored`], a bundle without receipt and proof.
pub fn of_bundle(bundle: &Bundle, when: When) -> Result<Facts, Refusal> {
    let fields = bundle.disclosure.verify(&bundle.entry)?;
    if fields.len() < bundle.disclosure.fields.len() {
        return Err(bad("a field of the record is closed in this bundle"));
    }
    let anchor = match when {
        When::Received => None,
        When::Anchored => {
            let missing = || bad("the bundle has no receipt and anchor");
            let receipt = bundle.receipt.as_ref().ok_or_else(missing)?;
            let proof = bundle.proof.as_ref().ok_or_else(missing)?;
            Some(Anchor::of(&bundle.logging.first.note, proof, receipt.received_at)?)
        }
    };
    of(fields.into_iter(), anchor.as_ref())
}
