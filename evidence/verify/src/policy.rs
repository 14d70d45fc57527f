//! The policy: whose word counts for a bundle, and how many of them it takes.
//!
//! It is an argument of the verification like the trust file, has canonical bytes and a digest, and the report
//! names that digest. An institution is a name: the log's operator, its witnesses and the time authorities
//! each belong to one, and one institution counts once.

use crate::x509::MAX_CERTIFICATE;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::hash::framed;
use zeugma_proof::body::MAX_ORIGIN;
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{Code, Decode, Encode, Purpose, Reader, Refusal};

/// First bytes of every policy; the last is the version.
const MAGIC: [u8; 8] = *b"ZGPOLIC1";
/// Longest policy, in bytes.
pub const MAX_POLICY: usize = 1024 * 1024;
/// Most keys of a log, witnesses and authorities.
const MAX_LIST: usize = 64;
/// Longest name of an institution, in bytes.
const MAX_NAME: usize = 64;
/// Longest key of a signed note, in bytes, as its operator publishes it: ML-DSA-44 has the longest.
const MAX_VKEY: usize = 4_096;
/// Longest dotted identifier, in bytes.
const MAX_OID: usize = 128;

/// Who may cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The institution behind the key.
    pub institution: String,
    /// The key, as C2SP writes it.
    pub key: String,
}

/// Whose time-stamps count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The institution behind the anchor.
    pub institution: String,
    /// The X.509 certificate that is believed, in DER.
    pub anchor: Vec<u8>,
    /// Policies under which its time-stamps count, as dotted identifiers; empty: under any.
    pub policies: Vec<String>,
}

/// Whether integrity takes the network's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It is shown where it is there: a log may stand alone.
    Optional,
    /// Without it integrity is not determined.
    Required,
}

/// Whose word counts, and how many of them it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The log's origin.
    pub origin: String,
    /// The institution that runs it.
    pub operator: String,
    /// Its keys for checkpoints, as C2SP writes them. The first signs every checkpoint; the others may.
    pub log_keys: Vec<String>,
    /// The keys for the checkpoints of its second tree.
    pub second_keys: Vec<String>,
    /// The Ed25519 key of its receipts and verdicts.
    pub service_key: Option<[u8; 32]>,
    /// Who may cosign its checkpoints.
    pub witnesses: Vec<Witness>,
    /// Whose time-stamps count.
    pub authorities: Vec<Authority>,
    /// How many institutions must have cosigned, the operator not counted.
    pub witnesses_needed: u16,
    /// How many institutions must have stamped.
    pub authorities_needed: u16,
    /// How many institutions must stand for the entry in all, whatever they did.
    pub institutions_needed: u16,
    /// Whether the network must have recorded the checkpoint.
    pub network: Network,
}

impl Policy {
    /// The digest that a report names.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        framed(Purpose::Policy, &[&self.to_bytes()])
    }
}

fn put_texts(out: &mut Vec<u8>, list: &[String]) {
    put_list(out, list, |out, text| put_bytes(out, text.as_bytes()));
}

fn texts(reader: &mut Reader<'_>, bound: usize) -> Result<Vec<String>, Refusal> {
    reader.list(MAX_LIST, |r| r.text(bound))
}

impl Encode for Policy {
    fn encode(&self, out: &mut Vec<u8>) {
        MAGIC.encode(out);
        put_bytes(out, self.origin.as_bytes());
        put_bytes(out, self.operator.as_bytes());
        put_texts(out, &self.log_keys);
        put_texts(out, &self.second_keys);
        put_option(out, self.service_key.as_ref(), |out, key| key.encode(out));
        put_list(out, &self.witnesses, |out, witness| {
            put_bytes(out, witness.institution.as_bytes());
            put_bytes(out, witness.key.as_bytes());
        });
        put_list(out, &self.authorities, |out, authority| {
            put_bytes(out, authority.institution.as_bytes());
            put_bytes(out, &authority.anchor);
            put_texts(out, &authority.policies);
        });
        self.witnesses_needed.encode(out);
        self.authorities_needed.encode(out);
        self.institutions_needed.encode(out);
        out.push(u8::from(self.network == Network::Required));
    }
}

impl Decode for Policy {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        if reader.array()? != MAGIC {
            return Err(Refusal::new(Code::BadMagic).needed("ZGPOLIC1"));
        }
        let policy = Self {
            origin: reader.text(MAX_ORIGIN)?,
            operator: reader.text(MAX_NAME)?,
            log_keys: texts(reader, MAX_VKEY)?,
            second_keys: texts(reader, MAX_VKEY)?,
            service_key: reader.option(Reader::array)?,
            witnesses: reader
                .list(MAX_LIST, |r| Ok(Witness { institution: r.text(MAX_NAME)?, key: r.text(MAX_VKEY)? }))?,
            authorities: reader.list(MAX_LIST, |r| {
                Ok(Authority {
                    institution: r.text(MAX_NAME)?,
                    anchor: r.bytes(MAX_CERTIFICATE)?.to_vec(),
                    policies: texts(r, MAX_OID)?,
                })
            })?,
            witnesses_needed: reader.u16()?,
            authorities_needed: reader.u16()?,
            institutions_needed: reader.u16()?,
            network: match reader.u8()? {
                0 => Network::Optional,
                1 => Network::Required,
                other => return Err(Refusal::new(Code::UnknownTag).needed(1_u64).found(other)),
            },
        };
        if policy.log_keys.is_empty() {
            return Err(Refusal::new(Code::EmptySet).needed("a key of the log"));
        }
        Ok(policy)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_POLICY {
            return Err(Refusal::new(Code::TooLong).needed(MAX_POLICY).found(bytes.len()));
        }
        let mut reader = Reader::new(bytes);
        let policy = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(policy)
    }
}
