//! Two endpoints name different headers of one height: is one lying, or has the chain two histories?
//!
//! The lowest height at which they differ is found by halving; there both light blocks are verified, each from the
//! newest trusted state that both endpoints share, over common headers where trust is too thin. When both verify it is
//! misbehaviour, and what is handed on is what the adapter accepted as evidence; when one does not, its endpoint lied.
//!
//! Source: CometBFT `spec/light-client/detection/detection_003_reviewed.md`, [LCD-FUNC-DETECTOR.2]; ICS-07, "Misbehaviour
//! predicate".

use crate::endpoint::{Endpoint, Source as _};
use crate::endpoints::{Endpoints, Wary};
use crate::error::Error;
use crate::followed::Followed;
use zeugma_adapter_cometbft::{Evidence, Profile, State, Update, verify};
use zeugma_adapter_core::Misbehaviour;
use zeugma_types::{BlockTime, Code, Height, Permanence, Refusal};

/// What became of a disagreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// They agree after all: one had changed its answer, or was behind.
    Agreed,
    /// The endpoint at this place of the configuration said what does not verify.
    Lied {
        /// Its place.
        endpoint: usize,
        /// Why what it said is not believed.
        refusal: Refusal,
    },
    /// The chain has two histories.
    Misbehaviour {
        /// What a client must be moved by first, from `start`; often nothing.
        updates: Vec<Update>,
        /// Both blocks, verified.
        evidence: Box<Evidence>,
        /// Where the histories differ.
        at: Misbehaviour,
    },
}

impl Endpoints {
    /// Examines a disagreement at `height` between the endpoints at two places.
    ///
    /// `trusted` are verified states of the chain, ascending by height: what the client holds.
    ///
    /// # Errors
    /// [`Error`] when an endpoint does not answer; [`Code::NoStateAt`] when no trusted state is shared by both.
    pub fn examine(
        &self,
        profile: &Profile,
        trusted: &[State],
        (one, other): (usize, usize),
        height: Height,
        now: BlockTime,
    ) -> Result<Finding, Error> {
        let pair = [one, other].map(|place| self.list().get(place));
        let [Some(left), Some(right)] = pair else { return Ok(Finding::Agreed) };
        let (a, b) = (&left.endpoint, &right.endpoint);
        let Some(start) = shared(trusted, a, b)? else {
            let refusal = Refusal::new(Code::NoStateAt).needed("a trusted state that both endpoints share");
            return Err(a.refused(refusal));
        };
        let Some(lowest) = lowest_difference(a, b, start.height, height)? else { return Ok(Finding::Agreed) };
        let mut followed =
            Followed::new(profile.clone(), start.clone()).map_err(|refusal| a.refused(refusal))?;

        let mut updates = Vec::new();
        if self.too_thin(&followed, [a, b], lowest, now)? {
            // The header before is common to both, and next to it no overlap is needed.
            let before = lowest.previous().unwrap_or(lowest);
            updates = left.note(now, followed.walk(a, before, now))?;
        }
        let block = |wary: &Wary| wary.note(now, followed.update_to(&wary.endpoint, lowest));
        let evidence = Evidence { blocks: [block(left)?, block(right)?] };
        let both = [followed.trusted(), followed.trusted()];
        // The adapter's verdict on the pair first: a block of an attack may break what an update must keep.
        let refusal = match verify::misbehaviour(followed.rules(), both, &evidence, now) {
            Ok(at) => return Ok(Finding::Misbehaviour { updates, evidence: Box::new(evidence), at }),
            Err(refusal) => refusal,
        };
        for (endpoint, wary, block) in [(one, left, &evidence.blocks[0]), (other, right, &evidence.blocks[1])]
        {
            let verdict = verify::update(followed.rules(), followed.trusted(), block, now);
            if let Err(refusal) = verdict
                && refusal.code.permanence() == Permanence::Never
            {
                wary.lied(now);
                return Ok(Finding::Lied { endpoint, refusal });
            }
        }
        Err(a.refused(refusal))
    }

    /// Whether one of the two blocks is in order but too far for the trusted state.
    fn too_thin(
        &self,
        followed: &Followed,
        pair: [&Endpoint; 2],
        height: Height,
        now: BlockTime,
    ) -> Result<bool, Error> {
        for endpoint in pair {
            let block = followed.update_to(endpoint, height)?;
            let verdict = verify::update(followed.rules(), followed.trusted(), &block, now);
            if verdict.is_err_and(|refusal| refusal.code == Code::TrustTooThin) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The newest of `trusted` whose header both endpoints give.
fn shared<'a>(trusted: &'a [State], a: &Endpoint, b: &Endpoint) -> Result<Option<&'a State>, Error> {
    for state in trusted.iter().rev() {
        let same = |endpoint: &Endpoint| {
            endpoint.signed_header(state.height).map(|signed| signed.header.hash() == state.header_hash)
        };
        if same(a)? && same(b)? {
            return Ok(Some(state));
        }
    }
    Ok(None)
}

/// The lowest height above `low` at which the two differ, given that they agree at `low`; none when they agree at `high`.
fn lowest_difference(a: &Endpoint, b: &Endpoint, low: Height, high: Height) -> Result<Option<Height>, Error> {
    let differ = |height: u64| -> Result<bool, Error> {
        let height = Height::new(height);
        Ok(a.signed_header(height)?.header.hash() != b.signed_header(height)?.header.hash())
    };
    let (mut low, mut high) = (low.get(), high.get());
    if high <= low || !differ(high)? {
        return Ok(None);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if differ(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(Height::new(high)))
}
