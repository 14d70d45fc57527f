//! The network's proof: that it recorded the checkpoint in whose trees the entry stands.

use super::{Claim, Judge, Kind};
use crate::ageing::Names;
use crate::report::{Line, Moment, Word};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use zeugma_proof::body::{Body, LogView};
use zeugma_proof::{By, Leaf, Proven, Reliance};
use zeugma_types::{Code, HashSuite, Permanence, Refusal};

impl Judge<'_> {
    /// The network's proof is of this very checkpoint, in both trees.
    pub(super) fn proof(&mut self, (first, second): (LogView, Option<LogView>)) -> Result<(), Refusal> {
        let Some(proof) = &self.bundle.proof else { return self.miss(Line::new(Word::NoProof)) };
        let trust = self.question.trust.at(self.question.time, Reliance::Court);
        let proven = match zeugma_proof::verify(proof, &trust) {
            Ok(proven) => proven,
            // A newer trust file may know the era: that is no fault of the bundle.
            Err(why) if why.permanence() == Permanence::NotYet || why.code == Code::UnknownEra => {
                return self.miss(Line::new(Word::ProofNotAccepted).code(why.code));
            }
            Err(why) => return Err(why),
        };
        let anchor = match proven.body() {
            Some(Body::Anchor(anchor)) => anchor,
            Some(_) => return Err(Refusal::new(Code::WrongPath).needed("anchor")),
            None => return Err(Refusal::new(Code::OpeningMissing)),
        };
        if anchor.origin != self.origin {
            let needed = self.origin.clone();
            return Err(Refusal::new(Code::WrongOrigin).needed(needed).found(anchor.origin.clone()));
        }
        if anchor.log.size != first.size {
            let (needed, found) = (anchor.log.size.get(), first.size.get());
            return Err(Refusal::new(Code::NotAnchoredSize).needed(needed).found(found));
        }
        for (suite, view) in [(HashSuite::Sha256, Some(first)), (HashSuite::Sm3, second)] {
            let Some(view) = view else { continue };
            let root = anchor.log.root(suite)?;
            if *root != view.root {
                return Err(Refusal::new(Code::NotAnchoredSize).needed(*root).found(view.root));
            }
        }
        let leaf = proven.leaf();
        let signature = endorsed(&proven);
        let who = network(leaf);
        let at = leaf.time;
        self.claims.push(Claim {
            line: Line::new(Word::Anchored).by(&who).at(at).about(format!("committee-quorum, {signature}")),
            institution: None,
            names: proven_names(&proven),
            moment: Some((Kind::Anchored, Moment { at, accuracy: None, by: who })),
        });
        Ok(())
    }
}

/// What signed the header behind a proof, by its name among the sunsets.
fn endorsed(proven: &Proven) -> String {
    match proven.by() {
        By::Certificate => "bls12-381".into(),
        By::Seal(suite) => suite.name().into(),
    }
}

/// What a proof rests on.
pub(super) fn proven_names(proven: &Proven) -> Names {
    vec![endorsed(proven), proven.suite().name().into(), proven.leaf().format.suite().name().into()]
}

/// The network as a report names it.
pub(super) fn network(leaf: &Leaf) -> String {
    format!("network {}", &crate::json::hex(leaf.network.as_bytes())[..16])
}
