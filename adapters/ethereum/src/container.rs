//! The messages of light clients, as beacon nodes serve them.
//!
//! A message is read in the layout of a fork that the caller names. What the specification marks as absent
//! by zeros is `None` here: a branch of zeros, with nothing but zeros beside it.
//!
//! Source: consensus-specs `specs/{altair,electra,gloas}/light-client/sync-protocol.md`, "Containers".

use crate::committee::Committee;
use crate::fork::Fork;
use crate::header::LightHeader;
use crate::ssz::{Reader, Root, ZERO, depth};
use alloc::vec::Vec;
use zeugma_crypto::bls::min_pk::SIGNATURE_LENGTH;
use zeugma_types::{Code, Refusal};

/// What a light client starts from (`LightClientBootstrap`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// A header that is trusted by its root.
    pub header: LightHeader,
    /// The committee of its period.
    pub committee: Committee,
    /// The committee's place in the header's state.
    pub branch: Vec<Root>,
}

/// What a light client moves by (`LightClientUpdate`; an update of finality or of the head has no
/// committee).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightUpdate {
    /// The header that the committee signed.
    pub attested: LightHeader,
    /// The committee of the next period, and its place in the attested header's state.
    pub next: Option<(Committee, Vec<Root>)>,
    /// The finalized header, and its place in the attested header's state.
    pub finality: Option<(LightHeader, Vec<Root>)>,
    /// Which seats signed.
    pub signed: Vec<bool>,
    /// Their aggregate.
    pub signature: [u8; SIGNATURE_LENGTH],
    /// When they signed.
    pub signature_slot: u64,
}

/// The kinds of messages that move a light client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `LightClientUpdate`.
    Full,
    /// `LightClientFinalityUpdate`.
    Finality,
    /// `LightClientOptimisticUpdate`.
    Optimistic,
}

impl Bootstrap {
    /// Reads a serialized bootstrap in the layout of `fork`, of a committee of `seats`.
    ///
    /// # Errors
    /// A refusal of the 100s.
    pub fn read(bytes: &[u8], fork: Fork, seats: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let header = Slot::read(&mut reader, fork)?;
        let committee = Committee::new(reader.take(Committee::length(seats))?)?;
        let branch = reader.roots(depth(fork.indices().current))?;
        let [header] = headers(reader, fork, [header])?;
        Ok(Self { header, committee, branch })
    }
}

impl LightUpdate {
    /// Reads a serialized message in the layout of `fork`, of a committee of `seats`.
    ///
    /// # Errors
    /// A refusal of the 100s; [`Code::NotCanonical`] where a branch of zeros has something beside it.
    pub fn read(bytes: &[u8], kind: Kind, fork: Fork, seats: usize) -> Result<Self, Refusal> {
        let indices = fork.indices();
        let mut reader = Reader::new(bytes);
        let attested = Slot::read(&mut reader, fork)?;
        let next = match kind {
            Kind::Full => {
                let committee = Committee::new(reader.take(Committee::length(seats))?)?;
                Some((committee, reader.roots(depth(indices.next))?))
            }
            Kind::Finality | Kind::Optimistic => None,
        };
        let finality = match kind {
            Kind::Full | Kind::Finality => {
                let header = Slot::read(&mut reader, fork)?;
                Some((header, reader.roots(depth(indices.finalized))?))
            }
            Kind::Optimistic => None,
        };
        let signed = bits(reader.take(seats / 8)?);
        let signature = reader.array()?;
        let signature_slot = reader.u64()?;
        let (attested, finality) = match finality {
            None => {
                let [attested] = headers(reader, fork, [attested])?;
                (attested, None)
            }
            Some((finalized, branch)) => {
                let [attested, finalized] = headers(reader, fork, [attested, finalized])?;
                (attested, Some((finalized, branch)))
            }
        };
        Self { attested, next, finality, signed, signature, signature_slot }.with_absences(fork)
    }

    /// Turns what is marked as absent by zeros into `None`.
    ///
    /// # Errors
    /// [`Code::NotCanonical`] where a branch of zeros has something beside it.
    pub fn with_absences(mut self, fork: Fork) -> Result<Self, Refusal> {
        let nothing = |branch: &[Root]| branch.iter().all(|hash| *hash == ZERO);
        let wrong = |what: &'static str| Err(Refusal::new(Code::NotCanonical).found(what));
        if let Some((committee, branch)) = &self.next
            && nothing(branch)
        {
            if !committee.is_zero() {
                return wrong("a committee without its branch");
            }
            self.next = None;
        }
        if let Some((header, branch)) = &self.finality
            && nothing(branch)
        {
            if *header != LightHeader::empty(fork) {
                return wrong("a finalized header without its branch");
            }
            self.finality = None;
        }
        Ok(self)
    }

    /// Number of seats that signed.
    #[must_use]
    pub fn participants(&self) -> usize {
        self.signed.iter().filter(|signed| **signed).count()
    }
}

/// The bits of whole bytes, lowest first.
#[must_use]
pub fn bits(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).collect()
}

/// A header in the fixed part of a container: itself, or where it begins.
enum Slot<'a> {
    Here(&'a [u8]),
    At(usize),
}

impl<'a> Slot<'a> {
    fn read(reader: &mut Reader<'a>, fork: Fork) -> Result<Self, Refusal> {
        match LightHeader::is_fixed(fork) {
            Some(length) => reader.take(length).map(Self::Here),
            None => reader.offset().map(Self::At),
        }
    }
}

/// The headers of a container, whose fixed part `reader` has read.
fn headers<const N: usize>(
    reader: Reader<'_>,
    fork: Fork,
    slots: [Slot<'_>; N],
) -> Result<[LightHeader; N], Refusal> {
    let mut parts = [&[][..]; N];
    let mut offsets = [0; N];
    let mut variable = false;
    for (index, slot) in slots.iter().enumerate() {
        match slot {
            Slot::Here(bytes) => parts[index] = bytes,
            Slot::At(offset) => (offsets[index], variable) = (*offset, true),
        }
    }
    if variable {
        parts = reader.parts(offsets)?;
    } else {
        reader.finish()?;
    }
    let mut read = [const { None }; N];
    for (header, part) in read.iter_mut().zip(parts) {
        *header = Some(LightHeader::read(part, fork)?);
    }
    Ok(read.map(|header| header.expect("each header was read above")))
}
