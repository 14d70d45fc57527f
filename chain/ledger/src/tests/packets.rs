use crate::app::message::{Kept, received_key};
use crate::bounded::{Bytes, Text};
use crate::ibc::{Acknowledgements, Link, Packet, Receipt, error_acknowledgement};
use crate::registry::Kind;
use crate::testkit::{Peer, World, message, packet};
use crate::tx::{
    Acknowledge, ClaimTimeout, RecvPacket, RevokeDigest, SendPacket, SetDigest, StoreProof, Timeout,
};
use crate::{Effect, Event, Outcome, Role, Slot};
use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_proof::body::{Closed, Said};
use zeugma_types::leaf_path::{PacketPath, packet_path};
use zeugma_types::{ClientId, Code, Encode, HashSuite, LeafPath, Sequence, Span, UnixSeconds};

const THEIRS: &str = "zeugma-9";

struct Bench {
    world: World,
    peer: Peer,
    client: ClientId,
}

fn bench() -> Bench {
    let mut world = World::new();
    world.block(&[]);
    let peer = Peer::new("peer", Span::seconds(1_000_000), world.now());
    let client = world.follow(&peer, THEIRS);
    Bench { world, peer, client }
}

impl Bench {
    /// A packet that the peer committed, and the proof of it.
    fn committed(&mut self, sequence: u64, timeout: u64) -> (Packet, StoreProof) {
        let packet = packet(THEIRS, &self.client, sequence, timeout, message(b"them", b"hello"));
        self.commit(&packet);
        let proof = self.prove();
        (packet, proof)
    }

    fn commit(&mut self, packet: &Packet) {
        let path = packet_path(&packet.source_client, PacketPath::Commitment, packet.sequence);
        self.peer.put(&under(&path), packet.commitment().as_bytes());
    }

    fn prove(&mut self) -> StoreProof {
        self.world.update(&self.client, &mut self.peer);
        World::proof(&self.peer)
    }

    /// Sends a message that times out this many seconds from now.
    fn send(&mut self, ahead: u64) -> Packet {
        let payload = message(World::account(Role::Member).as_bytes(), b"hello");
        let timeout = UnixSeconds::new(self.world.seconds() + ahead);
        let payloads = crate::bounded::List::new([payload].into()).unwrap();
        self.world.ok(Role::Member, SendPacket { client: self.client.clone(), timeout, payloads });
        let sent = self.world.events.iter().rev().find_map(|event| match event {
            Event::PacketSent(sent) => Some(sent.packet.clone()),
            _ => None,
        });
        sent.unwrap()
    }

    fn receipt(&self, sequence: u64) -> Option<Receipt> {
        self.world.load(Slot::Receipt(&self.client, Sequence::new(sequence)))
    }

    fn last_acknowledgement(&self) -> Vec<u8> {
        let written = self.world.events.iter().rev().find_map(|event| match event {
            Event::AcknowledgementWritten(written) => Some(written),
            _ => None,
        });
        written.unwrap().acknowledgements.as_slice()[0].as_slice().into()
    }
}

fn under(path: &[u8]) -> Vec<u8> {
    [b"ibc/", path].concat()
}

fn soon(bench: &Bench) -> u64 {
    bench.world.seconds() + 500
}

#[test]
fn a_packet_is_received_once_acknowledged_and_said() {
    let mut bench = bench();
    let timeout = soon(&bench);
    let (packet, proof) = bench.committed(1, timeout);
    let recv = RecvPacket { packet: packet.clone(), proof };
    bench.world.ok(Role::Relayer, recv.clone());
    assert_eq!(bench.receipt(1), Some(Receipt::Received));

    let digest = sha256(&[packet.payloads()[0].value.as_slice()]);
    let link = Link { client: bench.client.clone(), sequence: Sequence::new(1) };
    let kept: Kept = bench.world.load(Slot::Application(1, &received_key(&link, 0))).unwrap();
    assert_eq!(kept.digest, digest);

    let acknowledgements = Acknowledgements::new([Bytes::new(digest).unwrap()].into()).unwrap();
    let path = LeafPath::packet(&bench.client, PacketPath::Acknowledgement, Sequence::new(1));
    assert_eq!(bench.world.outbox.last().unwrap(), &(path, acknowledgements.commitment()));

    let leaves = bench.world.outbox.len();
    let outcome = bench.world.run(Role::Relayer, recv);
    assert_eq!(
        outcome,
        Outcome::Done { messages: crate::bounded::List::new([Effect::AlreadyDone].into()).unwrap() }
    );
    assert_eq!(bench.world.outbox.len(), leaves, "a replay says nothing");
}

#[test]
fn a_replay_gives_the_work_back_and_keeps_the_carriage() {
    let mut bench = bench();
    let timeout = soon(&bench);
    let (packet, proof) = bench.committed(1, timeout);
    let recv = RecvPacket { packet, proof };
    bench.world.ok(Role::Relayer, recv.clone());
    let left = |bench: &Bench| {
        let account = World::account(Role::Relayer);
        let account: crate::account::Account = bench.world.load(Slot::Account(&account)).unwrap();
        account.allowance.thousandths / 1_000
    };
    let full = crate::gov::Parameters::default().allowance_capacity;
    let work = crate::cost::of_message(&recv.clone().into(), World::ledger().families()).unwrap().work.get();
    assert!(left(&bench) < full - work);
    bench.world.run(Role::Relayer, recv);
    assert!(full - left(&bench) > 80 && left(&bench) > full - 80 - 100 - work / 2, "{}", left(&bench));
}

#[test]
fn receiving_at_or_after_the_timeout_is_refused_and_closing_before_it() {
    let mut bench = bench();
    let timeout = bench.world.seconds() + 10;
    let (packet, proof) = bench.committed(1, timeout);
    let claim = ClaimTimeout { packet: packet.head(), proof: proof.clone() };
    bench.world.refused(Role::Relayer, claim.clone(), Code::TimeoutNotReached);
    // The last millisecond before the timeout is before it.
    let mut early = bench.world.clone();
    early.time = timeout * 1_000 - 1 - 1_000;
    early.refused(Role::Relayer, claim.clone(), Code::TimeoutNotReached);
    // The next block is one second on: exactly the timeout.
    bench.world.time = (timeout - 1) * 1_000;
    let recv = RecvPacket { packet: packet.clone(), proof };
    let mut other = bench.world.clone();
    bench.world.refused(Role::Relayer, recv.clone(), Code::PacketTimedOut);
    other.time -= 1_000;
    other.ok(Role::Relayer, recv.clone());
    other.time = timeout * 1_000;
    other.refused(Role::Relayer, claim.clone(), Code::PacketReceived);

    bench.world.ok(Role::Relayer, claim.clone());
    let said = Closed {
        client: bench.client.clone(),
        sequence: Sequence::new(1),
        commitment: packet.commitment(),
        timeout: UnixSeconds::new(timeout),
    };
    assert_eq!(bench.world.outbox.last().unwrap(), &(said.path(), said.value(HashSuite::Sha256)));
    bench.world.refused(Role::Relayer, recv, Code::PacketIsClosed);
    assert!(bench.world.run(Role::Relayer, claim).is_done(), "closing again changes nothing");
}

#[test]
fn a_packet_whose_payloads_cannot_be_read_is_closed_all_the_same() {
    let mut bench = bench();
    let (packet, _) = bench.committed(1, soon(&bench));
    // Nobody here could decode payloads of this digest.
    let head = crate::ibc::PacketHead {
        payloads: [0x5a; 32],
        sequence: Sequence::new(2),
        timeout: UnixSeconds::new(bench.world.seconds() + 5),
        ..packet.head()
    };
    let path = packet_path(&head.source_client, PacketPath::Commitment, head.sequence);
    bench.peer.put(&under(&path), head.commitment().as_bytes());
    bench.world.pass(10);
    let proof = bench.prove();
    bench.world.ok(Role::Relayer, ClaimTimeout { packet: head, proof });
    assert_eq!(bench.receipt(2), Some(Receipt::Closed));
}

#[test]
fn a_packet_that_was_not_committed_is_neither_received_nor_closed() {
    let mut bench = bench();
    let (packet, proof) = bench.committed(1, soon(&bench));
    let forged = |change: &dyn Fn(&mut Packet)| {
        let mut forged = packet.clone();
        change(&mut forged);
        forged
    };
    let cases = [
        (forged(&|packet| packet.sequence = Sequence::new(2)), Code::NotProven),
        (forged(&|packet| packet.timeout = UnixSeconds::new(packet.timeout.get() + 1)), Code::NotProven),
        (
            forged(&|packet| packet.source_client = ClientId::new("zeugma-8").unwrap()),
            Code::WrongCounterparty,
        ),
        (forged(&|packet| packet.destination_client = ClientId::new("test-7").unwrap()), Code::UnknownClient),
    ];
    for (packet, code) in cases {
        bench.world.refused(Role::Relayer, RecvPacket { packet, proof: proof.clone() }, code);
    }
    let ahead = StoreProof { height: zeugma_types::Height::new(999), ..proof };
    bench.world.refused(Role::Relayer, RecvPacket { packet, proof: ahead }, Code::NoStateAt);
}

#[test]
fn what_an_application_refuses_becomes_the_error_acknowledgement_and_leaves_nothing() {
    let mut bench = bench();
    let good = message(b"them", b"hello");
    let unread = crate::ibc::Payload { version: Text::new("other-1").unwrap(), ..good.clone() };
    let packet = Packet::new(
        Sequence::new(1),
        ClientId::new(THEIRS).unwrap(),
        bench.client.clone(),
        UnixSeconds::new(soon(&bench)),
        [good, unread].into(),
    )
    .unwrap();
    bench.commit(&packet);
    let proof = bench.prove();
    bench.world.ok(Role::Relayer, RecvPacket { packet, proof });
    assert_eq!(bench.receipt(1), Some(Receipt::Received));
    assert_eq!(bench.last_acknowledgement(), error_acknowledgement());
    assert_eq!(bench.world.store.under(&[0x30]).count(), 0, "the first payload's effect was taken back");
}

#[test]
fn a_packet_of_several_payloads_is_acknowledged_payload_by_payload() {
    let mut bench = bench();
    let payloads = [message(b"them", b"one"), message(b"them", b"two")];
    let packet = Packet::new(
        Sequence::new(1),
        ClientId::new(THEIRS).unwrap(),
        bench.client.clone(),
        UnixSeconds::new(soon(&bench)),
        payloads.clone().into(),
    )
    .unwrap();
    bench.commit(&packet);
    let proof = bench.prove();
    bench.world.ok(Role::Relayer, RecvPacket { packet, proof });
    let expected = payloads.map(|payload| Bytes::new(sha256(&[payload.value.as_slice()])).unwrap());
    let expected = Acknowledgements::new(expected.into()).unwrap();
    assert_eq!(bench.world.outbox.last().unwrap().1, expected.commitment());
    assert_eq!(bench.world.store.under(&[0x30]).count(), 2);
}

#[test]
fn a_packet_of_ours_is_committed_and_its_acknowledgement_resolves_it_once() {
    let mut bench = bench();
    let packet = bench.send(100);
    let path = LeafPath::packet(&bench.client, PacketPath::Commitment, Sequence::new(1));
    assert_eq!(bench.world.outbox.last().unwrap(), &(path, packet.commitment()));
    let given = Acknowledgements::new([Bytes::new(*b"ok").unwrap()].into()).unwrap();
    let key = packet_path(&packet.destination_client, PacketPath::Acknowledgement, packet.sequence);
    bench.peer.put(&under(&key), given.commitment().as_bytes());
    let proof = bench.prove();

    let other = Acknowledgements::new([Bytes::new(*b"no").unwrap()].into()).unwrap();
    let wrong = Acknowledge { packet: packet.clone(), acknowledgements: other, proof: proof.clone() };
    bench.world.refused(Role::Relayer, wrong, Code::NotProven);
    let ours = Acknowledge { packet: packet.clone(), acknowledgements: given, proof: proof.clone() };
    bench.world.ok(Role::Relayer, ours.clone());
    assert!(bench.world.store.get(&Slot::Commitment(&bench.client, packet.sequence).key()).is_none());
    assert!(bench.world.run(Role::Relayer, ours).is_done());
    let timeout = Timeout { packet: packet.clone(), proof: proof.clone() };
    assert!(bench.world.run(Role::Relayer, timeout).is_done(), "resolved is resolved: no effect");
    let mut never = packet;
    never.sequence = Sequence::new(9);
    bench.world.refused(Role::Relayer, Timeout { packet: never, proof }, Code::WrongPacket);
}

#[test]
fn a_stale_absence_never_times_a_packet_out() {
    let mut bench = bench();
    let packet = bench.send(50);
    let stale = bench.prove();
    let timeout = Timeout { packet: packet.clone(), proof: stale };
    bench.world.refused(Role::Relayer, timeout.clone(), Code::TimeoutNotReached);
    bench.world.pass(100);
    // The absence is as old as before, whatever our clock says.
    bench.world.refused(Role::Relayer, timeout, Code::TimeoutNotReached);
    let fresh = bench.prove();
    bench.world.ok(Role::Relayer, Timeout { packet: packet.clone(), proof: fresh });
    assert!(bench.world.store.get(&Slot::Commitment(&bench.client, packet.sequence).key()).is_none());
}

#[test]
fn only_the_packet_that_was_sent_is_resolved() {
    let mut bench = bench();
    let packet = bench.send(50);
    let given = Acknowledgements::new([Bytes::new(*b"ok").unwrap()].into()).unwrap();
    let key = packet_path(&packet.destination_client, PacketPath::Acknowledgement, packet.sequence);
    bench.world.pass(100);
    let absent = bench.prove();
    bench.peer.put(&under(&key), given.commitment().as_bytes());
    let answered = bench.prove();
    // Same clients, same sequence, and proofs that hold: but other payloads, or another timeout.
    let with = |timeout, payload| {
        let (source, destination) = (packet.source_client.clone(), packet.destination_client.clone());
        Packet::new(packet.sequence, source, destination, timeout, [payload].into()).unwrap()
    };
    let sender = World::account(Role::Member);
    let late = UnixSeconds::new(packet.timeout.get() + 1);
    for forged in
        [with(packet.timeout, message(sender.as_bytes(), b"other")), with(late, packet.payloads()[0].clone())]
    {
        let timeout = Timeout { packet: forged.clone(), proof: absent.clone() };
        bench.world.refused(Role::Relayer, timeout, Code::WrongPacket);
        let acknowledge =
            Acknowledge { packet: forged, acknowledgements: given.clone(), proof: answered.clone() };
        bench.world.refused(Role::Relayer, acknowledge, Code::WrongPacket);
    }
    bench.world.ok(Role::Relayer, Acknowledge { packet, acknowledgements: given, proof: answered });
}

#[test]
fn a_packet_that_was_received_there_never_times_out() {
    let mut bench = bench();
    let packet = bench.send(50);
    let key = packet_path(&packet.destination_client, PacketPath::Receipt, packet.sequence);
    bench.peer.put(&under(&key), &[1]);
    bench.world.pass(100);
    let proof = bench.prove();
    bench.world.refused(Role::Relayer, Timeout { packet, proof }, Code::AbsenceNotProven);
}

#[test]
fn what_cannot_be_sent_is_refused_with_its_rule() {
    let mut bench = bench();
    let now = bench.world.seconds();
    let send = |client: &ClientId, timeout: u64, payload| SendPacket {
        client: client.clone(),
        timeout: UnixSeconds::new(timeout),
        payloads: crate::bounded::List::new(Vec::from([payload])).unwrap(),
    };
    let ours = message(World::account(Role::Member).as_bytes(), b"hello");
    let client = bench.client.clone();
    bench.world.refused(Role::Member, send(&client, now, ours.clone()), Code::PacketTimedOut);
    bench.world.refused(Role::Member, send(&client, now + 90_000, ours.clone()), Code::TimeoutTooFar);
    bench.world.refused(Role::Member, send(&client, now + 100, message(b"else", b"x")), Code::WrongSender);
    let stray = crate::ibc::Payload { source_port: crate::ibc::Port::new("tokens").unwrap(), ..ours.clone() };
    bench.world.refused(Role::Member, send(&client, now + 100, stray), Code::UnknownPort);
    let nowhere = ClientId::new("test-5").unwrap();
    bench.world.refused(Role::Member, send(&nowhere, now + 100, ours), Code::UnknownClient);
    let none = SendPacket { client, timeout: UnixSeconds::new(now + 100), payloads: Default::default() };
    bench.world.refused(Role::Member, none, Code::Empty);
}

#[test]
fn a_halted_route_takes_nothing_new_and_lets_what_is_in_flight_end() {
    let mut bench = bench();
    let sent = bench.send(50);
    let (packet, proof) = bench.committed(1, bench.world.seconds() + 60);
    let name = Text::new(bench.client.as_str()).unwrap();
    let halt = SetDigest { kind: Kind::Halt, name: name.clone(), digest: [3; 32] };
    bench.world.refused(Role::Operator, halt.clone(), Code::NotAllowed);
    bench.world.ok(Role::Freezer, halt);
    let recv = RecvPacket { packet: packet.clone(), proof: proof.clone() };
    bench.world.refused(Role::Relayer, recv.clone(), Code::RouteHalted);
    let payloads = crate::bounded::List::new([message(World::account(Role::Member).as_bytes(), b"x")].into());
    let timeout = UnixSeconds::new(bench.world.seconds() + 50);
    let again = SendPacket { client: bench.client.clone(), timeout, payloads: payloads.unwrap() };
    bench.world.refused(Role::Member, again, Code::RouteHalted);

    let mut resumed = bench.world.clone();
    resumed.refused(Role::Freezer, RevokeDigest { kind: Kind::Halt, name: name.clone() }, Code::NotAllowed);
    resumed.ok(Role::Governor, RevokeDigest { kind: Kind::Halt, name });
    resumed.ok(Role::Relayer, recv);

    bench.world.pass(100);
    bench.world.ok(Role::Relayer, ClaimTimeout { packet: packet.head(), proof });
    let absent = bench.prove();
    bench.world.ok(Role::Relayer, Timeout { packet: sent, proof: absent });
}

#[test]
fn a_commitment_in_state_is_the_one_in_the_outbox() {
    let mut bench = bench();
    let packet = bench.send(50);
    let key = Slot::Commitment(&bench.client, packet.sequence).key();
    assert_eq!(bench.world.store.get(&key), Some(packet.commitment().to_bytes().as_slice()));
}
