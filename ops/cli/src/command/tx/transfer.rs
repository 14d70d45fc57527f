//! `zeugma transfer`: an asset of another chain, held here, goes to an account on that chain or on a third.

use super::govern::{parse_amount, parse_denom};
use super::{Ask, Desk, parse_client, refused};
use crate::clock;
use crate::failure::Failure;
use clap::Args;
use zeugma_ledger::Message;
use zeugma_ledger::app::transfer::{ABI, Amount, Denom, PORT, TransferData, VERSION};
use zeugma_ledger::bounded::{Bytes, List, Text};
use zeugma_ledger::ibc::{Payload, Port};
use zeugma_ledger::tx::SendPacket;
use zeugma_types::{ClientId, Refusal, UnixSeconds};

/// See [`Message::SendPacket`].
#[derive(Debug, Args)]
pub(crate) struct Transfer {
    /// Our client of the chain that it goes to
    #[arg(long, value_name = "ID", value_parser = parse_client)]
    client: ClientId,
    /// The asset, by its name here: transfer/CLIENT/NAME
    #[arg(long, value_name = "NAME", value_parser = parse_denom)]
    denom: Denom,
    /// How much, in the asset's smallest unit
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    amount: Amount,
    /// Who gets it, as that chain writes accounts
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// What else the receiving chain is to read; a hub reads an order to send on here
    #[arg(long, default_value = "", value_name = "TEXT")]
    memo: String,
    /// Seconds from now until receiving is refused there, and the asset comes back
    #[arg(long, default_value_t = 60 * 60, value_name = "SECONDS")]
    timeout: u64,
}

impl Ask for Transfer {
    fn messages(&self, desk: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let send = || -> Result<SendPacket, Refusal> {
            let data = TransferData {
                denom: self.denom.clone(),
                amount: self.amount,
                sender: Text::new(&desk.account.to_string())?,
                receiver: Text::new(&self.to)?,
                memo: self.memo.clone(),
            };
            let payload = Payload {
                source_port: Port::new(PORT)?,
                destination_port: Port::new(PORT)?,
                version: Text::new(VERSION)?,
                encoding: Text::new(ABI)?,
                value: Bytes::new(data.to_abi())?,
            };
            // As the network will read it: what it would refuse is refused here.
            TransferData::read(&payload)?;
            let timeout = UnixSeconds::new(clock::now().whole_seconds().get().saturating_add(self.timeout));
            Ok(SendPacket { client: self.client.clone(), timeout, payloads: List::new(vec![payload])? })
        };
        Ok(vec![Message::SendPacket(send().map_err(refused)?)])
    }
}
