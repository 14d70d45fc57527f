//! The trust file: where every verifier starts.
//!
//! It lists each era's key, how it was made and by whom, what each hand-over pinned, when algorithms
//! stop counting, and the institutions that sign the file. Courts get its fingerprint on paper and its
//! bytes on line; the fingerprint covers all but the signatures.

use crate::committee::Committee;
use crate::header::Outbox;
use crate::institution::{Institutions, Signatures};
use crate::trust::{Pin, Reliance, Trust};
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::hash::framed;
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{BlockTime, Code, Decode, Encode, Era, NetworkId, Purpose, Reader, Refusal, Span};

/// First bytes of every trust file; the last is the version.
const MAGIC: [u8; 8] = *b"ZGTRUST1";

/// Longest trust file, in bytes.
pub const MAX_TRUST_FILE: usize = 16 * 1024 * 1024;
/// Most eras of a trust file.
const MAX_ERAS: usize = 4_096;
/// Most sunset dates.
const MAX_SUNSETS: usize = 64;

/// One era in a trust file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EraEntry {
    /// The era.
    pub era: Era,
    /// Who certified, or certifies, in it.
    pub committee: Committee,
    /// The outbox its hand-over pinned; absent for the present era alone.
    pub pin: Option<Outbox>,
}

/// The instant from which signatures of an algorithm count only where a living one shows that they
/// existed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sunset {
    /// The algorithm's name.
    pub algorithm: String,
    /// The instant.
    pub at: BlockTime,
}

/// A trust file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustFile {
    /// The network.
    pub network: NetworkId,
    /// When the file was made.
    pub issued_at: BlockTime,
    /// How long after that the present key is believed.
    pub trusting_period: Span,
    /// Consecutive, ascending; all but the last are retired and pinned.
    eras: Vec<EraEntry>,
    /// When algorithms stop counting, ascending by name.
    pub sunsets: Vec<Sunset>,
    /// Who signs this file, and the next.
    pub institutions: Institutions,
    /// Signatures over [`TrustFile::fingerprint`].
    pub signatures: Signatures,
}

impl TrustFile {
    /// An unsigned file.
    ///
    /// # Errors
    /// [`Code::EmptySet`] without an era, [`Code::NotNextEra`] unless the eras follow each other,
    /// [`Code::ConsistencyMissing`] unless exactly the retired eras are pinned.
    pub fn new(
        network: NetworkId,
        issued_at: BlockTime,
        trusting_period: Span,
        eras: Vec<EraEntry>,
        institutions: Institutions,
    ) -> Result<Self, Refusal> {
        check_eras(&eras)?;
        let (sunsets, signatures) = (Vec::new(), Signatures::default());
        Ok(Self { network, issued_at, trusting_period, eras, sunsets, institutions, signatures })
    }

    /// The eras, ascending; never empty.
    #[must_use]
    pub fn eras(&self) -> &[EraEntry] {
        &self.eras
    }

    /// What the institutions sign and what is printed on paper: all but the signatures.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        framed(Purpose::TrustFile, &[&self.unsigned()])
    }

    /// Checks that enough of `institutions` (those of an older file, or known from paper) signed.
    ///
    /// # Errors
    /// [`Code::TrustFileUnsigned`] without signatures, or as [`Institutions::verify`].
    pub fn verify(&self, institutions: &Institutions) -> Result<(), Refusal> {
        if self.signatures.list().is_empty() {
            return Err(Refusal::new(Code::TrustFileUnsigned).needed(institutions.threshold()).found(0_u64));
        }
        institutions.verify(&self.fingerprint(), &self.signatures)
    }

    /// The keys believed at `time`. Past the trusting period the present key no longer counts: its
    /// committee may have handed over since, and retired shares still sign. Retired keys keep counting,
    /// into what is pinned.
    ///
    /// # Panics
    /// Never: the eras were checked when the file was made or read.
    #[must_use]
    pub fn at(&self, time: BlockTime, reliance: Reliance) -> Trust {
        let mut eras = self.eras.iter();
        let first = eras.next().expect("a trust file has an era");
        let mut trust = Trust::new(self.network, reliance, first.era, first.committee.clone());
        let mut pin = first.pin.clone();
        for next in eras {
            let outbox = pin.expect("all but the last era are pinned");
            trust
                .succeed(next.era, next.committee.clone(), Pin { outbox })
                .expect("the eras of a trust file follow each other");
            pin = next.pin.clone();
        }
        if self.issued_at.after(self.trusting_period).is_some_and(|end| time >= end) {
            trust.expire();
        }
        trust
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        self.network.encode(&mut out);
        self.issued_at.encode(&mut out);
        self.trusting_period.encode(&mut out);
        put_list(&mut out, &self.eras, |out, entry| entry.encode(out));
        put_list(&mut out, &self.sunsets, |out, sunset| sunset.encode(out));
        self.institutions.encode(&mut out);
        out
    }
}

fn check_eras(eras: &[EraEntry]) -> Result<(), Refusal> {
    let Some((present, retired)) = eras.split_last() else { return Err(Refusal::new(Code::EmptySet)) };
    if present.pin.is_some() || retired.iter().any(|entry| entry.pin.is_none()) {
        return Err(Refusal::new(Code::ConsistencyMissing));
    }
    match eras.windows(2).find(|pair| pair[0].era.next() != Some(pair[1].era)) {
        Some(pair) => Err(Refusal::new(Code::NotNextEra).needed(pair[0].era.get()).found(pair[1].era.get())),
        None => Ok(()),
    }
}

impl Encode for EraEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        self.era.encode(out);
        self.committee.encode(out);
        put_option(out, self.pin.as_ref(), |out, pin| pin.encode(out));
    }
}

impl Decode for EraEntry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            era: Era::decode(reader)?,
            committee: Committee::decode(reader)?,
            pin: reader.option(Outbox::decode)?,
        })
    }
}

impl Sunset {
    /// Longest name of an algorithm, in bytes.
    pub const MAX_NAME: usize = 32;
}

impl Encode for Sunset {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.algorithm.as_bytes());
        self.at.encode(out);
    }
}

impl Decode for Sunset {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { algorithm: reader.text(Self::MAX_NAME)?, at: BlockTime::decode(reader)? })
    }
}

impl Encode for TrustFile {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.unsigned());
        self.signatures.encode(out);
    }
}

impl Decode for TrustFile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        if reader.array()? != MAGIC {
            return Err(Refusal::new(Code::BadMagic).needed("ZGTRUST1"));
        }
        let file = Self {
            network: NetworkId::decode(reader)?,
            issued_at: BlockTime::decode(reader)?,
            trusting_period: Span::decode(reader)?,
            eras: reader.list(MAX_ERAS, EraEntry::decode)?,
            sunsets: reader.list(MAX_SUNSETS, Sunset::decode)?,
            institutions: Institutions::decode(reader)?,
            signatures: Signatures::decode(reader)?,
        };
        check_eras(&file.eras)?;
        if file.sunsets.windows(2).any(|pair| pair[0].algorithm >= pair[1].algorithm) {
            return Err(Refusal::new(Code::NotSorted));
        }
        Ok(file)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_TRUST_FILE {
            return Err(Refusal::new(Code::TooLong).needed(MAX_TRUST_FILE).found(bytes.len()));
        }
        let mut reader = Reader::new(bytes);
        let file = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(file)
    }
}
