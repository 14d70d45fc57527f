//! The bundle: one self-contained file with all that shows what happened to an entry.
//!
//! It carries bytes; [`crate::verify()`] says what they show. What it holds about times is kept apart: the
//! receipt says when the service took the entry, the log's checkpoint and its witnesses say when it was
//! logged, the network and the time authorities say when the checkpoint existed. Everything before the
//! renewals is fixed once a renewal is there: each renewal is over all bytes before it, in two hash suites.
//! The seal at the end is the same over the whole, so that damage is found before anything is judged; it is
//! nobody's signature, and shows nothing.
//!
//! Source: `docs/byte-layout.md`, section 13.

mod in_force;
mod receipt;
mod rule_verdict;
mod view;

pub use in_force::InForce;
pub use receipt::Receipt;
pub use rule_verdict::{Head, Outcome, RuleFinding, RuleVerdict, Statement};

use crate::tsp::MAX_TOKEN;
use crate::x509::{MAX_CERTIFICATE, MAX_CRL};
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::hash::framed_with;
use zeugma_evidence_log::{Disclosure, Entry};
use zeugma_proof::MAX_PROOF;
use zeugma_proof::tree::{Hash, MAX_INCLUSION};
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{Code, Decode, Encode, HashSuite, LeafIndex, Purpose, Reader, Refusal};

/// First bytes of every bundle; the last is the version.
const MAGIC: [u8; 8] = *b"ZGBUNDL1";

/// Longest bundle, in bytes.
pub const MAX_BUNDLE: usize = 32 * 1024 * 1024;
/// Longest signed note, in bytes.
pub const MAX_NOTE: usize = 64 * 1024;
/// Most time-stamps at one place.
pub const MAX_STAMPS: usize = 16;
/// Most X.509 certificates beside one time-stamp.
const MAX_CERTIFICATES: usize = 24;
/// Most revocation lists and answers of responders beside one time-stamp.
pub const MAX_LISTS: usize = 16;
/// Most verdicts of rule packs.
pub const MAX_VERDICTS: usize = 16;
/// Most other anchors.
const MAX_ANCHORS: usize = 32;
/// Longest other anchor, in bytes.
pub const MAX_ANCHOR: usize = 1024 * 1024;
/// Most renewals: one every few years for longer than any archive is planned.
pub const MAX_RENEWALS: usize = 64;

/// One tree's proof that the entry is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The signed note of the checkpoint, with its cosignatures: of the size that was anchored.
    pub note: String,
    /// Hashes from the leaf up.
    pub path: Vec<Hash>,
}

/// Where the entry stands in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// Its position, the same in both trees.
    pub index: LeafIndex,
    /// In the tree of SHA-256.
    pub first: Logged,
    /// In the tree of SM3, of a log that has it.
    pub second: Option<Logged>,
}

/// A trusted time-stamp with what it takes to judge it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The `TimeStampToken`, in DER.
    pub token: Vec<u8>,
    /// X.509 certificates that may help to reach an anchor, in DER, ascending.
    pub certificates: Vec<Vec<u8>>,
    /// Revocation lists and answers of OCSP responders, in DER, ascending.
    pub revocation: Vec<Vec<u8>>,
}

macro_rules! anchors {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// The kinds of other anchors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum AnchorKind {
            $($(#[$doc])* $name = $number,)*
        }

        impl AnchorKind {
            /// Every kind, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in words and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

anchors! {
    /// An OpenTimestamps proof, `.ots`.
    OpenTimestamps = 1, "opentimestamps";
    /// Bitcoin headers and the path to one.
    Bitcoin = 2, "bitcoin";
    /// A light-client update of Ethereum and the path to its state.
    Ethereum = 3, "ethereum";
    /// An evidence record of RFC 4998.
    EvidenceRecord = 4, "evidence-record";
    /// A receipt of RFC 9942.
    Cose = 5, "cose-receipt";
    /// An entry of another court's or platform's chain, as that chain proves it.
    CourtChain = 6, "court-chain";
    /// That a rule pack was in force: [`InForce`].
    InForce = 7, "in-force";
}

/// An anchor of another kind: read where its kind is known and the policy names who is believed, else named in the
/// report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherAnchor {
    /// What it is.
    pub kind: AnchorKind,
    /// Its bytes, in the form of that kind.
    pub bytes: Vec<u8>,
}

/// Digests of the bundle so far, in two hash suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Under SHA-256.
    pub sha256: [u8; 32],
    /// Under SM3.
    pub sm3: [u8; 32],
}

impl Digests {
    fn of(bytes: &[u8]) -> Self {
        let digest = |suite| framed_with(suite, Purpose::Bundle, &[bytes]);
        Self { sha256: digest(HashSuite::Sha256), sm3: digest(HashSuite::Sm3) }
    }

    /// What the time-stamps of a renewal over these digests are over.
    #[must_use]
    pub fn stamped(&self) -> Vec<u8> {
        let mut message = Purpose::Renewal.frame();
        self.encode(&mut message);
        message
    }
}

/// New time-stamps over all that the bundle held before, made while the old algorithms still counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The bundle before this renewal.
    pub over: Digests,
    /// Time-stamps over [`Digests::stamped`].
    pub stamps: Vec<Stamp>,
}

/// All that is known of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The leaf of the log.
    pub entry: Entry,
    /// Its fields, those in clear with their salts.
    pub disclosure: Disclosure,
    /// Where it stands in the log.
    pub logging: Logging,
    /// The promise to log it.
    pub receipt: Option<Receipt>,
    /// The one proof that the network anchored the checkpoint, with its opening.
    pub proof: Option<Vec<u8>>,
    /// Time-stamps over [`stamped_message`].
    pub stamps: Vec<Stamp>,
    /// What rule packs found.
    pub verdicts: Vec<RuleVerdict>,
    /// Other anchors, ascending.
    pub anchors: Vec<OtherAnchor>,
    /// Renewals, oldest first.
    pub renewals: Vec<Renewal>,
    /// Digests of all bytes before, which [`Bundle::sealed`] sets.
    pub seal: Digests,
}

/// What the time-stamps of a bundle are over: the text of the checkpoint, then that of the second tree's.
#[must_use]
pub fn stamped_message(first: &str, second: Option<&str>) -> Vec<u8> {
    let mut message = first.as_bytes().to_vec();
    message.extend_from_slice(second.unwrap_or_default().as_bytes());
    message
}

impl Bundle {
    /// The bundle with the seal of its present content.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.seal = self.digests(self.renewals.len());
        self
    }

    /// Adds a renewal over all that is there, and seals it.
    #[must_use]
    pub fn renewed(mut self, stamps: Vec<Stamp>) -> Self {
        let over = self.digests(self.renewals.len());
        self.renewals.push(Renewal { over, stamps });
        self.sealed()
    }

    /// The digests of all before the renewals and of the first `count` renewals.
    pub(crate) fn digests(&self, count: usize) -> Digests {
        let mut bytes = Vec::new();
        self.encode_base(&mut bytes);
        for renewal in self.renewals.iter().take(count) {
            renewal.encode(&mut bytes);
        }
        Digests::of(&bytes)
    }

    fn encode_base(&self, out: &mut Vec<u8>) {
        MAGIC.encode(out);
        self.entry.encode(out);
        self.disclosure.encode(out);
        self.logging.encode(out);
        put_option(out, self.receipt.as_ref(), |out, receipt| receipt.encode(out));
        put_option(out, self.proof.as_ref(), |out, proof| put_bytes(out, proof));
        put_list(out, &self.stamps, |out, stamp| stamp.encode(out));
        put_list(out, &self.verdicts, |out, verdict| verdict.encode(out));
        put_list(out, &self.anchors, |out, anchor| anchor.encode(out));
    }
}

impl Encode for Bundle {
    fn encode(&self, out: &mut Vec<u8>) {
        self.encode_base(out);
        put_list(out, &self.renewals, |out, renewal| renewal.encode(out));
        self.seal.encode(out);
    }
}

impl Decode for Bundle {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        if reader.array()? != MAGIC {
            return Err(Refusal::new(Code::BadMagic).needed("ZGBUNDL1"));
        }
        let bundle = Self {
            entry: Entry::decode(reader)?,
            disclosure: Disclosure::decode(reader)?,
            logging: Logging::decode(reader)?,
            receipt: reader.option(Receipt::decode)?,
            proof: reader.option(|r| Ok(r.bytes(MAX_PROOF)?.to_vec()))?,
            stamps: reader.list(MAX_STAMPS, Stamp::decode)?,
            verdicts: reader.list(MAX_VERDICTS, RuleVerdict::decode)?,
            anchors: ascending(reader.list(MAX_ANCHORS, OtherAnchor::decode)?)?,
            renewals: reader.list(MAX_RENEWALS, Renewal::decode)?,
            seal: Digests::decode(reader)?,
        };
        Ok(bundle)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_BUNDLE {
            return Err(Refusal::new(Code::TooLong).needed(MAX_BUNDLE).found(bytes.len()));
        }
        let mut reader = Reader::new(bytes);
        let bundle = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(bundle)
    }
}

fn ascending<T: PartialOrd>(list: Vec<T>) -> Result<Vec<T>, Refusal> {
    if list.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Refusal::new(Code::NotSorted));
    }
    Ok(list)
}

impl Encode for Logged {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.note.as_bytes());
        put_list(out, &self.path, |out, hash| hash.encode(out));
    }
}

impl Decode for Logged {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { note: reader.text(MAX_NOTE)?, path: reader.list(MAX_INCLUSION, Reader::array)? })
    }
}

impl Encode for Logging {
    fn encode(&self, out: &mut Vec<u8>) {
        self.index.encode(out);
        self.first.encode(out);
        put_option(out, self.second.as_ref(), |out, second| second.encode(out));
    }
}

impl Decode for Logging {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            index: LeafIndex::decode(reader)?,
            first: Logged::decode(reader)?,
            second: reader.option(Logged::decode)?,
        })
    }
}

impl Encode for Stamp {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.token);
        put_list(out, &self.certificates, |out, one| put_bytes(out, one));
        put_list(out, &self.revocation, |out, one| put_bytes(out, one));
    }
}

impl Decode for Stamp {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let token = reader.bytes(MAX_TOKEN)?.to_vec();
        crate::tsp::check_canonical(&token)?;
        let certificates = reader.list(MAX_CERTIFICATES, |r| Ok(r.bytes(MAX_CERTIFICATE)?.to_vec()))?;
        let revocation = reader.list(MAX_LISTS, |r| Ok(r.bytes(MAX_CRL)?.to_vec()))?;
        Ok(Self { token, certificates: ascending(certificates)?, revocation: ascending(revocation)? })
    }
}

impl Encode for OtherAnchor {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.kind as u16).encode(out);
        put_bytes(out, &self.bytes);
    }
}

impl Decode for OtherAnchor {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let number = reader.u16()?;
        let kind = AnchorKind::ALL.iter().copied().find(|kind| *kind as u16 == number);
        let kind = kind.ok_or_else(|| Refusal::new(Code::UnknownTag).found(number))?;
        Ok(Self { kind, bytes: reader.bytes(MAX_ANCHOR)?.to_vec() })
    }
}

impl Encode for Digests {
    fn encode(&self, out: &mut Vec<u8>) {
        self.sha256.encode(out);
        self.sm3.encode(out);
    }
}

impl Decode for Digests {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { sha256: reader.array()?, sm3: reader.array()? })
    }
}

impl Encode for Renewal {
    fn encode(&self, out: &mut Vec<u8>) {
        self.over.encode(out);
        put_list(out, &self.stamps, |out, stamp| stamp.encode(out));
    }
}

impl Decode for Renewal {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let over = Digests::decode(reader)?;
        let stamps = reader.list(MAX_STAMPS, Stamp::decode)?;
        if stamps.is_empty() {
            return Err(Refusal::new(Code::EmptySet));
        }
        Ok(Self { over, stamps })
    }
}
