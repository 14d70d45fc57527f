//! The JSON of the API, as far as a program needs it: canonical bytes rather than their views.

use crate::Error;
use serde::Deserialize;
use zeugma_types::{Code, Decode, Refusal, Side};

#[derive(Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: Option<u16>,
    pub(crate) name: String,
    pub(crate) detail: String,
    pub(crate) needed: Option<String>,
    pub(crate) found: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct RefusalWire {
    code: u16,
    needed: Option<String>,
    found: Option<String>,
}

impl RefusalWire {
    pub(crate) fn read(self) -> Result<Refusal, Error> {
        refusal(self.code, self.needed, self.found)
            .ok_or_else(|| Error::Unreadable(format!("refusal code {} is not known here", self.code)))
    }
}

/// A refusal whose sides are text.
pub(crate) fn refusal(code: u16, needed: Option<String>, found: Option<String>) -> Option<Refusal> {
    let side = |text: Option<String>| text.map_or(Side::Nothing, Side::Text);
    Some(Refusal { code: Code::numbered(code)?, needed: side(needed), found: side(found) })
}

#[derive(Deserialize)]
pub(crate) struct Point {
    pub(crate) height: u64,
    pub(crate) time: u64,
}

#[derive(Deserialize)]
pub(crate) struct Waiting {
    pub(crate) transactions: u64,
    pub(crate) bytes: u64,
}

#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) network: String,
    pub(crate) name: String,
    pub(crate) height: u64,
    pub(crate) era: u64,
    pub(crate) epoch: u64,
    pub(crate) program: u32,
    pub(crate) certified: Option<Point>,
    pub(crate) mempool: Waiting,
    pub(crate) peers: Vec<Peer>,
    pub(crate) stopped: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Peer {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) connected: bool,
    pub(crate) height: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Canonical {
    pub(crate) bytes: String,
}

#[derive(Deserialize)]
pub(crate) struct Submitted {
    pub(crate) id: String,
}

#[derive(Deserialize)]
pub(crate) struct Batch {
    pub(crate) accepted: usize,
    pub(crate) refused: Vec<NotTaken>,
}

#[derive(Deserialize)]
pub(crate) struct NotTaken {
    pub(crate) number: usize,
    pub(crate) refusal: RefusalWire,
}

#[derive(Deserialize)]
pub(crate) struct Fate {
    pub(crate) status: String,
    pub(crate) height: Option<u64>,
    pub(crate) number: Option<u32>,
    pub(crate) outcome: Option<Canonical>,
    pub(crate) refusal: Option<RefusalWire>,
}

#[derive(Deserialize)]
pub(crate) struct Certified {
    pub(crate) header: String,
    pub(crate) certificate: String,
}

#[derive(Deserialize)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) bytes: String,
    pub(crate) outcome: Canonical,
}

#[derive(Deserialize)]
pub(crate) struct Leaf {
    pub(crate) index: u64,
    pub(crate) namespace: String,
    pub(crate) path: String,
    pub(crate) value: String,
    pub(crate) opening: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Event {
    pub(crate) transaction: Option<u32>,
    pub(crate) bytes: String,
}

#[derive(Deserialize)]
pub(crate) struct Block {
    pub(crate) header: Canonical,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) events: Vec<Event>,
}

#[derive(Deserialize)]
pub(crate) struct Happened {
    pub(crate) height: u64,
    pub(crate) time: u64,
    pub(crate) outbox: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) ids: Option<Vec<String>>,
    pub(crate) refused: Option<Vec<usize>>,
}

#[derive(Deserialize)]
pub(crate) struct Events {
    pub(crate) next: u64,
    pub(crate) tip: u64,
    pub(crate) blocks: Vec<Happened>,
}

#[derive(Deserialize)]
pub(crate) struct Value {
    pub(crate) height: u64,
    pub(crate) value: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct LightClient {
    pub(crate) family: u16,
    pub(crate) family_name: String,
    pub(crate) status: String,
    pub(crate) latest: u64,
    pub(crate) expires_at: Option<u64>,
    pub(crate) frozen: Option<Point>,
    pub(crate) finality: String,
    pub(crate) counterparty: Option<String>,
    pub(crate) bytes: String,
}

#[derive(Deserialize)]
pub(crate) struct Stored {
    pub(crate) height: u64,
    pub(crate) time: u64,
    pub(crate) verified_at: u64,
}

#[derive(Deserialize)]
pub(crate) struct States {
    pub(crate) states: Vec<Stored>,
}

#[derive(Deserialize)]
pub(crate) struct Packet {
    pub(crate) height: u64,
    pub(crate) commitment: Option<String>,
    pub(crate) receipt: Option<String>,
    pub(crate) acknowledgement: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Entry {
    pub(crate) digest: Option<String>,
    pub(crate) from: u64,
}

/// Bytes in hexadecimal.
pub(crate) fn bytes(what: &str, text: &str) -> Result<Vec<u8>, Error> {
    hex::decode(text).map_err(|error| Error::unreadable(what, error))
}

/// Thirty-two bytes in hexadecimal.
pub(crate) fn digest(what: &str, text: &str) -> Result<[u8; 32], Error> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).map_err(|error| Error::unreadable(what, error))?;
    Ok(digest)
}

/// A value of ours in hexadecimal of its canonical bytes.
pub(crate) fn canonical<T: Decode>(what: &str, text: &str) -> Result<T, Error> {
    T::from_bytes(&bytes(what, text)?).map_err(|refusal| Error::unreadable(what, refusal))
}
