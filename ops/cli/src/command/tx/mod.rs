//! `zeugma tx`: one transaction of an account, from typed arguments, and what became of it.
//!
//! Every message that the ledger knows has a command of its name here, and every change of the network one under
//! `tx propose`; a test holds the two lists against each other. A refusal by the network ends with its code, whether
//! it was refused at the door or in a block. With `--dry-run` nothing is sent: the ledger's own rules are run here on
//! the state that the node tells.

mod clients;
mod evidence;
mod govern;
mod packets;
mod registry;
mod told;
mod transfer;

use super::remote::Account;
use crate::failure::Failure;
use crate::keyfile::Key;
use crate::output::Output;
use crate::submit::Sender;
use crate::telemetry;
use clap::{Args, Subcommand};
use std::time::Duration;
use zeugma_client::Client;
use zeugma_ledger::Message;
use zeugma_telemetry::Logs;
use zeugma_types::{AccountId, ClientId, Refusal};

pub(super) use govern::{in_force, parse_denom};
pub(super) use told::event;
pub(super) use transfer::Transfer;

/// A transaction: it is signed here, submitted, and waited for
#[derive(Debug, Subcommand)]
pub(crate) enum Tx {
    /// Put bytes on the chain that it orders and does not read
    Opaque(By<evidence::PutOpaque>),
    /// Register an evidence log
    RegisterOrigin(By<evidence::Register>),
    /// Anchor a checkpoint of an evidence log
    Anchor(By<evidence::Checkpoint>),
    /// Show that an evidence log signed two histories; anyone may
    ReportSplitView(By<evidence::SplitView>),
    /// Follow another Zeugma network by light client from its latest certified header on, or any chain from bytes
    CreateClient(By<clients::Create>),
    /// Name, once, the other network's client of this one
    RegisterCounterparty(By<clients::Counterparty>),
    /// Move a light client to the other network's latest certified header, or by an update in bytes
    UpdateClient(By<clients::Update>),
    /// Freeze a light client by proof that its chain has two histories; anyone may
    SubmitMisbehaviour(By<clients::Misbehaviour>),
    /// Ask, as a guardian, that a frozen or expired client adopt a substitute's state after the delay
    ProposeRecovery(By<clients::Recover>),
    /// Stop a recovery before it is finished
    CancelRecovery(By<clients::Cancel>),
    /// Let a client adopt its substitute's state, once the delay has passed
    FinishRecovery(By<clients::Finish>),
    /// Send a message to another network
    #[command(visible_alias = "send-packet")]
    Send(By<packets::Send>),
    /// Bring a packet here that another network sent
    #[command(visible_alias = "recv-packet")]
    Receive(By<packets::Receive>),
    /// Bring back here the answer to a packet that this network sent
    Acknowledge(By<packets::Acknowledge>),
    /// Close here a packet that another network sent and that came too late
    ClaimTimeout(By<packets::ClaimTimeout>),
    /// Take back here a packet that this network sent and that the other closed
    Timeout(By<packets::Timeout>),
    /// Let a packet that is held here take effect, from its release time on; from its timeout on it goes back. Anyone may
    ReleaseHold(By<packets::Release>),
    /// Give a packet back that is held here, as a guardian or freezer, by order
    RejectHold(By<packets::Reject>),
    /// Put the digest of a rule pack, an allow-list or a halt in force under a name
    SetDigest(By<registry::Set>),
    /// Put what stands under a name out of force
    RevokeDigest(By<registry::Revoke>),
    /// Propose a change of the network, as a governor; it is your approval too
    #[command(subcommand)]
    Propose(govern::Propose),
    /// Approve a proposed change, as a governor
    Approve(By<govern::Approve>),
}

/// One message with its account.
#[derive(Debug, Args)]
pub(crate) struct By<A: Args> {
    #[command(flatten)]
    account: Account,
    /// Send nothing: check it against the rules and the state that the node tells, and say what would become of it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    ask: A,
}

/// What can be asked of a network.
pub(crate) trait Ask {
    /// The messages that ask for it.
    ///
    /// # Errors
    /// When an argument is not understood, or something that the message needs is not there.
    fn messages(&self, desk: &Desk<'_>) -> Result<Vec<Message>, Failure>;
}

/// What a message may be made from.
pub(crate) struct Desk<'d> {
    /// The network's node.
    here: &'d Client,
    /// The account that asks.
    account: AccountId,
    /// How long proofs are waited for.
    patience: Duration,
}

impl Tx {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Opaque(asked) => asked.run(output),
            Self::RegisterOrigin(asked) => asked.run(output),
            Self::Anchor(asked) => asked.run(output),
            Self::ReportSplitView(asked) => asked.run(output),
            Self::CreateClient(asked) => asked.run(output),
            Self::RegisterCounterparty(asked) => asked.run(output),
            Self::UpdateClient(asked) => asked.run(output),
            Self::SubmitMisbehaviour(asked) => asked.run(output),
            Self::ProposeRecovery(asked) => asked.run(output),
            Self::CancelRecovery(asked) => asked.run(output),
            Self::FinishRecovery(asked) => asked.run(output),
            Self::Send(asked) => asked.run(output),
            Self::Receive(asked) => asked.run(output),
            Self::Acknowledge(asked) => asked.run(output),
            Self::ClaimTimeout(asked) => asked.run(output),
            Self::Timeout(asked) => asked.run(output),
            Self::ReleaseHold(asked) => asked.run(output),
            Self::RejectHold(asked) => asked.run(output),
            Self::SetDigest(asked) => asked.run(output),
            Self::RevokeDigest(asked) => asked.run(output),
            Self::Propose(asked) => asked.run(output),
            Self::Approve(asked) => asked.run(output),
        }
    }
}

impl<A: Args + Ask> By<A> {
    pub(super) fn run(self, output: &Output) -> Result<(), Failure> {
        telemetry::begin("zeugma-tx", Logs::Off, None)?;
        let (key, patience): (Key, _) = (self.account.key()?, self.account.patience());
        let sender: Sender<'_> = self.account.sender(&key)?;
        let messages =
            self.ask.messages(&Desk { here: sender.client(), account: key.account(), patience })?;
        let signed = sender.sign(messages)?;
        output.report(&if self.dry_run {
            told::tried(&sender.try_out(&signed)?)
        } else {
            told::done(&sender.submit(&signed)?)
        });
        Ok(())
    }
}

pub(super) fn parse_32(text: &str) -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| "it has 64 hexadecimal digits".to_owned())?;
    Ok(bytes)
}

pub(super) fn parse_client(text: &str) -> Result<ClientId, String> {
    ClientId::new(text).map_err(|refusal| refusal.to_string())
}

fn refused(refusal: Refusal) -> Failure {
    Failure::refused("the message", refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Command;
    use zeugma_ledger::gov::Change;

    fn command() -> Command {
        Tx::augment_subcommands(Command::new("tx"))
    }

    fn lacking(of: &Command, names: &[&'static str]) -> Vec<&'static str> {
        names.iter().copied().filter(|name| of.find_subcommand(name).is_none()).collect()
    }

    #[test]
    fn every_message_and_every_change_has_a_command_of_its_name() {
        let tx = command();
        assert_eq!(lacking(&tx, Message::NAMES), [""; 0], "messages without a command");
        let propose = tx.find_subcommand("propose").unwrap();
        assert_eq!(lacking(propose, Change::NAMES), [""; 0], "changes without a command");
        // The test can fail: a message of the future is found.
        assert_eq!(lacking(&tx, &["opaque", "of-the-future"]), ["of-the-future"]);
    }

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        command().debug_assert();
    }
}
