// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Calls} from "./ibc/Calls.sol";
import {Governed} from "./ibc/Governed.sol";
import {
    IApp,
    NotNow,
    OnAcknowledgementPacketCallback,
    OnTimeoutPacketCallback
} from "./ibc/IApp.sol";
import {
    Height,
    ILightClient,
    MsgVerifyNonMembership,
    UpdateResult
} from "./ibc/ILightClient.sol";
import {
    MsgAckPacket,
    MsgRecvPacket,
    MsgSendPacket,
    MsgTimeoutPacket,
    Packet,
    Packets,
    Payload
} from "./ibc/Packet.sol";
import {Bodies} from "./verify/Body.sol";
import {Code} from "./verify/Code.sol";
import {Reading} from "./verify/Reader.sol";
import {hold, refuse} from "./verify/Refusal.sol";

/// The router of IBC v2: packets with one payload between applications here and chains behind light clients.
///
/// * Who may do what: anybody registers a client, delivers, acknowledges and times out, since each packet is judged by
///   its proof. The governor, after notice, binds a port that is free, once and for ever. The guardian halts receiving
///   and sending over a client for at most `MAX_HALT` at a time; acknowledgements and timeouts are never halted, so a
///   halt delays and never keeps. No client, port or commitment is ever replaced or removed by order, and there is no
///   upgrade: another version is another deployment.
/// * A state is written before the application that it concerns is called, and nothing here is entered twice.
/// * Timeouts are whole seconds: a packet is refused at its timeout or after, and closed only by a proof of the other
///   side's time at or after it.
contract Router is Governed {
    /// What every packet asks of a client: one slot.
    struct Route {
        ILightClient client;
        /// Nothing is sent or received before this time, in seconds.
        uint64 haltedUntil;
        /// Whether the counterparty's paths stand behind one empty prefix element.
        bool bare;
    }

    /// What is known of a client. The first two slots are read by each packet.
    struct Client {
        Route route;
        /// Keccak hash of the counterparty's identifier of us.
        bytes32 counterparty;
        string counterpartyId;
        bytes[] prefix;
        uint64 sent;
    }

    event ClientAdded(string clientId, string counterpartyId, address client);
    event PortBound(string port, address app);
    event Halted(string clientId, uint64 until);
    event SendPacket(string indexed clientId, uint256 indexed sequence, Packet packet);
    /// Without the packet, which whoever relays the acknowledgement holds.
    event WriteAcknowledgement(string indexed clientId, uint256 indexed sequence, bytes[] acknowledgements);
    event AckPacket(string indexed clientId, uint256 indexed sequence, bytes acknowledgement);
    event TimeoutPacket(string indexed clientId, uint256 indexed sequence);
    event ReceiveFailed(bytes reason);
    event Noop();

    /// How far ahead a timeout may be, in seconds: what stock routers take.
    uint64 public constant MAX_TIMEOUT = 1 days;
    /// How long one halt lasts at most, in seconds.
    uint64 public constant MAX_HALT = 7 days;
    /// Gas that an application has for a receive, no more and no less: with less the delivery fails as a whole, so
    /// nobody can have a packet refused by starving it.
    uint256 public constant RECEIVE_GAS = 2_000_000;

    /// By Keccak hash of the ICS-24 path: what a counterparty's light client proves. Slot `COMMITMENTS`.
    mapping(bytes32 => bytes32) public commitments;
    mapping(string => Client) private clients;
    mapping(string => IApp) private apps;
    uint64 public clientCount;
    /// A word, because a smaller value is read before it is written.
    uint256 private transient entered;

    constructor(address governor_, address guardian_, uint64 notice) Governed(governor_, guardian_, notice) {}

    modifier once() {
        hold(entered == 0, Code.NotAllowed);
        entered = 1;
        _;
        entered = 0;
    }

    // Clients, ports, halts

    /// Registers a light client under a name of its own, with the counterparty's identifier of us and the prefix of
    /// its paths. It is for ever: who relies on it has looked at it.
    function addClient(ILightClient client, string calldata counterpartyId, bytes[] calldata prefix)
        external
        returns (string memory id)
    {
        hold(address(client).code.length != 0 && prefix.length != 0, Code.BadParameters);
        uint256 length = bytes(counterpartyId).length;
        hold(length >= 4 && length <= 64 && Bodies.isIdentifier(bytes(counterpartyId)), Code.BadIdentifier);
        id = string.concat("client-", decimal(clientCount++));
        Client storage c = clients[id];
        c.counterparty = keccak256(bytes(counterpartyId));
        c.counterpartyId = counterpartyId;
        bool bare = prefix.length == 1 && prefix[0].length == 0;
        c.route = Route({client: client, haltedUntil: 0, bare: bare});
        for (uint256 i = 0; !bare && i < prefix.length; i++) c.prefix.push(prefix[i]);
        emit ClientAdded(id, counterpartyId, address(client));
    }

    /// Binds a free port to an application.
    function bindPort(string calldata port, IApp app) external afterNotice {
        hold(bytes(port).length >= 2 && Bodies.isIdentifier(bytes(port)), Code.BadIdentifier);
        hold(address(app).code.length != 0 && address(apps[port]) == address(0), Code.BadParameters);
        apps[port] = app;
        emit PortBound(port, address(app));
    }

    /// Stops sending and receiving over a client until a time; an earlier time, or none, ends a halt.
    function halt(string calldata clientId, uint64 until) external onlyGuardian {
        hold(until <= block.timestamp + MAX_HALT, Code.OutOfRange);
        clientAt(clientId).route.haltedUntil = until;
        emit Halted(clientId, until);
    }

    function getClient(string calldata clientId) external view returns (ILightClient) {
        return clientAt(clientId).route.client;
    }

    function getCounterparty(string calldata clientId) external view returns (string memory) {
        return clientAt(clientId).counterpartyId;
    }

    function haltedUntil(string calldata clientId) external view returns (uint64) {
        return clientAt(clientId).route.haltedUntil;
    }

    function getApp(string calldata port) external view returns (IApp) {
        return apps[port];
    }

    // Packets

    /// Several calls in one transaction: an update of a client and the packets that it proves.
    function multicall(bytes[] calldata calls) external returns (bytes[] memory results) {
        results = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            results[i] = Calls.own(calls[i]);
        }
    }

    /// Moves a client; anybody may call the client itself as well.
    function updateClient(string calldata clientId, bytes calldata message) external returns (UpdateResult) {
        return Calls.update(clientAt(clientId).route.client, message);
    }

    /// Sends a packet of the application that is bound to its source port, and gives its sequence.
    function sendPacket(MsgSendPacket calldata m) external once returns (uint64 sequence) {
        hold(msg.sender == address(apps[m.payload.sourcePort]), Code.UnknownPort);
        Client storage c = clientAt(m.sourceClient);
        hold(c.route.haltedUntil <= block.timestamp, Code.RouteHalted);
        hold(m.timeoutTimestamp > block.timestamp, Code.PacketTimedOut);
        hold(m.timeoutTimestamp <= block.timestamp + MAX_TIMEOUT, Code.TimeoutTooFar);
        hold(m.payload.value.length != 0, Code.Empty);
        sequence = ++c.sent;
        string memory destClient = c.counterpartyId;
        bytes32 slot = Packets.slot(m.sourceClient, Packets.COMMITMENT, sequence);
        commitments[slot] = Packets.commitment(sha256(bytes(destClient)), m.timeoutTimestamp, m.payload);
        Packet memory packet = Packet(sequence, m.sourceClient, destClient, m.timeoutTimestamp, new Payload[](1));
        packet.payloads[0] = m.payload;
        emit SendPacket(m.sourceClient, sequence, packet);
    }

    /// Receives a packet: a second delivery changes nothing.
    function recvPacket(MsgRecvPacket calldata m) external once {
        Packet calldata p = m.packet;
        Route memory route = routeBetween(p.destClient, p.sourceClient);
        Payload calldata payload = only(p);
        hold(route.haltedUntil <= block.timestamp, Code.RouteHalted);
        hold(p.timeoutTimestamp > block.timestamp, Code.PacketTimedOut);
        bytes32 receipt = Packets.slot(p.destClient, Packets.RECEIPT, p.sequence);
        if (commitments[receipt] != 0) {
            emit Noop();
            return;
        }
        bytes32 commitment = Packets.commitment(Packets.sha256Of(bytes(p.destClient)), p.timeoutTimestamp, payload);
        bytes memory end = Packets.path(p.sourceClient, Packets.COMMITMENT, p.sequence);
        bytes[] memory path = prefixed(route.bare, p.destClient, end);
        Calls.membership(route.client, m.proofCommitment, m.proofHeight, path, commitment);
        commitments[receipt] = commitment;
        bytes memory acknowledgement = deliver(p, payload);
        commitments[Packets.slot(p.destClient, Packets.ACKNOWLEDGEMENT, p.sequence)] =
            Packets.acknowledged(acknowledgement);
        tell(p, acknowledgement);
    }

    /// Tells the sender what the other side acknowledged.
    function ackPacket(MsgAckPacket calldata m) external once {
        Packet calldata p = m.packet;
        (Route memory route, Payload calldata payload, bytes32 slot) = open(p);
        if (slot == 0) return;
        bytes memory end = Packets.path(p.destClient, Packets.ACKNOWLEDGEMENT, p.sequence);
        bytes[] memory path = prefixed(route.bare, p.sourceClient, end);
        Calls.membership(route.client, m.proofAcked, m.proofHeight, path, Packets.acknowledged(m.acknowledgement));
        // Before the application hears of it: what it calls cannot have it told twice.
        delete commitments[slot];
        appAt(payload.sourcePort).onAcknowledgementPacket(
            OnAcknowledgementPacketCallback({
                sourceClient: p.sourceClient,
                destinationClient: p.destClient,
                sequence: p.sequence,
                payload: payload,
                acknowledgement: m.acknowledgement,
                relayer: msg.sender
            })
        );
        emit AckPacket(p.sourceClient, p.sequence, m.acknowledgement);
    }

    /// Gives the sender back a packet that was not received and never will be.
    function timeoutPacket(MsgTimeoutPacket calldata m) external once {
        Packet calldata p = m.packet;
        (Route memory route, Payload calldata payload, bytes32 slot) = open(p);
        if (slot == 0) return;
        bytes memory end = Packets.path(p.destClient, Packets.RECEIPT, p.sequence);
        uint256 time = route.client.verifyNonMembership(
            MsgVerifyNonMembership({
                proof: m.proofTimeout,
                proofHeight: m.proofHeight,
                path: prefixed(route.bare, p.sourceClient, end)
            })
        );
        hold(time >= p.timeoutTimestamp, Code.TimeoutNotReached);
        delete commitments[slot];
        appAt(payload.sourcePort).onTimeoutPacket(
            OnTimeoutPacketCallback({
                sourceClient: p.sourceClient,
                destinationClient: p.destClient,
                sequence: p.sequence,
                payload: payload,
                relayer: msg.sender
            })
        );
        emit TimeoutPacket(p.sourceClient, p.sequence);
    }

    // Parts

    /// Emits `WriteAcknowledgement`: the list of one acknowledgement, encoded.
    function tell(Packet calldata p, bytes memory acknowledgement) private {
        string calldata client = p.destClient;
        bytes32 event_ = WriteAcknowledgement.selector;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, client.offset, client.length)
            let name := keccak256(buffer, client.length)
            let length := mload(acknowledgement)
            // Where the list stands, how many, where the first stands; then its length and bytes.
            mstore(buffer, 32)
            mstore(add(buffer, 32), 1)
            mstore(add(buffer, 64), 32)
            mcopy(add(buffer, 96), acknowledgement, add(length, 32))
            mstore(add(add(buffer, 128), length), 0)
            // In the packet the sequence is the first.
            log3(buffer, add(128, and(add(length, 31), not(31))), event_, name, calldataload(p))
        }
    }

    /// The application's acknowledgement, or the error acknowledgement where it fails.
    function deliver(Packet calldata p, Payload calldata payload) private returns (bytes memory acknowledgement) {
        IApp app = apps[payload.destPort];
        if (address(app) == address(0)) return abi.encodePacked(Packets.UNIVERSAL_ERROR);
        // A call is given at most 63 of 64 parts of what is left.
        hold(gasleft() > RECEIVE_GAS + RECEIVE_GAS / 32, Code.CostAboveLimit);
        (bool done, bytes memory out) = Calls.receive_(app, p, payload, RECEIVE_GAS);
        if (done) {
            acknowledgement = Calls.returned(out);
            hold(acknowledgement.length != 0 && !Packets.isError(acknowledgement), Code.WrongAcknowledgement);
            return acknowledgement;
        }
        if (bytes4(out) == NotNow.selector) Calls.bubble(out);
        emit ReceiveFailed(out);
        return abi.encodePacked(Packets.UNIVERSAL_ERROR);
    }

    /// A packet of ours that is not resolved yet; slot 0 says that it is.
    function open(Packet calldata p) private returns (Route memory route, Payload calldata payload, bytes32 slot) {
        route = routeBetween(p.sourceClient, p.destClient);
        payload = only(p);
        slot = Packets.slot(p.sourceClient, Packets.COMMITMENT, p.sequence);
        bytes32 committed = commitments[slot];
        if (committed == 0) {
            // Acknowledged or timed out before, or never sent.
            emit Noop();
            return (route, payload, 0);
        }
        hold(committed == Packets.commitment(Packets.sha256Of(bytes(p.destClient)), p.timeoutTimestamp, payload), Code.WrongPacket);
    }

    function only(Packet calldata p) private pure returns (Payload calldata) {
        Payload[] calldata payloads = p.payloads;
        hold(payloads.length == 1, Code.WrongPayload);
        return payloads[0];
    }

    function clientAt(string calldata clientId) private view returns (Client storage c) {
        c = clients[clientId];
        hold(address(c.route.client) != address(0), Code.UnknownClient);
    }

    /// The route of a packet that names our client and the counterparty's.
    function routeBetween(string calldata ours, string calldata theirs) private view returns (Route memory route) {
        Client storage c = clients[ours];
        route = c.route;
        hold(address(route.client) != address(0), Code.UnknownClient);
        hold(Reading.key(Reading.startOf(bytes(theirs)), bytes(theirs).length) == c.counterparty, Code.WrongCounterparty);
    }

    function appAt(string calldata port) private view returns (IApp app) {
        app = apps[port];
        hold(address(app) != address(0), Code.UnknownPort);
    }

    /// The path behind the counterparty's prefix: joined with its last element.
    function prefixed(bool bare, string calldata clientId, bytes memory path)
        private
        view
        returns (bytes[] memory full)
    {
        if (bare) {
            full = new bytes[](1);
            full[0] = path;
            return full;
        }
        full = clients[clientId].prefix;
        full[full.length - 1] = bytes.concat(full[full.length - 1], path);
    }

    function decimal(uint256 n) private pure returns (string memory) {
        if (n < 10) return string(abi.encodePacked(uint8(48 + n)));
        return string.concat(decimal(n / 10), decimal(n % 10));
    }
}
