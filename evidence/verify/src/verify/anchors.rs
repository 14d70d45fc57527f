//! The other anchors that can be read: receipts of transparency services, and that a rule pack was in force.
//!
//! A COSE receipt is read under a policy that names transparency services. It must be of the checkpoint that the
//! time-stamps are over, or of the entry. That a pack was in force takes nobody but the network.

use super::proof::{network, proven_names};
use super::{Claim, Given, Judge};
use crate::bundle::{AnchorKind, InForce};
use crate::cose::{Algorithm, Proof, Receipt};
use crate::report::{Line, Word};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use zeugma_proof::body::{Body, Registered};
use zeugma_proof::{Proven, Reliance};
use zeugma_types::{BlockTime, Code, Decode, HashSuite, Permanence, Refusal};

/// The registry's number for rule packs.
const RULE_PACK: u8 = 2;

/// A pack, and from when to when it is shown to have been in force.
struct Shown {
    name: String,
    digest: [u8; 32],
    since: BlockTime,
    until: BlockTime,
    by: String,
    names: Vec<String>,
}

impl Shown {
    fn covers(&self, given: &Given) -> bool {
        self.name == given.pack
            && self.digest == given.digest
            && self.since <= given.at
            && given.at <= self.until
    }
}

impl Judge<'_> {
    /// Whether anchors of this kind are read, and not only carried.
    pub(super) fn is_read(&self, kind: AnchorKind) -> bool {
        match kind {
            AnchorKind::InForce => true,
            AnchorKind::Cose => self.question.policy.later.is_some(),
            _ => false,
        }
    }

    pub(super) fn anchors(&mut self) -> Result<(), Refusal> {
        let mut shown = Vec::new();
        let bundle = self.bundle;
        for anchor in bundle.anchors.iter().filter(|anchor| self.is_read(anchor.kind)).collect::<Vec<_>>() {
            if anchor.kind == AnchorKind::Cose {
                self.receipt_elsewhere(&anchor.bytes)?;
            } else {
                shown.extend(self.in_force(&anchor.bytes)?);
            }
        }
        self.packs(&shown);
        Ok(())
    }

    /// One receipt of a transparency service.
    fn receipt_elsewhere(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let receipt = Receipt::parse(bytes)?;
        let names = |issuer: &Option<String>| issuer.is_none() || issuer.as_deref() == receipt.issuer();
        let (mut held, mut why) = (None, None);
        for (service, key) in self.keys.services.iter().filter(|(service, _)| names(&service.issuer)) {
            for (what, over) in [("checkpoint", &self.message), ("entry", &self.entry)] {
                match receipt.verify_inclusion(over, key) {
                    Ok(_) => held = held.or(Some((service.institution.clone(), what))),
                    Err(refusal) => why = why.or(Some(refusal)),
                }
            }
        }
        let Some((by, what)) = held else {
            return match why {
                Some(refusal) => Err(refusal),
                None => {
                    let line = Line::new(Word::UnknownTransparencyService);
                    self.miss(line.about(receipt.issuer().unwrap_or_default()))
                }
            };
        };
        let signed: &[&str] = match receipt.algorithm() {
            Algorithm::Es256 => &["ecdsa-p256"],
            Algorithm::Es384 => &["ecdsa-p384", "sha384"],
            Algorithm::EdDsa => &["ed25519"],
        };
        let place = match receipt.proof() {
            Proof::Inclusion { index, size, .. } => format!("{}/{}", index.get(), size.get()),
            Proof::Consistency { .. } => String::new(),
        };
        self.claims.push(Claim {
            line: Line::new(Word::HeldElsewhere).by(&by).about(format!("{what}, {place}, {}", signed[0])),
            institution: Some(by),
            names: signed.iter().copied().chain(["sha256"]).map(Into::into).collect(),
            moment: None,
        });
        Ok(())
    }

    /// From when to when a pack was in force; `None` when the trust file does not reach so far.
    fn in_force(&mut self, bytes: &[u8]) -> Result<Option<Shown>, Refusal> {
        let carried = InForce::from_bytes(bytes)?;
        let Some(registered) = self.believed(&carried.registered)? else { return Ok(None) };
        let Some(standing) = self.believed(&carried.standing)? else { return Ok(None) };
        let opening =
            |proven: &Proven| proven.body().cloned().ok_or_else(|| Refusal::new(Code::OpeningMissing));
        let wrong = |needed: &'static str| Err(Refusal::new(Code::WrongPath).needed(needed));
        let Body::Registered(Registered { kind: RULE_PACK, name, digest, from }) = opening(&registered)?
        else {
            return wrong("a rule pack of the registry");
        };
        let Body::Standing(said) = opening(&standing)? else { return wrong("standing") };
        said.verify_presence(&carried.neighbour)?;
        let (leaf, entry) = (registered.leaf(), &carried.neighbour.entry);
        if entry.path != leaf.path {
            return wrong("the path of the registry's leaf");
        }
        let is_latest = entry.leaf == leaf.hash(HashSuite::Sha256);
        match digest.filter(|_| is_latest && from <= leaf.height) {
            None => Err(Refusal::new(Code::NotStanding).found(name)),
            Some(digest) => Ok(Some(Shown {
                name,
                digest,
                since: leaf.time,
                until: standing.leaf().time,
                by: network(leaf),
                names: [proven_names(&registered), proven_names(&standing), vec!["sha256".into()]].concat(),
            })),
        }
    }

    /// A proof of the network; `None`, and a line, when the trust file does not reach so far.
    fn believed(&mut self, proof: &[u8]) -> Result<Option<Proven>, Refusal> {
        let trust = self.question.trust.at(self.question.time, Reliance::Court);
        match zeugma_proof::verify(proof, &trust) {
            Ok(proven) => Ok(Some(proven)),
            Err(why) if why.permanence() == Permanence::NotYet || why.code == Code::UnknownEra => {
                let line = Line::new(Word::ProofNotAccepted).about(AnchorKind::InForce.name());
                self.miss(line.code(why.code))?;
                Ok(None)
            }
            Err(why) => Err(why),
        }
    }

    /// For each verdict, whether its pack was in force when it was given.
    fn packs(&mut self, shown: &[Shown]) {
        for given in core::mem::take(&mut self.given) {
            let pack = format!("{} {}", given.pack, given.version);
            match shown.iter().find(|shown| shown.covers(&given)) {
                Some(shown) => self.claims.push(Claim {
                    line: Line::new(Word::PackInForce).by(&shown.by).at(shown.until).about(pack),
                    institution: None,
                    names: shown.names.clone(),
                    moment: None,
                }),
                None if self.question.policy.later.is_some() => {
                    self.not_shown.push(Line::new(Word::PackForceNotShown).about(pack).at(given.at));
                }
                None => {}
            }
        }
    }
}
