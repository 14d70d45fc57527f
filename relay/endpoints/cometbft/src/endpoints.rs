//! Several nodes of one chain: the first that works is asked, all are compared.

use crate::breaker::{Breaker, Jitter};
use crate::endpoint::{Endpoint, NodeStatus, Source as _};
use crate::error::Error;
use crate::followed::Followed;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use zeugma_adapter_cometbft::Update;
use zeugma_types::{BlockTime, Code, Height, Refusal};

/// One endpoint and its breaker.
#[derive(Debug)]
pub struct Wary {
    /// The node.
    pub endpoint: Endpoint,
    breaker: Mutex<Breaker>,
}

impl Wary {
    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        // A breaker is plain numbers: whole after any panic.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of an answer, or of why there was none.
    pub(crate) fn note<T>(&self, now: BlockTime, answer: Result<T, Error>) -> Result<T, Error> {
        match &answer {
            Ok(_) => self.breaker().succeeded(),
            Err(Error::Refused { .. }) if answer.as_ref().is_err_and(Error::blames_endpoint) => {
                self.breaker().lied(now, Jitter::random());
            }
            Err(error) if error.blames_endpoint() => self.breaker().failed(now, Jitter::random()),
            Err(_) => {}
        }
        answer
    }

    /// The endpoint was shown to lie.
    pub(crate) fn lied(&self, now: BlockTime) {
        self.breaker().lied(now, Jitter::random());
    }
}

/// What several endpoints say of one height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// All that answered name one header.
    Agreed {
        /// How many answered.
        endpoints: usize,
    },
    /// They do not: two of them that differ, by their places in the configuration.
    Differ {
        /// One of them.
        one: usize,
        /// The other.
        other: usize,
    },
}

/// The endpoints of one chain.
#[derive(Debug)]
pub struct Endpoints {
    chain: String,
    list: Vec<Wary>,
    disagreements: AtomicU64,
}

impl Endpoints {
    /// The endpoints of `chain`, most preferred first.
    #[must_use]
    pub fn new(chain: &str, endpoints: Vec<Endpoint>) -> Self {
        let wary = |endpoint| Wary { endpoint, breaker: Mutex::default() };
        Self {
            chain: chain.to_owned(),
            list: endpoints.into_iter().map(wary).collect(),
            disagreements: AtomicU64::new(0),
        }
    }

    /// The chain's identifier.
    #[must_use]
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// Every endpoint, in the order of the configuration.
    #[must_use]
    pub fn list(&self) -> &[Wary] {
        &self.list
    }

    /// How often endpoints were found to disagree, or one of them to lie.
    #[must_use]
    pub fn disagreements(&self) -> u64 {
        self.disagreements.load(Ordering::Relaxed)
    }

    pub(crate) fn disagreed(&self) {
        self.disagreements.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks the first endpoint that does not rest; the next one when it is at fault.
    ///
    /// # Errors
    /// [`Error::Resting`], the last endpoint's failure, or a refusal that is no endpoint's fault.
    pub fn ask<T>(
        &self,
        now: BlockTime,
        question: impl Fn(&Endpoint) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut last = Error::Resting { chain: self.chain.clone() };
        for wary in self.list.iter().filter(|wary| wary.breaker().allows(now)) {
            match wary.note(now, question(&wary.endpoint)) {
                Err(error) if error.blames_endpoint() => {
                    tracing::warn!(chain = self.chain, %error, "an endpoint is at fault");
                    if error.refusal().is_some() {
                        self.disagreed();
                    }
                    last = error;
                }
                answer => return answer,
            }
        }
        Err(last)
    }

    /// How far the chain is, as the first working endpoint says. Only a hint of where to walk.
    ///
    /// # Errors
    /// As [`Endpoints::ask`]; [`Code::WrongChain`] blames the endpoint.
    pub fn status(&self, now: BlockTime) -> Result<NodeStatus, Error> {
        self.ask(now, |endpoint| self.status_of(endpoint))
    }

    fn status_of(&self, endpoint: &Endpoint) -> Result<NodeStatus, Error> {
        let status = endpoint.status()?;
        if status.chain_id != self.chain {
            let refusal = Refusal::new(Code::WrongChain).needed(self.chain.clone()).found(status.chain_id);
            return Err(endpoint.refused(refusal));
        }
        Ok(status)
    }

    /// Walks `followed` to `target` along the first endpoint whose headers all verify.
    ///
    /// # Errors
    /// As [`Endpoints::ask`]; `followed` has then not moved.
    pub fn walk(
        &self,
        followed: &mut Followed,
        target: Height,
        now: BlockTime,
    ) -> Result<Vec<Update>, Error> {
        let (walked, steps) = self.ask(now, |endpoint| {
            let mut walker = followed.clone();
            let steps = walker.walk(endpoint, target, now)?;
            Ok((walker, steps))
        })?;
        *followed = walked;
        Ok(steps)
    }

    /// The greatest height that every working endpoint has, and how many those are.
    #[must_use]
    pub fn common_height(&self, now: BlockTime) -> Option<(Height, usize)> {
        let working = self.list.iter().filter(|wary| wary.breaker().allows(now));
        let heights: Vec<Height> = working
            .filter_map(|wary| wary.note(now, self.status_of(&wary.endpoint)).ok())
            .map(|status| status.latest)
            .collect();
        heights.iter().min().map(|lowest| (*lowest, heights.len()))
    }

    /// Compares what the working endpoints say of `height`, by the hash of the header.
    ///
    /// # Errors
    /// As [`Endpoints::ask`] when no endpoint answered.
    pub fn compare(&self, height: Height, now: BlockTime) -> Result<Comparison, Error> {
        let mut last = Error::Resting { chain: self.chain.clone() };
        let mut hashes: Vec<(usize, [u8; 32])> = Vec::new();
        for (place, wary) in self.list.iter().enumerate().filter(|(_, wary)| wary.breaker().allows(now)) {
            match wary.note(now, wary.endpoint.signed_header(height)) {
                Ok(signed) => hashes.push((place, signed.header.hash())),
                Err(error) => last = error,
            }
        }
        let Some((one, hash)) = hashes.first().copied() else { return Err(last) };
        match hashes.iter().find(|(_, other)| *other != hash) {
            None => Ok(Comparison::Agreed { endpoints: hashes.len() }),
            Some((other, _)) => {
                self.disagreed();
                Ok(Comparison::Differ { one, other: *other })
            }
        }
    }
}
