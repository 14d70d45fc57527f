//! Governance: what the network's parameters are, and how several governors change them.

mod change;
mod handle;
mod parameters;

pub use change::{Change, ChangeRoles, Counters, Proposal, Schedule, Scheduled, Upgrade, Withdraw};
pub(crate) use handle::{activate, approve, counters, parameters, propose, say_parameters};
pub use parameters::{OpenSubmission, Parameters};
