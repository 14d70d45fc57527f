//! The home of a coin: a plain chain that speaks the packets of transfers, in plain numbers. It verifies by looking
//! into what the other chain held, and does at once what it is asked.

use crate::chain::{Sealed, USERS};
use crate::mirror::Content;
use crate::told::Told;
use std::collections::{BTreeMap, BTreeSet};
use zeugma_ledger::app::transfer::{ABI, Amount, Denom, PORT, TAKEN, TransferData, VERSION};
use zeugma_ledger::bounded::{Bytes, Text};
use zeugma_ledger::ibc::{Acknowledgements, Packet, Payload, Port};
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{ClientId, Encode as _, Sequence, UnixSeconds};

/// See the module.
#[derive(Clone)]
pub struct Bank {
    /// What its coin is called here.
    pub coin: &'static str,
    /// Its client of the ledger.
    pub client: ClientId,
    /// The ledger's client of it, once there is one.
    pub counterparty: Option<ClientId>,
    /// The time of the last block, in milliseconds.
    pub time: u64,
    seals: u64,
    /// What users hold.
    pub users: [i128; USERS as usize],
    /// What is locked for what went out.
    pub locked: i128,
    next: u64,
    open: BTreeMap<u64, Packet>,
    receipts: BTreeSet<u64>,
    answers: BTreeMap<u64, Acknowledgements>,
    told: Vec<Told>,
}

/// A transfer's payload.
///
/// # Panics
/// Never: the words are short.
#[must_use]
pub fn payload(denom: &str, amount: u64, sender: &str, receiver: &str, memo: &str) -> Payload {
    let data = TransferData {
        denom: Denom::new(denom).expect("a name"),
        amount: Amount::new(amount),
        sender: Text::new(sender).expect("a name"),
        receiver: Text::new(receiver).expect("a name"),
        memo: memo.into(),
    };
    let port = || Port::new(PORT).expect("a port");
    Payload {
        source_port: port(),
        destination_port: port(),
        version: Text::new(VERSION).expect("a word"),
        encoding: Text::new(ABI).expect("a word"),
        value: Bytes::new(data.to_abi()).expect("a short payload"),
    }
}

/// The name of a user of a bank.
#[must_use]
pub fn user_name(user: u8) -> String {
    format!("user-{user}")
}

fn path(client: &ClientId, kind: PacketPath, sequence: u64) -> Vec<u8> {
    [b"ibc/", packet_path(client, kind, Sequence::new(sequence)).as_slice()].concat()
}

impl Bank {
    /// A bank whose users hold so much each.
    #[must_use]
    pub fn new(coin: &'static str, client: ClientId, each: i128, time: u64) -> Self {
        Self {
            coin,
            client,
            counterparty: None,
            time,
            seals: 0,
            users: [each; USERS as usize],
            locked: 0,
            next: 1,
            open: BTreeMap::new(),
            receipts: BTreeSet::new(),
            answers: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// What it told since it was asked last.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// How many packets it sent that are not resolved.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.open.len()
    }

    /// The chain as others see it now.
    pub fn seal(&mut self) -> Sealed {
        let mut content = Content::new();
        for (sequence, packet) in &self.open {
            let value = packet.commitment().to_bytes();
            content.insert(path(&self.client, PacketPath::Commitment, *sequence), value);
        }
        for sequence in &self.receipts {
            content.insert(path(&self.client, PacketPath::Receipt, *sequence), vec![1]);
        }
        for (sequence, answer) in &self.answers {
            let value = answer.commitment().to_bytes();
            content.insert(path(&self.client, PacketPath::Acknowledgement, *sequence), value);
        }
        self.seals += 1;
        Sealed::of(self.seals, self.time, content)
    }

    /// A user sends coins; whether he has them.
    ///
    /// # Panics
    /// Before it has a counterparty.
    pub fn send(&mut self, user: u8, amount: u64, receiver: &str, memo: &str, timeout: u64) -> bool {
        self.time += 1_000;
        let held = &mut self.users[usize::from(user)];
        if *held < i128::from(amount) || timeout * 1_000 <= self.time {
            return false;
        }
        *held -= i128::from(amount);
        self.locked += i128::from(amount);
        let sequence = self.next;
        self.next += 1;
        let payload = payload(self.coin, amount, &user_name(user), receiver, memo);
        let other = self.counterparty.clone().expect("the route is there");
        let (source, timeout) = (self.client.clone(), UnixSeconds::new(timeout));
        let packet = Packet::new(Sequence::new(sequence), source, other, timeout, vec![payload]);
        let packet = packet.expect("a packet within its bounds");
        self.open.insert(sequence, packet.clone());
        self.told.push(Told::Sent(packet));
        true
    }

    /// A packet arrives; whether it was taken, with whatever answer.
    pub fn receive(&mut self, packet: &Packet, under: &Sealed) -> bool {
        self.time += 1_000;
        let sequence = packet.sequence.get();
        let key = path(&packet.source_client, PacketPath::Commitment, sequence);
        let shown = under.content.get(&key) == Some(&packet.commitment().to_bytes());
        let ours = packet.destination_client == self.client;
        let late = self.time / 1_000 >= packet.timeout.get();
        if !shown || !ours || late || !self.receipts.insert(sequence) {
            return false;
        }
        let taken = self.takes(packet).is_some();
        let answer =
            if taken { Bytes::new(TAKEN) } else { return self.answer(sequence, Acknowledgements::error()) };
        let answer = Acknowledgements::new(vec![answer.expect("a short answer")]);
        self.answer(sequence, answer.expect("an answer"))
    }

    fn answer(&mut self, sequence: u64, answer: Acknowledgements) -> bool {
        self.told.push(Told::Received(self.client.clone(), sequence));
        self.told.push(Told::Answered(self.client.clone(), sequence, answer.clone()));
        self.answers.insert(sequence, answer);
        true
    }

    /// Its own coin comes home to one of its users; nothing else is taken.
    fn takes(&mut self, packet: &Packet) -> Option<()> {
        let data = TransferData::read(packet.payloads().first()?).ok()?;
        let home = data.denom.without(PORT, &packet.source_client)?;
        let user = (0..USERS).find(|user| user_name(*user) == data.receiver.as_str())?;
        let amount: i128 = data.amount.to_string().parse().ok()?;
        if home.as_str() != self.coin || amount > self.locked {
            return None;
        }
        self.locked -= amount;
        self.users[usize::from(user)] += amount;
        Some(())
    }

    /// An answer comes back; whether it ended a packet.
    pub fn acknowledge(&mut self, packet: &Packet, answer: &Acknowledgements, under: &Sealed) -> bool {
        self.time += 1_000;
        let sequence = packet.sequence.get();
        let key = path(&packet.destination_client, PacketPath::Acknowledgement, sequence);
        let shown = under.content.get(&key) == Some(&answer.commitment().to_bytes());
        if !shown || self.open.get(&sequence) != Some(packet) {
            return false;
        }
        self.open.remove(&sequence);
        if answer.is_error() {
            self.refund(packet);
        }
        self.told.push(Told::Acknowledged(self.client.clone(), sequence, !answer.is_error()));
        true
    }

    /// An absence from after the timeout is shown; whether it ended a packet.
    pub fn time_out(&mut self, packet: &Packet, under: &Sealed) -> bool {
        self.time += 1_000;
        let sequence = packet.sequence.get();
        let key = path(&packet.destination_client, PacketPath::Receipt, sequence);
        let absent = !under.content.contains_key(&key) && under.time / 1_000 >= packet.timeout.get();
        if !absent || self.open.get(&sequence) != Some(packet) {
            return false;
        }
        self.open.remove(&sequence);
        self.refund(packet);
        self.told.push(Told::TimedOut(self.client.clone(), sequence));
        true
    }

    fn refund(&mut self, packet: &Packet) {
        let data = TransferData::read(&packet.payloads()[0]).expect("it was written here");
        let amount: i128 = data.amount.to_string().parse().expect("a small number");
        let user = (0..USERS).find(|user| user_name(*user) == data.sender.as_str());
        self.locked -= amount;
        self.users[usize::from(user.expect("it was sent here"))] += amount;
    }
}
