//! A planted bug: the engine's quorum minus one.
//!
//! Beside every honest node stands what such an engine would do: it makes a certificate as soon as it heard one vote
//! less than a quorum for one thing, its own among them, and tells everyone. A certificate takes the shares of a quorum,
//! so the one that is missing is made here, with the key of a validator that did not vote. The nodes are the product's,
//! and check every certificate as they always do.

use commonware_codec::{Encode as _, ReadExt as _, varint::UInt};
use commonware_consensus::simplex::types::{
    Attributable as _, Certificate, Finalization, Finalize, Notarization, Notarize, Nullification, Nullify,
    Vote,
};
use commonware_consensus::types::Round;
use commonware_consensus::{Epochable as _, Viewable as _};
use commonware_p2p::{Recipients, Sender, utils::mux};
use commonware_parallel::Sequential;
use commonware_runtime::IoBuf;
use commonware_utils::{Faults, N3f1, Participant, non_empty};
use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
use rand_core::SeedableRng as _;
use std::collections::{BTreeMap, BTreeSet};
use zeugma_node::consensus::{Digest, PublicKey, Scheme};

/// What a vote is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Notarize(Digest),
    Nullify,
    Finalize(Digest),
}

/// What one validator heard of one view, and said itself.
struct Lax {
    /// What every validator signs with.
    schemes: Vec<Scheme>,
    /// Votes of a quorum.
    quorum: usize,
    votes: BTreeMap<(Round, Subject), BTreeMap<Participant, Vote<Scheme, Digest>>>,
    certified: BTreeSet<(Round, Subject)>,
    rng: rand_chacha::ChaCha20Rng,
}

/// Makes certificates of the votes that are heard, and sends them.
pub(crate) async fn certify(
    schemes: Vec<Scheme>,
    mut heard: UnboundedReceiver<IoBuf>,
    mut to: impl Sender<PublicKey = PublicKey>,
) {
    let rng = rand_chacha::ChaCha20Rng::from_seed([3; 32]);
    let quorum = usize::try_from(N3f1::quorum(schemes.len())).expect("few validators");
    let mut lax = Lax { schemes, quorum, votes: BTreeMap::new(), certified: BTreeSet::new(), rng };
    while let Some(message) = heard.next().await {
        let Some((epoch, certificate)) = lax.hear(message) else { continue };
        let mut bytes = UInt(epoch).encode().to_vec();
        bytes.extend_from_slice(&certificate.encode());
        let _ = to.send(Recipients::All, bytes::Bytes::from(bytes), true);
    }
}

impl Lax {
    fn hear(&mut self, message: IoBuf) -> Option<(u64, Certificate<Scheme, Digest>)> {
        let (epoch, mut message) = mux::parse(message).ok()?;
        let vote = Vote::<Scheme, Digest>::read(&mut message).ok()?;
        let (round, subject, signer, good) = match &vote {
            Vote::Notarize(vote) => {
                let good = vote.verify(&mut self.rng, &self.schemes[0], &Sequential);
                (vote.proposal.round, Subject::Notarize(vote.proposal.payload), vote.signer(), good)
            }
            Vote::Nullify(vote) => {
                let good = vote.verify::<_, Digest>(&mut self.rng, &self.schemes[0], &Sequential);
                (Round::new(vote.epoch(), vote.view()), Subject::Nullify, vote.signer(), good)
            }
            Vote::Finalize(vote) => {
                let good = vote.verify(&mut self.rng, &self.schemes[0], &Sequential);
                (vote.proposal.round, Subject::Finalize(vote.proposal.payload), vote.signer(), good)
            }
        };
        let key = (round, subject);
        if !good || round.epoch().get() != epoch || self.certified.contains(&key) {
            return None;
        }
        let votes = self.votes.entry(key.clone()).or_default();
        votes.insert(signer, vote);
        if votes.len() + 1 < self.quorum {
            return None;
        }
        let mut votes = self.votes.remove(&key)?;
        let first = votes.values().next()?.clone();
        for scheme in &self.schemes {
            if votes.len() < self.quorum {
                let (signer, vote) = like(&first, scheme)?;
                votes.entry(signer).or_insert(vote);
            }
        }
        self.certified.insert(key);
        Some((epoch, certificate(&self.schemes[0], &votes.into_values().collect::<Vec<_>>())?))
    }
}

/// The same vote by another validator.
fn like(vote: &Vote<Scheme, Digest>, by: &Scheme) -> Option<(Participant, Vote<Scheme, Digest>)> {
    match vote {
        Vote::Notarize(vote) => {
            Notarize::sign(by, vote.proposal.clone()).map(|vote| (vote.signer(), Vote::Notarize(vote)))
        }
        Vote::Nullify(vote) => Nullify::sign::<Digest>(by, Round::new(vote.epoch(), vote.view()))
            .map(|vote| (vote.signer(), Vote::Nullify(vote))),
        Vote::Finalize(vote) => {
            Finalize::sign(by, vote.proposal.clone()).map(|vote| (vote.signer(), Vote::Finalize(vote)))
        }
    }
}

/// The certificate of votes for one thing.
fn certificate(scheme: &Scheme, votes: &[Vote<Scheme, Digest>]) -> Option<Certificate<Scheme, Digest>> {
    match votes.first()? {
        Vote::Notarize(_) => {
            let votes: Vec<&Notarize<_, _>> = votes
                .iter()
                .filter_map(|vote| match vote {
                    Vote::Notarize(vote) => Some(vote),
                    _ => None,
                })
                .collect();
            let made = Notarization::from_notarizes(scheme, non_empty![@votes], &Sequential);
            made.ok().map(Certificate::Notarization)
        }
        Vote::Nullify(_) => {
            let votes: Vec<&Nullify<_>> = votes
                .iter()
                .filter_map(|vote| match vote {
                    Vote::Nullify(vote) => Some(vote),
                    _ => None,
                })
                .collect();
            let made = Nullification::from_nullifies(scheme, non_empty![@votes], &Sequential);
            made.ok().map(Certificate::Nullification)
        }
        Vote::Finalize(_) => {
            let votes: Vec<&Finalize<_, _>> = votes
                .iter()
                .filter_map(|vote| match vote {
                    Vote::Finalize(vote) => Some(vote),
                    _ => None,
                })
                .collect();
            let made = Finalization::from_finalizes(scheme, non_empty![@votes], &Sequential);
            made.ok().map(Certificate::Finalization)
        }
    }
}
