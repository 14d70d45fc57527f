//! Taking deposits: commitments, the gate of mandatory rule packs, and the promise of what is durable.

use super::{Accepted, Desk, Handed, READY, now};
use crate::keys::random_each;
use crate::quarantine::{Case, MAX_RECORDS, id_of};
use crate::store::{Batch, Deposit, IdempotencyKey, Outcome, Position};
use zeugma_evidence_log::{Record, Seed};
use zeugma_types::{BlockTime, Code, Refusal};

impl Desk {
    /// Logs the records of one request, all or none, and promises each. Blocks until they are durable.
    ///
    /// # Errors
    /// [`Code::Quarantined`] with the name of the case when a mandatory rule pack does not pass it: it is held, durably, and not
    /// logged; [`Code::QuarantineRejected`], [`Code::QuarantineFull`]; [`Code::NoVerdict`] when there is no verdict yet.
    /// What [`prepare`](crate::store::Log::prepare) and [`append`](crate::store::Log::append) refuse; [`Code::BadFacts`] for a record that no pack could judge; then nothing of it is logged.
    pub fn deposit(
        &self,
        tenant: &str,
        records: Vec<Record>,
        key: Option<String>,
    ) -> Result<Vec<Accepted>, Refusal> {
        if !self.log.wait_ready(READY) {
            return Err(Refusal::new(Code::IndexBehind));
        }
        let (batch, handed) = self.prepare(tenant, records, key)?;
        let outcomes = self.log.append(batch)?;
        self.promise(&outcomes, &handed)
    }

    /// Makes the commitments of the records of one request.
    ///
    /// # Errors
    /// What [`crate::store::Log::prepare`] refuses; [`Code::StoreFailed`] without randomness; [`Code::BadFacts`] for a record that
    /// no pack could judge.
    pub(crate) fn prepare(
        &self,
        tenant: &str,
        records: Vec<Record>,
        key: Option<String>,
    ) -> Result<(Batch, Handed), Refusal> {
        for record in &records {
            self.judging.require_facts(record)?;
        }
        let received_at = now();
        // What is held stays so until it is ruled on, whatever is configured since.
        let gated = self.is_gated();
        let kept = if gated { records.clone() } else { Vec::new() };
        let seeds = random_each(records.len())
            .map_err(|error| Refusal::new(Code::StoreFailed).found(error.to_string()))?;
        let items = records.into_iter().zip(seeds).map(|(record, seed)| {
            let (tenant, received_at) = (tenant.to_owned(), received_at.get());
            self.log.prepare(Deposit { tenant, record, seed: Seed::new(seed), received_at })
        });
        let items = items.collect::<Result<Vec<_>, _>>()?;
        let leaves: Vec<[u8; 32]> = items.iter().map(|item| *item.leaf_hash()).collect();
        let key = key.map(|key| IdempotencyKey { tenant: tenant.to_owned(), key });
        let mut batch = Batch { items, key };
        if gated {
            batch = self.gate(tenant, kept, batch, received_at)?;
        }
        Ok((batch, Handed { leaves, received_at }))
    }

    /// Whether a deposit may have to be judged, or looked for among the cases, before it is logged: then preparing it
    /// blocks.
    pub(crate) fn is_gated(&self) -> bool {
        self.judging.is_gate() || !self.quarantine.is_empty()
    }

    /// Gives a batch back that every mandatory pack passes, or that is logged already; holds any other.
    fn gate(
        &self,
        tenant: &str,
        records: Vec<Record>,
        batch: Batch,
        received_at: BlockTime,
    ) -> Result<Batch, Refusal> {
        let key = batch.key.as_ref().map(|key| key.key.clone());
        self.quarantine.require_new(tenant, id_of(tenant, &records), key.as_deref())?;
        if !self.judging.is_gate() {
            return Ok(batch);
        }
        let (batch, fresh) = self.log.look(batch)?;
        let count = fresh.iter().filter(|fresh| **fresh).count();
        if count > MAX_RECORDS {
            // Each is judged before any is answered.
            return Err(Refusal::new(Code::TooMany).needed(MAX_RECORDS).found(count));
        }
        let why = self.judging.gate(&records, &fresh)?;
        if why.is_empty() {
            return Ok(batch);
        }
        let case = Case::new(tenant, records, key, why, received_at)?;
        let mut back = None;
        self.quarantine.hold(&case, || {
            let (batch, fresh) = self.log.look(batch)?;
            back = Some(batch);
            Ok(fresh.contains(&true))
        })?;
        back.ok_or_else(|| Refusal::new(Code::StoreFailed))
    }

    /// Receipts: one signature for each run of new neighbours, one of its own for each that was there.
    ///
    /// # Errors
    /// As [`Log::stored`], for one that was there.
    pub(crate) fn promise(&self, outcomes: &[Outcome], handed: &Handed) -> Result<Vec<Accepted>, Refusal> {
        let Handed { leaves, received_at } = handed;
        let mut accepted = Vec::with_capacity(outcomes.len());
        let mut at = 0;
        while at < outcomes.len() {
            let Outcome { position, known } = outcomes[at];
            if known {
                let receipt = self.receipt(position)?;
                accepted.push(Accepted { position, known, receipt });
                at += 1;
                continue;
            }
            let run = outcomes[at..].iter().zip(position.index..);
            let run = run.take_while(|(outcome, index)| {
                !outcome.known && outcome.position == Position { shard: position.shard, index: *index }
            });
            let end = at + run.count();
            // Not the open log's: an entry of a closed shard is promised in the log in which it stands.
            let origin = self.log.origin_of(position.shard)?;
            let leaves = leaves[at..end].to_vec();
            let receipts = self.promiser.promise((&origin, position.index), leaves, *received_at);
            let run = outcomes[at..end].iter().zip(receipts);
            accepted.extend(run.map(|(outcome, receipt)| Accepted {
                position: outcome.position,
                known,
                receipt,
            }));
            at = end;
        }
        Ok(accepted)
    }
}
