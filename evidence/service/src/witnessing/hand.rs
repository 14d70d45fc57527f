//! Takes targets, and asks one witness. Each witness has a hand of its own.

use super::{Asked, Witnessing};
use crate::desk::{Desk, Notes, now};
use crate::store::Tree;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use ureq::Agent;
use zeugma_evidence_log::witness::{MAX_ANSWER, SIZE_TYPE, cosignatures, request};
use zeugma_types::{Code, Refusal, TreeSize};

/// Between two looks at what is new.
const LOOK: Duration = Duration::from_millis(50);
/// The first rest after a failure.
const FIRST_REST: Duration = Duration::from_secs(1);
/// Requests of one attempt: one to learn the size that the witness has, one from there, one if it moved meanwhile.
const REQUESTS: u32 = 3;

/// Starts what takes targets and a hand for each witness; nothing without witnesses.
pub(crate) fn start(
    desk: &Arc<Desk>,
    config: &super::WitnessingConfig,
    stop: &watch::Receiver<bool>,
) -> Vec<tokio::task::JoinHandle<()>> {
    if desk.witnessing().witnesses().is_empty() {
        return Vec::new();
    }
    let settings = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(config.timeout_seconds)))
        .user_agent(concat!("zeugma-evidence/", env!("CARGO_PKG_VERSION")))
        .build();
    // One without TLS of its own refuses https.
    let agent = |asked: &Asked| match &asked.https {
        Some(https) => https.agent(settings.clone()),
        None => settings.clone().into(),
    };
    let longest = Duration::from_secs(config.rest_seconds);
    let hands = desk.witnessing().witnesses().iter().enumerate().map(|(witness, asked)| Hand {
        desk: Arc::clone(desk),
        agent: agent(asked),
        witness,
        sizes: BTreeMap::new(),
    });
    let mut tasks: Vec<_> = hands.map(|hand| tokio::spawn(asks(hand, longest, stop.clone()))).collect();
    tasks.push(tokio::spawn(takes(Arc::clone(desk), stop.clone())));
    tasks
}

async fn takes(desk: Arc<Desk>, mut stop: watch::Receiver<bool>) {
    while crate::run::pause(LOOK, &mut stop).await {
        let taker = Arc::clone(&desk);
        let done = tokio::task::spawn_blocking(move || take(&taker)).await;
        if let Ok(Err(refusal)) = done {
            tracing::warn!(%refusal, "the published checkpoint cannot be taken to the witnesses");
        }
    }
}

/// Settles the target, and takes the next: of the oldest shard that has one.
fn take(desk: &Desk) -> Result<(), Refusal> {
    let witnessing = desk.witnessing();
    if witnessing.settle().is_some() {
        witnessing.tidy(|shard, size| desk.rests_on(shard, size));
    }
    for shard in 0..=desk.log().head().0 {
        let Some(notes) = desk.notes(shard)? else { continue };
        // A tree without entries has nothing to be seen.
        if notes.size > TreeSize::ZERO && witnessing.begin(shard, notes, now()) {
            break;
        }
    }
    Ok(())
}

/// Asks one witness.
struct Hand {
    desk: Arc<Desk>,
    agent: Agent,
    witness: usize,
    /// By shard, the size that it had when it last answered.
    sizes: BTreeMap<u32, TreeSize>,
}

async fn asks(mut hand: Hand, longest: Duration, mut stop: watch::Receiver<bool>) {
    let mut rest = FIRST_REST;
    while crate::run::pause(LOOK, &mut stop).await {
        let round = tokio::task::spawn_blocking(move || {
            let done = hand.round();
            (hand, done)
        });
        let Ok((back, done)) = round.await else { return };
        hand = back;
        if done {
            rest = FIRST_REST;
            continue;
        }
        let end = tokio::time::Instant::now() + rest;
        rest = (rest * 2).min(longest);
        while tokio::time::Instant::now() < end {
            hand.desk.witnessing().rests(hand.witness);
            if !crate::run::pause(LOOK, &mut stop).await {
                return;
            }
        }
    }
}

impl Hand {
    /// Asks about what is due. `false` when it was refused.
    fn round(&mut self) -> bool {
        let desk = Arc::clone(&self.desk);
        let witnessing = desk.witnessing();
        let Some((shard, notes)) = witnessing.task(self.witness, desk.log().head().0) else { return true };
        let asked = self.ask(witnessing, shard, &notes);
        let kept = asked.and_then(|lines| witnessing.cosigned_by(self.witness, (shard, &notes), &lines));
        if let Err(refusal) = &kept {
            witnessing.refused_by(self.witness, refusal);
        }
        kept.is_ok()
    }

    fn ask(&mut self, witnessing: &Witnessing, shard: u32, notes: &Notes) -> Result<Vec<String>, Refusal> {
        let one = &witnessing.witnesses()[self.witness];
        for _ in 0..REQUESTS {
            let old = self.sizes.get(&shard).copied().unwrap_or(TreeSize::ZERO);
            if old > notes.size {
                // It cosigned more than we have: this log lost entries, or another has its key.
                return Err(Refusal::new(Code::TailLost).needed(old.get()).found(notes.size.get()));
            }
            let proof = match old {
                TreeSize::ZERO => Vec::new(),
                old => self.desk.log().consistency(shard, Tree::First, old, notes.size)?,
            };
            let body = request(old, &proof, &notes.first);
            match self.post(one, &body)? {
                Answer::Cosigned(answer) => {
                    let lines = cosignatures(&notes.first, &answer, &one.keys)?;
                    self.sizes.insert(shard, notes.size);
                    return Ok(lines);
                }
                Answer::Elsewhere(size) => drop(self.sizes.insert(shard, size)),
            }
        }
        Err(Refusal::new(Code::WitnessElsewhere))
    }

    fn post(&self, one: &Asked, body: &str) -> Result<Answer, Refusal> {
        let url = format!("{}/add-checkpoint", one.url.trim_end_matches('/'));
        let failed = |error: ureq::Error| match error {
            ureq::Error::Timeout(_) => Refusal::new(Code::TooSlow).found(error.to_string()),
            error => Refusal::new(Code::NotCosigned).found(error.to_string()),
        };
        let mut response = self.agent.post(&url).content_type("text/plain").send(body).map_err(failed)?;
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let is_size = kind == Some(SIZE_TYPE);
        let read = response.body_mut().with_config().limit(MAX_ANSWER as u64).read_to_vec();
        let answer = read.map_err(failed)?;
        let text = || String::from_utf8_lossy(&answer).trim().chars().take(200).collect::<String>();
        match status {
            200 => Ok(Answer::Cosigned(answer)),
            409 if is_size => {
                let size = text().parse().map_err(|_| Refusal::new(Code::NotCosigned).found(text()))?;
                Ok(Answer::Elsewhere(TreeSize::new(size)))
            }
            // It has another root for this size, or does not see the growth: it holds that the log forked.
            409 | 422 => {
                tracing::error!(url, status, "the witness holds that this log has two histories");
                Err(Refusal::new(Code::NotConsistent).needed(format!("status {status}")).found(text()))
            }
            _ => Err(Refusal::new(Code::NotCosigned).needed(format!("status {status}")).found(text())),
        }
    }
}

enum Answer {
    Cosigned(Vec<u8>),
    Elsewhere(TreeSize),
}
