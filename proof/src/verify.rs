//! Verification of the one proof.

use crate::body::Body;
use crate::file::{Endorsement, Proof};
use crate::header::Header;
use crate::leaf::Leaf;
use crate::tree::{verify_consistency, verify_inclusion};
use crate::trust::{EraStanding, Trust, TrustedEra};
use zeugma_types::{Code, Decode, Era, HashSuite, LeafIndex, LeafPath, Refusal, SealSuite, Value};

/// What bound the header to its era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The threshold certificate.
    Certificate,
    /// A second seal of this suite.
    Seal(SealSuite),
}

/// What was proved. Only [`verify()`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    header: Header,
    leaf: Leaf,
    body: Option<Body>,
    suite: HashSuite,
    index: LeafIndex,
    by: By,
    era: EraStanding,
}

impl Proven {
    /// What the network said.
    #[must_use]
    pub const fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// The body behind the leaf's value, where the file carried it; its path and value were checked.
    #[must_use]
    pub const fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// The header under which it is proved.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The era whose committee stands for it.
    #[must_use]
    pub const fn era(&self) -> Era {
        self.header.era
    }

    /// Whether that era's key is the present one or a retired one.
    #[must_use]
    pub const fn era_standing(&self) -> EraStanding {
        self.era
    }

    /// The hash suite of the tree.
    #[must_use]
    pub const fn suite(&self) -> HashSuite {
        self.suite
    }

    /// The leaf's position in the outbox.
    #[must_use]
    pub const fn index(&self) -> LeafIndex {
        self.index
    }

    /// What bound the header to the era.
    #[must_use]
    pub const fn by(&self) -> By {
        self.by
    }
}

/// What the leaf must say, where the caller knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// Under this path.
    pub path: Option<&'a LeafPath>,
    /// This value.
    pub value: Option<&'a Value>,
}

/// Verifies a proof file, in the normative order.
///
/// # Errors
/// The first rule that broke: a refusal of the 100s for the bytes, then [`Code::WrongNetwork`],
/// [`Code::UnknownEra`], [`Code::RetiredEra`], [`Code::TrustExpired`], [`Code::LeafAhead`],
/// [`Code::NoSuchRoot`], [`Code::IndexOutOfTree`], [`Code::PathLength`], [`Code::NotIncluded`], the
/// codes of consistency, [`Code::WrongEpoch`], [`Code::BadSignature`] or the codes of a quorum, and last
/// those of the body.
pub fn verify(proof: &[u8], trust: &Trust) -> Result<Proven, Refusal> {
    verify_expected(proof, trust, Expected::default())
}

/// Verifies a proof file whose leaf must say what is expected.
///
/// # Errors
/// As [`verify()`]; [`Code::WrongPath`], [`Code::WrongValue`].
pub fn verify_expected(proof: &[u8], trust: &Trust, expected: Expected<'_>) -> Result<Proven, Refusal> {
    verify_decoded(Proof::from_bytes(proof)?, trust, expected)
}

/// Verifies a proof that was decoded as part of something larger.
///
/// # Errors
/// As [`verify_expected`], but for the bytes.
pub fn verify_decoded(proof: Proof, trust: &Trust, expected: Expected<'_>) -> Result<Proven, Refusal> {
    for network in [&proof.header.network, &proof.leaf.network] {
        if network != trust.network() {
            let (needed, found) = (*trust.network().as_bytes(), *network.as_bytes());
            return Err(Refusal::new(Code::WrongNetwork).needed(needed).found(found));
        }
    }
    let era = trust.accepted(proof.header.era)?;
    check_inclusion(&proof)?;
    check_pin(&proof, era)?;
    let by = check_endorsement(&proof, era)?;
    let body = check_said(&proof, expected)?;
    Ok(Proven {
        suite: proof.inclusion.suite,
        index: proof.inclusion.index,
        header: proof.header,
        leaf: proof.leaf,
        body,
        by,
        era: era.standing(),
    })
}

fn check_inclusion(proof: &Proof) -> Result<(), Refusal> {
    let (header, leaf, inclusion) = (&proof.header, &proof.leaf, &proof.inclusion);
    if leaf.height > header.height {
        return Err(Refusal::new(Code::LeafAhead).needed(header.height.get()).found(leaf.height.get()));
    }
    if leaf.time > header.time {
        return Err(Refusal::new(Code::LeafAhead).needed(header.time.get()).found(leaf.time.get()));
    }
    let root = header.outbox.root(inclusion.suite)?;
    let hash = leaf.hash(inclusion.suite);
    let size = header.outbox.size;
    verify_inclusion(inclusion.suite, hash.as_bytes(), inclusion.index, size, &inclusion.path, root)
}

/// A retired key proves only into the outbox that its hand-over pinned.
fn check_pin(proof: &Proof, era: &TrustedEra) -> Result<(), Refusal> {
    let (pin, path) = match (era.pin(), &proof.consistency) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err(Refusal::new(Code::ConsistencyUnneeded)),
        (Some(_), None) => return Err(Refusal::new(Code::ConsistencyMissing)),
        (Some(pin), Some(path)) => (pin, path),
    };
    let (outbox, suite) = (&proof.header.outbox, proof.inclusion.suite);
    if outbox.size > pin.outbox.size {
        return Err(Refusal::new(Code::BeyondPin).needed(pin.outbox.size.get()).found(outbox.size.get()));
    }
    let pinned = (pin.outbox.size, pin.outbox.root(suite)?);
    verify_consistency(suite, (outbox.size, outbox.root(suite)?), pinned, path)
}

fn check_endorsement(proof: &Proof, era: &TrustedEra) -> Result<By, Refusal> {
    let header = &proof.header;
    let digest = header.digest();
    match &proof.endorsement {
        Endorsement::Certificate(certificate) => {
            if certificate.epoch != header.epoch {
                let (needed, found) = (header.epoch.get(), certificate.epoch.get());
                return Err(Refusal::new(Code::WrongEpoch).needed(needed).found(found));
            }
            certificate.verify(era.key(), &header.network, &digest)?;
            Ok(By::Certificate)
        }
        Endorsement::Seal(seal) => {
            let committee = era
                .committee()
                .ok_or_else(|| Refusal::new(Code::UnsupportedSuite).found(seal.suite.name()))?;
            seal.verify(committee, &header.network, header.era, &digest)?;
            Ok(By::Seal(seal.suite))
        }
    }
}

fn check_said(proof: &Proof, expected: Expected<'_>) -> Result<Option<Body>, Refusal> {
    let leaf = &proof.leaf;
    if expected.path.is_some_and(|path| *path != leaf.path) {
        return Err(Refusal::new(Code::WrongPath));
    }
    if let Some(value) = expected.value.filter(|value| **value != leaf.value) {
        return Err(Refusal::new(Code::WrongValue).needed(*value.as_bytes()).found(*leaf.value.as_bytes()));
    }
    let Some(opening) = &proof.opening else { return Ok(None) };
    let body = Body::decode_as(leaf.path.namespace(), opening)?;
    if body.path() != leaf.path {
        return Err(Refusal::new(Code::WrongPath));
    }
    let value = body.value(leaf.format.suite());
    if value != leaf.value {
        return Err(Refusal::new(Code::WrongOpening).needed(*leaf.value.as_bytes()).found(*value.as_bytes()));
    }
    Ok(Some(body))
}
