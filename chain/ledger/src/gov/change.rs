//! What can be changed, and the records of changes that wait.

use super::Parameters;
use crate::app::transfer::{SetDelay, SetLimit};
use crate::bounded::{List, choice, record};
use crate::limits::{MAX_APPROVALS, MAX_SCHEDULED};
use crate::roles::Roles;
use zeugma_types::{AccountId, Height};

choice! {
    /// A change of the network.
    pub enum Change {
        /// Other parameters.
        Parameters(Parameters) = 1, "parameters";
        /// Other roles of one account, which is created if it is not known.
        Roles(ChangeRoles) = 2, "roles";
        /// A newer program.
        Upgrade(Upgrade) = 3, "upgrade";
        /// Take a change back that waits; in force at once.
        Withdraw(Withdraw) = 4, "withdraw";
        /// How much of an asset may cross in a while, by one client.
        Limit(SetLimit) = 5, "limit";
        /// From which amount on an asset that arrives by one client is held, and how long.
        Delay(SetDelay) = 6, "delay";
    }
}

record! {
    /// See [`Change::Roles`].
    pub struct ChangeRoles {
        /// The account.
        pub account: AccountId,
        /// Roles it gets.
        pub grant: Roles,
        /// Roles it loses.
        pub revoke: Roles,
    }

    /// See [`Change::Upgrade`].
    pub struct Upgrade {
        /// The program version that is needed from the activation height on.
        pub program: u32,
    }

    /// See [`Change::Withdraw`].
    pub struct Withdraw {
        /// The proposal's number.
        pub proposal: u64,
    }

    /// A proposal that gathers approvals.
    pub struct Proposal {
        /// What should change.
        pub change: Change,
        /// Not before this height.
        pub activation: Height,
        /// The last height at which it can be approved.
        pub until: Height,
        /// Who approved, in order; the proposer first.
        pub approvals: List<AccountId, MAX_APPROVALS>,
    }

    /// One change that waits for its height.
    pub struct Scheduled {
        /// The height.
        pub activation: Height,
        /// The proposal's number.
        pub proposal: u64,
        /// The change.
        pub change: Change,
    }

    /// All changes that wait, ascending by height and number.
    pub struct Schedule {
        /// The changes.
        pub waiting: List<Scheduled, MAX_SCHEDULED>,
    }

    /// Numbers of the network that count up.
    pub struct Counters {
        /// The program version that is needed.
        pub program: u32,
        /// Accounts that are governors.
        pub governors: u32,
        /// The number of the next proposal.
        pub next_proposal: u64,
        /// The number of the next client.
        pub next_client: u64,
    }
}
