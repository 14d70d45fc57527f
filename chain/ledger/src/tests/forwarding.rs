use crate::app::forward::{ForwardRequest, Forwarded};
use crate::bounded::{Bytes, List, Text};
use crate::ibc::{Acknowledgements, Packet, Payload, Port, error_acknowledgement};
use crate::testkit::{Peer, World, message, packet};
use crate::tx::{Acknowledge, RecvPacket, SendPacket, Timeout};
use crate::{Event, Role, Slot};
use alloc::vec::Vec;
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{ClientId, Code, Decode, Encode, FinalityClass, Sequence, Span, UnixSeconds};

struct Hub {
    world: World,
    from: (ClientId, Peer),
    to: (ClientId, Peer),
}

fn hub() -> Hub {
    let mut world = World::new();
    world.block(&[]);
    let one = Peer::new("one", Span::seconds(1_000_000), world.now());
    let other = Peer::new("other", Span::seconds(1_000_000), world.now());
    let from = (world.follow(&one, "hub-at-one"), one);
    let to = (world.follow(&other, "hub-at-other"), other);
    Hub { world, from, to }
}

fn request(sender: &[u8], next: &ClientId, port: &str) -> Payload {
    let inner = message(sender, b"hello");
    let request = ForwardRequest {
        sender: Bytes::new(sender).unwrap(),
        next: next.clone(),
        port: Port::new(port).unwrap(),
        version: inner.version,
        encoding: inner.encoding.clone(),
        value: Bytes::new(inner.value.as_slice()).unwrap(),
    };
    Payload {
        source_port: Port::new("forward").unwrap(),
        destination_port: Port::new("forward").unwrap(),
        version: Text::new("zeugma-forward-1").unwrap(),
        encoding: inner.encoding,
        value: Bytes::new(request.to_bytes()).unwrap(),
    }
}

impl Hub {
    /// Receives a request that the first chain committed.
    fn receive(&mut self, payload: Payload, timeout: u64) {
        let packet = packet("hub-at-one", &self.from.0, 1, timeout, payload);
        let path = packet_path(&packet.source_client, PacketPath::Commitment, packet.sequence);
        self.from.1.put(&[b"ibc/", path.as_slice()].concat(), packet.commitment().as_bytes());
        let client = self.from.0.clone();
        self.world.update(&client, &mut self.from.1);
        let proof = World::proof(&self.from.1);
        self.world.ok(Role::Relayer, RecvPacket { packet, proof });
    }

    fn sent(&self) -> Option<Packet> {
        self.world.events.iter().rev().find_map(|event| match event {
            Event::PacketSent(sent) => Some(sent.packet.clone()),
            _ => None,
        })
    }

    fn answer(&self) -> Option<Vec<u8>> {
        self.world.events.iter().rev().find_map(|event| match event {
            Event::AcknowledgementWritten(written) => {
                Some(written.acknowledgements.as_slice()[0].as_slice().into())
            }
            _ => None,
        })
    }

    fn acknowledge(&mut self, packet: Packet, given: Acknowledgements) {
        let key = packet_path(&packet.destination_client, PacketPath::Acknowledgement, packet.sequence);
        self.to.1.put(&[b"ibc/", key.as_slice()].concat(), given.commitment().as_bytes());
        let client = self.to.0.clone();
        self.world.update(&client, &mut self.to.1);
        let proof = World::proof(&self.to.1);
        self.world.ok(Role::Relayer, Acknowledge { packet, acknowledgements: given, proof });
    }
}

#[test]
fn a_hub_sends_its_own_packet_and_says_whence_the_message_came_and_why_that_is_final() {
    let mut hub = hub();
    let timeout = hub.world.seconds() + 500;
    hub.receive(request(b"alice", &hub.to.0.clone(), "message"), timeout);
    let sent = hub.sent().unwrap();
    assert_eq!(sent.source_client, hub.to.0);
    assert_eq!(sent.timeout.get(), timeout - 60, "timeouts shrink by hop");
    let forwarded = Forwarded::from_bytes(sent.payloads()[0].value.as_slice()).unwrap();
    assert_eq!(forwarded.origin.client, hub.from.0);
    assert_eq!(forwarded.origin.height, hub.from.1.height());
    assert_eq!(forwarded.origin.finality, FinalityClass::CommitteeQuorum);
    assert_eq!(forwarded.origin.sender.as_slice(), b"alice");
    assert_eq!(hub.answer(), None, "the answer comes with the outcome of the second packet");

    let given = Acknowledgements::new([Bytes::new(*b"taken").unwrap()].into()).unwrap();
    hub.acknowledge(sent, given.clone());
    assert_eq!(hub.answer().as_deref(), Some(b"taken".as_slice()));
    let key = Slot::Acknowledgement(&hub.from.0, Sequence::new(1)).key();
    assert_eq!(hub.world.store.get(&key), Some(given.commitment().to_bytes().as_slice()));
    assert_eq!(hub.world.store.under(&[0x24]).count() + hub.world.store.under(&[0x25]).count(), 0);
}

#[test]
fn an_error_or_a_timeout_of_the_second_packet_is_the_error_of_the_first() {
    for timed_out in [false, true] {
        let mut hub = hub();
        let timeout = hub.world.seconds() + 500;
        hub.receive(request(b"alice", &hub.to.0.clone(), "message"), timeout);
        let sent = hub.sent().unwrap();
        if timed_out {
            hub.world.pass(1_000);
            let client = hub.to.0.clone();
            hub.world.update(&client, &mut hub.to.1);
            let proof = World::proof(&hub.to.1);
            hub.world.ok(Role::Relayer, Timeout { packet: sent, proof });
        } else {
            hub.acknowledge(sent, Acknowledgements::error());
        }
        assert_eq!(hub.answer().unwrap(), error_acknowledgement());
    }
}

#[test]
fn a_request_that_cannot_be_forwarded_is_answered_with_the_error_at_once() {
    let nowhere = ClientId::new("test-9").unwrap();
    for (next, port, ahead) in
        [(Some(nowhere), "message", 500), (None, "forward", 500), (None, "message", 61)]
    {
        let mut hub = hub();
        let next = next.unwrap_or_else(|| hub.to.0.clone());
        let timeout = hub.world.seconds() + ahead;
        hub.receive(request(b"alice", &next, port), timeout);
        assert_eq!(hub.sent(), None);
        assert_eq!(hub.answer().unwrap(), error_acknowledgement());
        assert_eq!(hub.world.store.under(&[0x24]).count(), 0);
    }
}

#[test]
fn a_sender_cannot_write_the_wrapper_itself() {
    let mut hub = hub();
    let account = World::account(Role::Member);
    let timeout = UnixSeconds::new(hub.world.seconds() + 100);
    let send = |payload: Payload| SendPacket {
        client: hub.to.0.clone(),
        timeout,
        payloads: List::new([payload].into()).unwrap(),
    };
    let mut wrapper = request(account.as_bytes(), &hub.from.0, "message");
    wrapper.version = Text::new("zeugma-forwarded-1").unwrap();
    let mut direct = message(account.as_bytes(), b"hello");
    direct.version = Text::new("zeugma-forwarded-1").unwrap();
    let (wrapper, direct) = (send(wrapper), send(direct));
    let other = send(request(b"another", &hub.from.0, "message"));
    let good = send(request(account.as_bytes(), &hub.from.0, "message"));
    hub.world.refused(Role::Member, wrapper, Code::WrongPayload);
    hub.world.refused(Role::Member, direct, Code::WrongPayload);
    hub.world.refused(Role::Member, other, Code::WrongSender);
    hub.world.ok(Role::Member, good);
}

#[test]
fn a_forwarded_message_arrives_with_its_origin() {
    // The second chain's side: what a hub sends is read by its message port.
    let mut sender = hub();
    let timeout = sender.world.seconds() + 500;
    sender.receive(request(b"alice", &sender.to.0.clone(), "message"), timeout);
    let payload = sender.sent().unwrap().payloads()[0].clone();

    let mut receiver = hub();
    let timeout = receiver.world.seconds() + 400;
    receiver.receive(payload.clone(), timeout);
    let kept = receiver.world.store.under(&[0x30, 1]).next().unwrap().1;
    let kept = crate::app::message::Kept::from_bytes(kept).unwrap();
    assert_eq!(kept.origin.0.unwrap().sender.as_slice(), b"alice");

    // A message port cannot pretend to be a hub.
    let mut receiver = hub();
    let stray = Payload { source_port: Port::new("message").unwrap(), ..payload };
    let timeout = receiver.world.seconds() + 400;
    receiver.receive(stray, timeout);
    assert_eq!(receiver.answer().unwrap(), error_acknowledgement());
}
