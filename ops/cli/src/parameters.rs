//! A network's parameters as flags: those that are named change, the rest stay.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use zeugma_ledger::bounded::List;
use zeugma_ledger::gov::{OpenSubmission, Parameters};
use zeugma_types::{Cost, Refusal, Span};

/// What may be named.
#[derive(Clone, Debug, Args)]
pub(crate) struct Flags {
    /// Work of all transactions of one block
    #[arg(long, value_name = "COST")]
    block_cost: Option<u64>,
    /// Work of one transaction
    #[arg(long, value_name = "COST")]
    transaction_cost: Option<u64>,
    /// Most work an account can save up
    #[arg(long, value_name = "COST")]
    allowance_capacity: Option<u64>,
    /// Work an account gains in a second
    #[arg(long, value_name = "COST")]
    allowance_per_second: Option<u64>,
    /// How long the recovery of a client waits between proposal and effect
    #[arg(long, value_name = "SECONDS")]
    recovery_delay: Option<u64>,
    /// Governors that must approve a change
    #[arg(long, value_name = "N")]
    governors_needed: Option<u16>,
    /// Blocks between the last approval of a change and its effect, at least
    #[arg(long, value_name = "BLOCKS")]
    notice: Option<u64>,
    /// Blocks in which a proposal can be approved
    #[arg(long, value_name = "BLOCKS")]
    proposal_lifetime: Option<u64>,
    /// Whether payloads without a sender are accepted
    #[arg(long, value_enum)]
    open_submission: Option<Submission>,
    /// Numbers of the families of which clients may be created, ascending
    #[arg(long, value_name = "N", value_delimiter = ',')]
    families: Option<Vec<u16>>,
}

/// Whether payloads without a sender are accepted.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Submission {
    Refused,
    Accepted,
}

impl Flags {
    /// `present` with what is named.
    ///
    /// # Errors
    /// The relation that does not hold.
    pub(crate) fn over(&self, present: Parameters) -> Result<Parameters, Refusal> {
        let families = match &self.families {
            Some(families) => List::new(families.clone())?,
            None => present.families,
        };
        let changed = Parameters {
            block_cost: self.block_cost.map_or(present.block_cost, Cost::new),
            transaction_cost: self.transaction_cost.map_or(present.transaction_cost, Cost::new),
            allowance_capacity: self.allowance_capacity.unwrap_or(present.allowance_capacity),
            allowance_per_second: self.allowance_per_second.unwrap_or(present.allowance_per_second),
            recovery_delay: (self.recovery_delay)
                .map_or(present.recovery_delay, |seconds| Span::millis(seconds.saturating_mul(1_000))),
            governors_needed: self.governors_needed.unwrap_or(present.governors_needed),
            notice: self.notice.unwrap_or(present.notice),
            proposal_lifetime: self.proposal_lifetime.unwrap_or(present.proposal_lifetime),
            open_submission: match self.open_submission {
                None => present.open_submission,
                Some(Submission::Refused) => OpenSubmission::Refused,
                Some(Submission::Accepted) => OpenSubmission::Accepted,
            },
            families,
        };
        changed.check()?;
        Ok(changed)
    }
}

/// For people and programs.
pub(crate) fn show(of: &Parameters) -> Value {
    json!({
        "block_cost": of.block_cost.get(),
        "transaction_cost": of.transaction_cost.get(),
        "allowance_capacity": of.allowance_capacity,
        "allowance_per_second": of.allowance_per_second,
        "recovery_delay_ms": of.recovery_delay.get(),
        "governors_needed": of.governors_needed,
        "notice_blocks": of.notice,
        "proposal_lifetime_blocks": of.proposal_lifetime,
        "open_submission": of.open_submission.name(),
        "families": of.families.iter().copied().collect::<Vec<_>>(),
        "digest": hex::encode(of.digest()),
    })
}
