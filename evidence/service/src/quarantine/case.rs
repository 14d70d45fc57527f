//! One deposit that is held: what it is, why, and what became of it.
//!
//! ```text
//! Case   = 1 · tenant text<128> · received_at u64 · option<idempotency key text<256>> · body [32] · count u32
//!        · list<record bytes<16384>> · list<Why, 256> · State
//! Why    = item u32 · verdict bytes<524288>: the first finding of a pack that was not what is needed
//! State  = 1                                   held
//!        | 2 · Ruling                          to be released: it is durable that it will be logged
//!        | 3 · Ruling · list<shard u32 · index u64>
//!        | 4 · Ruling                          rejected
//!        | 5 · at u64                          nobody ruled in time
//! Ruling = role text<32> · tenant text<128> · at u64 · words text<1024>
//! ```
//!
//! Records are there while it is held or to be released; after that they stand in the log, or nowhere.

use crate::store::Position;
use zeugma_crypto::hash::{framed, sha256};
use zeugma_evidence_log::{Record, identity};
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{BlockTime, Code, Decode, Encode, Purpose, Reader, Refusal};

const FORMAT: u8 = 1;
/// Most records of one case.
pub(crate) const MAX_RECORDS: usize = 1_024;
/// Longest record in its encoding, in bytes.
const MAX_RECORD: usize = 16 * 1024;
/// Most verdicts that say why.
pub(crate) const MAX_WHY: usize = 256;
const MAX_STATEMENT: usize = 512 * 1024;
const MAX_TENANT: usize = 128;
const MAX_KEY: usize = 256;
const MAX_ROLE: usize = 32;
/// Longest words of a ruling, in bytes.
pub(crate) const MAX_WORDS: usize = 1_024;

/// The name of a case: its tenant and records, hashed, so that the same deposit is the same case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CaseId([u8; 16]);

impl CaseId {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl std::fmt::Display for CaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Why one record is held: a verdict that did not find what is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    /// Which record.
    pub(crate) item: u32,
    /// The verdict, as the engine wrote it.
    pub(crate) statement: Vec<u8>,
}

/// Who ruled, when, and with which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ruling {
    pub(crate) role: String,
    pub(crate) tenant: String,
    pub(crate) at: BlockTime,
    pub(crate) words: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Held,
    /// Released, and perhaps not logged yet.
    Releasing(Ruling),
    Released(Ruling, Vec<Position>),
    Rejected(Ruling),
    Lapsed(BlockTime),
}

impl State {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Releasing(_) => "releasing",
            Self::Released(..) => "released",
            Self::Rejected(_) => "rejected",
            Self::Lapsed(_) => "lapsed",
        }
    }

    pub(crate) const fn ruling(&self) -> Option<&Ruling> {
        match self {
            Self::Releasing(ruling) | Self::Released(ruling, _) | Self::Rejected(ruling) => Some(ruling),
            Self::Held | Self::Lapsed(_) => None,
        }
    }

    /// Whether its records are still needed.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::Held | Self::Releasing(_))
    }
}

/// A deposit that waits for a role, or was ruled on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) tenant: String,
    pub(crate) received_at: BlockTime,
    pub(crate) key: Option<String>,
    /// Digest of what was deposited: the same for the same records of the same tenant.
    pub(super) body: [u8; 32],
    /// How many records it has, or had.
    pub(crate) count: u32,
    pub(super) records: Vec<Record>,
    pub(crate) why: Vec<Why>,
    pub(crate) state: State,
}

impl Case {
    /// A case that is held from now on.
    ///
    /// # Errors
    /// [`Code::TooMany`] above the most records of a case.
    pub(crate) fn new(
        tenant: &str,
        records: Vec<Record>,
        key: Option<String>,
        why: Vec<Why>,
        received_at: BlockTime,
    ) -> Result<Self, Refusal> {
        if records.len() > MAX_RECORDS {
            return Err(Refusal::new(Code::TooMany).needed(MAX_RECORDS).found(records.len()));
        }
        let count = u32::try_from(records.len()).expect("it is bounded above");
        let body = body(tenant, &records);
        let tenant = tenant.to_owned();
        Ok(Self { tenant, received_at, key, body, count, records, why, state: State::Held })
    }

    pub(crate) fn id(&self) -> CaseId {
        CaseId(*self.body.first_chunk().expect("a digest has 32 bytes"))
    }
}

/// What the same deposit has in common, whoever asks again.
fn body(tenant: &str, records: &[Record]) -> [u8; 32] {
    let mut bytes = Vec::new();
    for record in records {
        bytes.extend_from_slice(&identity(tenant, record));
    }
    framed(Purpose::DepositBody, &[&bytes])
}

/// The case that a deposit is, or would be.
pub(crate) fn id_of(tenant: &str, records: &[Record]) -> CaseId {
    CaseId(*body(tenant, records).first_chunk().expect("a digest has 32 bytes"))
}

impl Encode for Ruling {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.role.as_bytes());
        put_bytes(out, self.tenant.as_bytes());
        self.at.encode(out);
        put_bytes(out, self.words.as_bytes());
    }
}

impl Decode for Ruling {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            role: reader.text(MAX_ROLE)?,
            tenant: reader.text(MAX_TENANT)?,
            at: BlockTime::decode(reader)?,
            words: reader.text(MAX_WORDS)?,
        })
    }
}

impl Encode for State {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Held => out.push(1),
            Self::Releasing(ruling) => {
                out.push(2);
                ruling.encode(out);
            }
            Self::Released(ruling, positions) => {
                out.push(3);
                ruling.encode(out);
                put_list(out, positions, |out, position| {
                    position.shard.encode(out);
                    position.index.encode(out);
                });
            }
            Self::Rejected(ruling) => {
                out.push(4);
                ruling.encode(out);
            }
            Self::Lapsed(at) => {
                out.push(5);
                at.encode(out);
            }
        }
    }
}

impl Decode for State {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Ok(Self::Held),
            2 => Ok(Self::Releasing(Ruling::decode(reader)?)),
            3 => {
                let ruling = Ruling::decode(reader)?;
                let position =
                    |reader: &mut Reader<'_>| Ok(Position { shard: reader.u32()?, index: reader.u64()? });
                Ok(Self::Released(ruling, reader.list(MAX_RECORDS, position)?))
            }
            4 => Ok(Self::Rejected(Ruling::decode(reader)?)),
            5 => Ok(Self::Lapsed(BlockTime::decode(reader)?)),
            tag => Err(Refusal::new(Code::UnknownTag).needed(5_u64).found(tag)),
        }
    }
}

impl Encode for Case {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        put_bytes(out, self.tenant.as_bytes());
        self.received_at.encode(out);
        put_option(out, self.key.as_ref(), |out, key| put_bytes(out, key.as_bytes()));
        self.body.encode(out);
        self.count.encode(out);
        put_list(out, &self.records, |out, record| put_bytes(out, &record.to_bytes()));
        put_list(out, &self.why, |out, why| {
            why.item.encode(out);
            put_bytes(out, &why.statement);
        });
        self.state.encode(out);
    }
}

impl Decode for Case {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let format = reader.u8()?;
        if format != FORMAT {
            return Err(Refusal::new(Code::UnknownTag).needed(FORMAT).found(format));
        }
        Ok(Self {
            tenant: reader.text(MAX_TENANT)?,
            received_at: BlockTime::decode(reader)?,
            key: reader.option(|reader| reader.text(MAX_KEY))?,
            body: reader.array()?,
            count: reader.u32()?,
            records: reader.list(MAX_RECORDS, |reader| Record::from_bytes(reader.bytes(MAX_RECORD)?))?,
            why: reader.list(MAX_WHY, |reader| {
                Ok(Why { item: reader.u32()?, statement: reader.bytes(MAX_STATEMENT)?.to_vec() })
            })?,
            state: State::decode(reader)?,
        })
    }
}

/// First bytes of SHA-256 of a file's content, which stand at its end.
pub(super) fn check(bytes: &[u8]) -> [u8; 16] {
    *sha256(&[bytes]).first_chunk().expect("a hash has 32 bytes")
}
