//! A foreign chain sends an asset of which more comes at once than the delay lets through.

use super::{Asked, PATIENCE, event};
use crate::common::Desk;
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use zeugma_adapter_core::Family as _;
use zeugma_adapter_zeugma::{Certified, LeafProof, Profile, State, Update, Zeugma};
use zeugma_client::{Client, Fate};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_ledger::app::transfer::{ABI, Amount, Denom, PORT, TransferData, VERSION};
use zeugma_ledger::bounded::{Bytes, List, Text};
use zeugma_ledger::ibc::{Packet, Payload, Port};
use zeugma_ledger::tx::{RecvPacket, SignedBody, StoreProof, Until};
use zeugma_ledger::{Message, Transaction};
use zeugma_proof::testkit::TestNetwork;
use zeugma_proof::{Header, LeafFormat};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{ClientId, Cost, Encode as _, LeafIndex, LeafPath, Sequence, Span, UnixSeconds};

/// How long what is large is held, in seconds.
const DELAY: &str = "4";

fn packet(from: &ClientId, to: &ClientId, sequence: u64, receiver: &str, timeout: u64) -> Packet {
    let data = TransferData {
        denom: Denom::new("coin").unwrap(),
        amount: Amount::new(60),
        sender: Text::new("alice").unwrap(),
        receiver: Text::new(receiver).unwrap(),
        memo: String::new(),
    };
    let port = || Port::new(PORT).unwrap();
    let payload = Payload {
        source_port: port(),
        destination_port: port(),
        version: Text::new(VERSION).unwrap(),
        encoding: Text::new(ABI).unwrap(),
        value: Bytes::new(data.to_abi()).unwrap(),
    };
    let timeout = UnixSeconds::new(timeout);
    Packet::new(Sequence::new(sequence), from.clone(), to.clone(), timeout, vec![payload]).unwrap()
}

/// The network's own account submits messages that no command makes.
fn submit(desk: &Desk, asked: &Asked<'_>, messages: Vec<Message>) {
    let key: Value = serde_json::from_str(&desk.text("one/account.json")).unwrap();
    let mut seed = [0; 32];
    hex::decode_to_slice(key["secret"].as_str().unwrap(), &mut seed).unwrap();
    let secret = SecretKey::from_seed(&seed);
    let client = Client::new(asked.net.node(0)).with_token(desk.text("one/token").trim());
    let account = zeugma_ledger::account_of(secret.public().as_bytes());
    let known = client.account(&account).unwrap().unwrap();
    let body = SignedBody {
        network: client.status().unwrap().network,
        key: *secret.public().as_bytes(),
        sequence: known.used.highest + 1,
        until: Until::NEVER,
        cost_limit: Cost::MAX,
        messages: List::new(messages).unwrap(),
    };
    let id = client.submit(&Transaction::sign(body, &secret).to_bytes()).unwrap();
    let fate = client.wait(&id, PATIENCE).unwrap();
    let Fate::Final { outcome, .. } = &fate else { panic!("{fate:?}") };
    assert!(outcome.is_done(), "{outcome:?}");
}

fn receive(chain: &TestNetwork, under: &Header, packet: &Packet, said: LeafIndex) -> Message {
    let proof = chain.prove(said);
    assert_eq!(proof.header.height, under.height);
    let leaf = LeafProof { leaf: proof.leaf, inclusion: proof.inclusion }.to_bytes();
    let proof = StoreProof { height: under.height, proof: Bytes::new(leaf).unwrap() };
    RecvPacket { packet: packet.clone(), proof }.into()
}

/// What is held is seen, waits for its time, is released by whoever asks, and is given back by order.
pub(crate) fn holds(desk: &Desk, asked: &mut Asked<'_>) {
    let mut chain = TestNetwork::new(5);
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    chain.wait(Span::millis(now - chain.time().get() - 60_000));
    let of_us = ClientId::new("zeugma-77").unwrap();
    let path = LeafPath::packet(&of_us, PacketPath::Commitment, Sequence::new(99));
    chain.say(LeafFormat::Sha256, path, zeugma_types::Value::new([1; 32]));
    let first = chain.close_block();
    let day = Span::seconds(24 * 60 * 60);
    let profile = Profile { network: chain.network, trusting_period: day, drift: Span::seconds(10) };
    desk.put("profile.bin", profile.to_bytes());
    let state = State::of(&first, chain.keys.committee.group_key.clone());
    desk.put("state.bin", state.to_bytes());
    let family = Zeugma::NUMBER.to_string();
    let create = ["create-client", "--family", &family, "--profile", "profile.bin", "--state", "state.bin"];
    let created = asked.does(&create);
    let of_them = ClientId::new(event(&created, "client-created")["client"].as_str().unwrap()).unwrap();
    let by = of_them.as_str();
    asked.does(&["register-counterparty", "--client", by, "--counterparty", of_us.as_str()]);

    let coin = format!("transfer/{by}/coin");
    let delay = ["propose", "delay", "--client", by, "--denom", &coin, "--threshold", "50"];
    asked.refuses(584, &[&delay[..], &["--delay-seconds", "86400"]].concat());
    let change = asked.does(&[&delay[..], &["--delay-seconds", DELAY]].concat());
    event(&change, "change-scheduled");
    asked.until(&["asset", &coin, "--client", by], |asset| asset["held_above"] == "50");

    let key = desk.run(&["keys", "show", "one/account.json", "--json"]).ends(0).json();
    let receiver = key["account"].as_str().unwrap();
    let packets: Vec<Packet> =
        (1..=2).map(|number| packet(&of_us, &of_them, number, receiver, now / 1_000 + 3_600)).collect();
    let said: Vec<LeafIndex> = packets
        .iter()
        .map(|packet| {
            let path = LeafPath::packet(&of_us, PacketPath::Commitment, packet.sequence);
            chain.say(LeafFormat::Sha256, path, packet.commitment())
        })
        .collect();
    let second = chain.close_block();
    let certificate = chain.headers.last().unwrap().1;
    let update = Update { handovers: Vec::new(), target: Certified { header: second.clone(), certificate } };
    desk.put("update.bin", update.to_bytes());
    asked.does(&["update-client", "--client", by, "--update", "update.bin"]);
    asked.refuses(558, &["release-hold", "--client", by, "--sequence", "1"]);
    let messages = packets.iter().zip(said).map(|(packet, said)| receive(&chain, &second, packet, said));
    submit(desk, asked, messages.collect());

    let all = asked.until(&["holds", by], |holds| holds["held"] == 2);
    assert_eq!((&all["packet"][0]["amount"], &all["packet"][1]["sequence"]), (&"60".into(), &2.into()));
    let one = asked.until(&["hold", by, "1"], |_| true);
    assert_eq!((&one["asset"], &one["for"]), (&coin.as_str().into(), &receiver.into()));
    assert!(one["release_at"].as_str() < one["goes_back_at"].as_str(), "{one}");
    let order = "0a".repeat(32);
    let rejected = asked.does(&["reject-hold", "--client", by, "--sequence", "2", "--order", &order]);
    assert_eq!(event(&rejected, "hold-ended")["order"], order.as_str());
    let release = ["release-hold", "--client", by, "--sequence", "1"];
    let end = Instant::now() + PATIENCE;
    loop {
        let ran = asked.net.tx(desk, &[&release[..], &["--dry-run"]].concat());
        if ran.code == 0 {
            break;
        }
        assert_eq!(ran.json()["refused"]["name"], "HeldUntil", "{}", ran.err);
        assert!(Instant::now() < end, "the delay of {DELAY} seconds does not pass");
        std::thread::sleep(Duration::from_millis(300));
    }
    let released = asked.does(&release);
    assert_eq!(event(&released, "hold-ended")["end"], "released");
    let asset = asked.until(&["asset", &coin, "--account", receiver], |asset| asset["held"] == "60");
    assert_eq!(asset["in_all"], "60", "what was rejected went home");
    asked.until(&["holds", by], |holds| holds["held"] == 0);
}
