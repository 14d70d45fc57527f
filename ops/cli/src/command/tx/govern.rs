//! Governance: a change is proposed, approved by enough governors, announced, and in force at its height.

use super::{Ask, By, Desk, parse_32, parse_client};
use crate::failure::{Failure, Rule};
use crate::output::Output;
use crate::parameters::Flags;
use clap::{ArgGroup, Args, Subcommand};
use zeugma_client::Client;
use zeugma_ledger::app::transfer::{Amount, Denom, SetDelay, SetLimit};
use zeugma_ledger::gov::{Change, ChangeRoles, Parameters, Upgrade, Withdraw};
use zeugma_ledger::{Message, Role, Roles, Slot};
use zeugma_types::{AccountId, ClientId, Decode as _, Height, Span};

/// Changes of the network
#[derive(Debug, Subcommand)]
pub(crate) enum Propose {
    /// Other parameters: those named here, the rest as they are now
    Parameters(By<ChangeParameters>),
    /// Other roles of one account, which is made if it is not known
    Roles(By<Give>),
    /// A newer program: from the height on, older ones stop cleanly
    Upgrade(By<Newer>),
    /// Take back a change that waits; in force with the last approval
    Withdraw(By<TakeBack>),
    /// How much of an asset may cross in a while, by one client
    Limit(By<Bound>),
    /// From which amount on an asset that arrives by one client is held, and how long
    Delay(By<Wait>),
}

impl Propose {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Parameters(asked) => asked.run(output),
            Self::Roles(asked) => asked.run(output),
            Self::Upgrade(asked) => asked.run(output),
            Self::Withdraw(asked) => asked.run(output),
            Self::Limit(asked) => asked.run(output),
            Self::Delay(asked) => asked.run(output),
        }
    }
}

/// When a change is to be in force.
#[derive(Debug, Args)]
struct When {
    /// Not before this height; as soon as the notice allows if none is named
    #[arg(long, default_value_t = 0, value_name = "HEIGHT")]
    activation: u64,
}

impl When {
    fn propose(&self, change: Change) -> Vec<Message> {
        let activation = Height::new(self.activation);
        vec![Message::Propose(zeugma_ledger::tx::Propose { change, activation })]
    }
}

/// See [`Change::Parameters`].
#[derive(Debug, Args)]
pub(crate) struct ChangeParameters {
    #[command(flatten)]
    changed: Flags,
    #[command(flatten)]
    when: When,
}

impl Ask for ChangeParameters {
    fn messages(&self, desk: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let refused = |refusal| Failure::refused("the parameters", refusal);
        let present = in_force(desk.here)?;
        let changed = self.changed.over(present.clone()).map_err(refused)?;
        if changed == present {
            return Err(Failure::usage(
                "the parameters would stay as they are",
                "name one with another value; zeugma query parameters shows them",
            ));
        }
        Ok(self.when.propose(Change::Parameters(changed)))
    }
}

/// The parameters in force, by the word of the node.
pub(in crate::command) fn in_force(at: &Client) -> Result<Parameters, Failure> {
    let (_, bytes) =
        at.state(&Slot::Parameters.key()).map_err(|error| Failure::client("the parameters", error))?;
    let bytes = bytes.ok_or_else(|| {
        let todo = "wait for the network's first block";
        Failure::own(Rule::NotThere, "the parameters", "the network has none yet", todo)
    })?;
    Parameters::from_bytes(&bytes).map_err(|refusal| Failure::refused("the parameters", refusal))
}

/// See [`Change::Roles`].
#[derive(Debug, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("roles").required(true).multiple(true)))]
pub(crate) struct Give {
    /// The account, 64 hexadecimal digits as `zeugma keys show` prints them
    #[arg(long, value_name = "ACCOUNT", value_parser = parse_32)]
    of: [u8; 32],
    /// Roles it gets
    #[arg(long, value_name = "ROLE", value_parser = parse_role, value_delimiter = ',', group = "roles")]
    grant: Vec<Role>,
    /// Roles it loses
    #[arg(long, value_name = "ROLE", value_parser = parse_role, value_delimiter = ',', group = "roles")]
    revoke: Vec<Role>,
    #[command(flatten)]
    when: When,
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::named(text).ok_or_else(|| {
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        format!("the roles are {}", names.join(", "))
    })
}

impl Ask for Give {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let change = ChangeRoles {
            account: AccountId::new(self.of),
            grant: Roles::of(&self.grant),
            revoke: Roles::of(&self.revoke),
        };
        Ok(self.when.propose(Change::Roles(change)))
    }
}

/// See [`Change::Upgrade`].
#[derive(Debug, Args)]
pub(crate) struct Newer {
    /// The version of the program that is needed from then on; `zeugma query status` tells the present one
    #[arg(long, value_name = "N")]
    program: u32,
    #[command(flatten)]
    when: When,
}

impl Ask for Newer {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        Ok(self.when.propose(Change::Upgrade(Upgrade { program: self.program })))
    }
}

/// See [`Change::Withdraw`].
#[derive(Debug, Args)]
pub(crate) struct TakeBack {
    /// The number of the proposal whose change waits
    #[arg(long, value_name = "N")]
    proposal: u64,
}

impl Ask for TakeBack {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        Ok(When { activation: 0 }.propose(Change::Withdraw(Withdraw { proposal: self.proposal })))
    }
}

/// See [`Change::Limit`].
#[derive(Debug, Args)]
pub(crate) struct Bound {
    /// The client by which the asset crosses
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// The asset, by its name here: transfer/CLIENT/NAME
    #[arg(long, value_name = "NAME", value_parser = parse_denom)]
    denom: Denom,
    /// How much may leave, or enter, net, in the asset's smallest unit; 0 takes the limit away
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    capacity: Amount,
    /// Whole seconds in which a limit that is used up is free again
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(1..))]
    refill_seconds: u32,
    #[command(flatten)]
    when: When,
}

pub(in crate::command) fn parse_denom(text: &str) -> Result<Denom, String> {
    Denom::new(text).map_err(|refusal| refusal.to_string())
}

pub(super) fn parse_amount(text: &str) -> Result<Amount, String> {
    Amount::parse(text).map_err(|refusal| refusal.to_string())
}

impl Ask for Bound {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let set = SetLimit {
            client: self.client.clone(),
            denom: self.denom.clone(),
            capacity: self.capacity,
            refill: Span::seconds(u64::from(self.refill_seconds)),
        };
        set.check().map_err(|refusal| Failure::refused("the limit", refusal))?;
        Ok(self.when.propose(Change::Limit(set)))
    }
}

/// See [`Change::Delay`].
#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// The client by which the asset arrives
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// The asset, by its name here: transfer/CLIENT/NAME
    #[arg(long, value_name = "NAME", value_parser = parse_denom)]
    denom: Denom,
    /// The largest amount that is not held, in the asset's smallest unit
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    threshold: Amount,
    /// Seconds for which more is held; 0 takes the delay away
    #[arg(long, value_name = "SECONDS")]
    delay_seconds: u32,
    #[command(flatten)]
    when: When,
}

impl Ask for Wait {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let set = SetDelay {
            client: self.client.clone(),
            denom: self.denom.clone(),
            threshold: self.threshold,
            delay: Span::seconds(u64::from(self.delay_seconds)),
        };
        set.check().map_err(|refusal| Failure::refused("the delay", refusal))?;
        Ok(self.when.propose(Change::Delay(set)))
    }
}

/// See [`Message::Approve`].
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The proposal's number
    #[arg(long, value_name = "N")]
    proposal: u64,
}

impl Ask for Approve {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        Ok(vec![Message::Approve(zeugma_ledger::tx::Approve { proposal: self.proposal })])
    }
}
