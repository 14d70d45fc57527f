//! The policy: whose word counts for a bundle, and how many of them it takes.
//!
//! It is an argument of the verification like the trust file, has canonical bytes and a digest, and the report
//! names that digest. An institution is a name: the log's operator, its witnesses and the time authorities
//! each belong to one, and one institution counts once.
//!
//! There are two forms. The second asks more: it may take in the shards of the log, and name the keys of other
//! transparency services. What was judged under the first has the report that it had.

use crate::cose;
use crate::x509::MAX_CERTIFICATE;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::hash::framed;
use zeugma_proof::body::MAX_ORIGIN;
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{Code, Decode, Encode, Purpose, Reader, Refusal};

/// First bytes of a policy of the first form and of the second; the last is the version.
const FIRST: [u8; 8] = *b"ZGPOLIC1";
const SECOND: [u8; 8] = *b"ZGPOLIC2";
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
/// Longest issuer and key of a transparency service, in bytes.
const MAX_SERVICE: usize = 1024;
/// What stands between the origin of a log and the name of one of its shards.
const SHARD: &str = "/shard/";
/// Longest origin of a shard, in bytes: that of its second tree is the name of a key too.
const MAX_SHARD: usize = 251;

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

/// Which logs a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shards {
    /// The log of its origin alone.
    Alone,
    /// The log of its origin and the shards of it, which the same keys sign.
    Followed,
}

/// A transparency service whose COSE receipts count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The institution behind it.
    pub institution: String,
    /// Who its receipts must name as their issuer; without it, whom they name makes no difference.
    pub issuer: Option<String>,
    /// Its key, a SubjectPublicKeyInfo in DER.
    pub key: Vec<u8>,
}

/// What a policy of the second form asks besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// Which logs it is for.
    pub shards: Shards,
    /// Whose COSE receipts count.
    pub services: Vec<Service>,
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
    /// What the second form asks besides; `None` in the first.
    pub later: Option<Later>,
}

/// The origin of the log of which this origin is a shard, or the origin itself.
#[must_use]
pub fn log_of(origin: &str) -> &str {
    match origin.rsplit_once(SHARD) {
        Some((log, name)) if is_shard_name(name) && !log.is_empty() => log,
        _ => origin,
    }
}

fn is_shard_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.bytes().all(plain)
}

impl Policy {
    /// Whether it is for the log of this origin: its own, or that of a shard where it follows them.
    #[must_use]
    pub fn is_for(&self, origin: &str) -> bool {
        let follows = self.later.as_ref().is_some_and(|later| later.shards == Shards::Followed);
        let shard = || {
            let name = origin.strip_prefix(self.origin.as_str())?.strip_prefix(SHARD)?;
            Some(is_shard_name(name) && origin.len() <= MAX_SHARD)
        };
        origin == self.origin || follows && shard() == Some(true)
    }

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
        if self.later.is_some() { SECOND } else { FIRST }.encode(out);
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
        if let Some(later) = &self.later {
            out.push(u8::from(later.shards == Shards::Followed));
            put_list(out, &later.services, |out, service| {
                put_bytes(out, service.institution.as_bytes());
                put_option(out, service.issuer.as_ref(), |out, issuer| put_bytes(out, issuer.as_bytes()));
                put_bytes(out, &service.key);
            });
        }
    }
}

impl Decode for Policy {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let magic: [u8; 8] = reader.array()?;
        if magic != FIRST && magic != SECOND {
            return Err(Refusal::new(Code::BadMagic).needed("ZGPOLIC2"));
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
            later: if magic == SECOND { Some(Later::decode(reader)?) } else { None },
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

impl Decode for Later {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            shards: match reader.u8()? {
                0 => Shards::Alone,
                1 => Shards::Followed,
                other => return Err(Refusal::new(Code::UnknownTag).needed(1_u64).found(other)),
            },
            services: reader.list(MAX_LIST, |r| {
                Ok(Service {
                    institution: r.text(MAX_NAME)?,
                    issuer: r.option(|r| r.text(MAX_SERVICE))?,
                    key: r.bytes(MAX_SERVICE)?.to_vec(),
                })
            })?,
        })
    }
}

impl Service {
    /// Its key, read.
    pub(crate) fn parsed(&self) -> Result<cose::Key, Refusal> {
        cose::Key::parse(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_named_below_the_origin_and_nothing_else_is_one() {
        for (origin, log) in [
            ("log.example/one", "log.example/one"),
            ("log.example/one/shard/2027", "log.example/one"),
            ("log.example/one/shard/2027/audit", "log.example/one/shard/2027/audit"),
            ("log.example/one/shard/", "log.example/one/shard/"),
            ("log.example/one/shard/a b", "log.example/one/shard/a b"),
            ("/shard/x", "/shard/x"),
            ("log.example/one/shard/a/shard/b", "log.example/one/shard/a"),
        ] {
            assert_eq!(log_of(origin), log, "{origin}");
        }
    }
}
