//! The children that evaluate: a few, each used by one at a time.

use crate::config::RulesConfig;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use zeugma_evidence_rules::{Aborted, Facts, Pack, Sandbox, Verdict};
use zeugma_types::{Code, Refusal};

/// Sandboxes, started when they are first used.
#[derive(Debug)]
pub(crate) struct Pool {
    workers: Vec<Mutex<Sandbox>>,
    next: AtomicUsize,
}

impl Pool {
    /// # Errors
    /// [`Code::StoreFailed`] when this program's own file cannot be found, and no worker is configured.
    pub(crate) fn new(config: &RulesConfig) -> Result<Self, Refusal> {
        let own = || {
            std::env::current_exe().map_err(|error| Refusal::new(Code::StoreFailed).found(error.to_string()))
        };
        let (program, arguments): (PathBuf, Vec<&str>) = match config.worker.split_first() {
            Some((program, arguments)) => {
                (PathBuf::from(program), arguments.iter().map(String::as_str).collect())
            }
            None => (own()?, vec!["rules", "worker"]),
        };
        let sandbox = || {
            Sandbox::new(&program, &arguments)
                .deadline(Duration::from_secs(config.deadline_seconds))
                .memory(config.memory_mebibytes)
        };
        let workers = (0..config.workers).map(|_| Mutex::new(sandbox())).collect();
        Ok(Self { workers, next: AtomicUsize::new(0) })
    }

    /// The verdict of a pack, by whichever child is free.
    ///
    /// # Errors
    /// [`Aborted`]: there is no verdict, and nothing is said about the entry.
    pub(crate) fn evaluate(&self, pack: &Pack, facts: &Facts) -> Result<Verdict, Aborted> {
        if let Some(mut free) = self.workers.iter().find_map(|worker| worker.try_lock().ok()) {
            return free.evaluate(pack, facts);
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.workers.len();
        // A sandbox is whole after any panic: it starts another child when it has none.
        self.workers[turn].lock().unwrap_or_else(PoisonError::into_inner).evaluate(pack, facts)
    }
}

/// What an abort means to whoever waits: come back, or mend the pack or the facts.
pub(crate) fn refusal(aborted: &Aborted) -> Refusal {
    let code = match aborted {
        Aborted::Broken(_) => Code::BadRulePack,
        Aborted::Deadline { .. } | Aborted::Worker { .. } | Aborted::Unreachable(_) => Code::NoVerdict,
    };
    Refusal::new(code).found(aborted.to_string())
}
