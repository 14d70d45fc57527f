//! A chain from a certificate to an anchor, at one instant.
//!
//! The anchors are given; everything else is only a hint where to look. A step up needs: the issuer's
//! name as bytes, its key identifier where both state one, an authority that may sign certificates, may
//! stand above time authorities, allows the length of the path, was valid at the instant, and whose key
//! made the signature. The search is bounded in depth and in signatures checked.
//!
//! Source: RFC 5280, section 6.1.

use super::{Algorithms, Certificate, Use};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Refusal};

/// Longest chain, the signer's certificate and the anchor among it.
const MAX_CHAIN: usize = 8;
/// Most signatures checked in one search.
const MAX_CHECKS: u32 = 64;

/// Certificates to build a chain of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool<'a> {
    /// Believed.
    pub(crate) anchors: Vec<Certificate<'a>>,
    /// Offered by whoever made the token or the bundle.
    pub(crate) offered: Vec<Certificate<'a>>,
}

/// A chain that holds.
#[derive(Clone, Debug)]
pub(crate) struct Chain<'a> {
    /// From the signer's certificate up; the last is the anchor.
    pub(crate) path: Vec<Certificate<'a>>,
    /// Which anchor, as an index of [`Pool::anchors`].
    pub(crate) anchor: usize,
    /// What signed each certificate but the anchor.
    pub(crate) algorithms: Vec<Algorithms>,
}

/// Finds a chain from `signer` to an anchor, every certificate of it valid at `at`.
///
/// # Errors
/// What refused the longest attempt; [`Code::UntrustedChain`] when nothing offered is an issuer.
pub(crate) fn chain<'a>(
    signer: &Certificate<'a>,
    pool: &Pool<'a>,
    at: BlockTime,
) -> Result<Chain<'a>, Refusal> {
    signer.check_valid(at)?;
    let mut search = Search { pool, at, checks: MAX_CHECKS, why: None };
    let mut path = Vec::from([signer.clone()]);
    let mut algorithms = Vec::new();
    match search.up(&mut path, &mut algorithms) {
        Some(anchor) => Ok(Chain { path, anchor, algorithms }),
        None => Err(search.why.map_or_else(|| Refusal::new(Code::UntrustedChain), |(_, why)| why)),
    }
}

struct Search<'s, 'a> {
    pool: &'s Pool<'a>,
    at: BlockTime,
    checks: u32,
    /// The refusal of the longest attempt, with its length.
    why: Option<(usize, Refusal)>,
}

impl<'a> Search<'_, 'a> {
    /// Extends the path to an anchor; returns which.
    fn up(&mut self, path: &mut Vec<Certificate<'a>>, algorithms: &mut Vec<Algorithms>) -> Option<usize> {
        let last = path.last().expect("the path begins with the signer").clone();
        if let Some(anchor) = self.pool.anchors.iter().position(|anchor| anchor.raw == last.raw) {
            return Some(anchor);
        }
        if path.len() == MAX_CHAIN {
            self.note(path.len(), Refusal::new(Code::TooMany).needed(MAX_CHAIN));
            return None;
        }
        let candidates = self.pool.anchors.iter().chain(&self.pool.offered);
        for issuer in candidates {
            if issuer.subject != last.issuer || path.iter().any(|used| used.raw == issuer.raw) {
                continue;
            }
            match self.step(&last, issuer, path) {
                Err(why) => self.note(path.len(), why),
                Ok(used) => {
                    path.push(issuer.clone());
                    algorithms.push(used);
                    if let Some(anchor) = self.up(path, algorithms) {
                        return Some(anchor);
                    }
                    path.pop();
                    algorithms.pop();
                }
            }
        }
        self.note(path.len(), Refusal::new(Code::UntrustedChain).found(last.subject_text()));
        None
    }

    /// Whether `issuer` stands above `last`.
    fn step(
        &mut self,
        last: &Certificate<'a>,
        issuer: &Certificate<'a>,
        path: &[Certificate<'a>],
    ) -> Result<Algorithms, Refusal> {
        let not_an_issuer = |why: &'static str| Refusal::new(Code::NotAnIssuer).found(why);
        let below = issuer.authority.ok_or_else(|| not_an_issuer("no certificate authority"))?;
        if !issuer.may(Use::CertificateSigning) {
            return Err(not_an_issuer("a key usage without certificates"));
        }
        if !issuer.may_issue_stampers() {
            return Err(not_an_issuer("an extended key usage without time-stamping"));
        }
        // The signer's own certificate and those an authority issued to itself are not counted.
        let between = path.iter().skip(1).filter(|one| one.subject != one.issuer).count();
        if below.is_some_and(|bound| between > bound as usize) {
            return Err(not_an_issuer("a longer path than its constraint"));
        }
        if let (Some(named), Some(own)) = (last.authority_key, issuer.subject_key)
            && named != own
        {
            return Err(Refusal::new(Code::UntrustedChain).found("another key identifier"));
        }
        issuer.check_valid(self.at)?;
        self.checks =
            self.checks.checked_sub(1).ok_or_else(|| Refusal::new(Code::TooMany).needed(MAX_CHECKS))?;
        last.check_signed_by(&issuer.key()?)
    }

    fn note(&mut self, length: usize, why: Refusal) {
        if self.why.as_ref().is_none_or(|(longest, _)| length > *longest) {
            self.why = Some((length, why));
        }
    }
}
