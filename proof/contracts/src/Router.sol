// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Governed} from "./ibc/Governed.sol";
import {
    IApp,
    NotNow,
    OnAcknowledgementPacketCallback,
    OnRecvPacketCallback,
    OnTimeoutPacketCallback
} from "./ibc/IApp.sol";
import {
    Height,
    ILightClient,
    MsgVerifyMembership,
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
    /// What is known of a client, in two slots that each packet reads.
    struct Client {
        ILightClient client;
        /// Nothing is sent or received before this time, in seconds.
        uint64 haltedUntil;
        /// Whether the counterparty's paths stand behind one empty prefix element.
        bool bare;
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
    bool private transient entered;

    constructor(address governor_, address guardian_, uint64 notice) Governed(governor_, guardian_, notice) {}

    modifier once() {
        hold(!entered, Code.NotAllowed);
        entered = true;
        _;
        entered = false;
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
        c.client = client;
        c.counterparty = keccak256(bytes(counterpartyId));
        c.counterpartyId = counterpartyId;
        c.bare = prefix.length == 1 && prefix[0].length == 0;
        for (uint256 i = 0; !c.bare && i < prefix.length; i++) c.prefix.push(prefix[i]);
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
        clientAt(clientId).haltedUntil = until;
        emit Halted(clientId, until);
    }

    function getClient(string calldata clientId) external view returns (ILightClient) {
        return clientAt(clientId).client;
    }

    function getCounterparty(string calldata clientId) external view returns (string memory) {
        return clientAt(clientId).counterpartyId;
    }

    function haltedUntil(string calldata clientId) external view returns (uint64) {
        return clientAt(clientId).haltedUntil;
    }

    function getApp(string calldata port) external view returns (IApp) {
        return apps[port];
    }

    // Packets

    /// Several calls in one transaction: an update of a client and the packets that it proves.
    function multicall(bytes[] calldata calls) external returns (bytes[] memory results) {
        results = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, bytes memory out) = address(this).delegatecall(calls[i]);
            if (!done) bubble(out);
            results[i] = out;
        }
    }

    /// Moves a client; anybody may call the client itself as well.
    function updateClient(string calldata clientId, bytes calldata message) external returns (UpdateResult) {
        return clientAt(clientId).client.updateClient(message);
    }

    /// Sends a packet of the application that is bound to its source port, and gives its sequence.
    function sendPacket(MsgSendPacket calldata m) external once returns (uint64 sequence) {
        hold(msg.sender == address(apps[m.payload.sourcePort]), Code.UnknownPort);
        Client storage c = clientAt(m.sourceClient);
        hold(c.haltedUntil <= block.timestamp, Code.RouteHalted);
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
        Client storage c = clientAt(p.destClient);
        Payload calldata payload = only(p);
        hold(keccak256(bytes(p.sourceClient)) == c.counterparty, Code.WrongCounterparty);
        hold(c.haltedUntil <= block.timestamp, Code.RouteHalted);
        hold(p.timeoutTimestamp > block.timestamp, Code.PacketTimedOut);
        bytes32 receipt = Packets.slot(p.destClient, Packets.RECEIPT, p.sequence);
        if (commitments[receipt] != 0) {
            emit Noop();
            return;
        }
        bytes32 commitment = Packets.commitment(Packets.sha256Of(bytes(p.destClient)), p.timeoutTimestamp, payload);
        c.client.verifyMembership(
            MsgVerifyMembership({
                proof: m.proofCommitment,
                proofHeight: m.proofHeight,
                path: prefixed(c, Packets.path(p.sourceClient, Packets.COMMITMENT, p.sequence)),
                value: abi.encodePacked(commitment)
            })
        );
        commitments[receipt] = commitment;
        bytes[] memory acknowledgements = new bytes[](1);
        acknowledgements[0] = deliver(p, payload);
        bytes32 slot = Packets.slot(p.destClient, Packets.ACKNOWLEDGEMENT, p.sequence);
        commitments[slot] = Packets.acknowledged(acknowledgements[0]);
        emit WriteAcknowledgement(p.destClient, p.sequence, acknowledgements);
    }

    /// Tells the sender what the other side acknowledged.
    function ackPacket(MsgAckPacket calldata m) external once {
        Packet calldata p = m.packet;
        (Client storage c, Payload calldata payload, bytes32 slot) = open(p);
        if (slot == 0) return;
        c.client.verifyMembership(
            MsgVerifyMembership({
                proof: m.proofAcked,
                proofHeight: m.proofHeight,
                path: prefixed(c, Packets.path(p.destClient, Packets.ACKNOWLEDGEMENT, p.sequence)),
                value: abi.encodePacked(Packets.acknowledged(m.acknowledgement))
            })
        );
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
        (Client storage c, Payload calldata payload, bytes32 slot) = open(p);
        if (slot == 0) return;
        uint256 time = c.client.verifyNonMembership(
            MsgVerifyNonMembership({
                proof: m.proofTimeout,
                proofHeight: m.proofHeight,
                path: prefixed(c, Packets.path(p.destClient, Packets.RECEIPT, p.sequence))
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

    /// The application's acknowledgement, or the error acknowledgement where it fails.
    function deliver(Packet calldata p, Payload calldata payload) private returns (bytes memory) {
        IApp app = apps[payload.destPort];
        if (address(app) == address(0)) return abi.encodePacked(Packets.UNIVERSAL_ERROR);
        // A call is given at most 63 of 64 parts of what is left.
        hold(gasleft() > RECEIVE_GAS + RECEIVE_GAS / 32, Code.CostAboveLimit);
        try app.onRecvPacket{gas: RECEIVE_GAS}(
            OnRecvPacketCallback({
                sourceClient: p.sourceClient,
                destinationClient: p.destClient,
                sequence: p.sequence,
                payload: payload,
                relayer: msg.sender
            })
        ) returns (bytes memory acknowledgement) {
            hold(acknowledgement.length != 0 && !Packets.isError(acknowledgement), Code.WrongAcknowledgement);
            return acknowledgement;
        } catch (bytes memory reason) {
            if (bytes4(reason) == NotNow.selector) bubble(reason);
            emit ReceiveFailed(reason);
            return abi.encodePacked(Packets.UNIVERSAL_ERROR);
        }
    }

    /// A packet of ours that is not resolved yet; slot 0 says that it is.
    function open(Packet calldata p) private returns (Client storage c, Payload calldata payload, bytes32 slot) {
        c = clientAt(p.sourceClient);
        payload = only(p);
        hold(keccak256(bytes(p.destClient)) == c.counterparty, Code.WrongCounterparty);
        slot = Packets.slot(p.sourceClient, Packets.COMMITMENT, p.sequence);
        bytes32 committed = commitments[slot];
        if (committed == 0) {
            // Acknowledged or timed out before, or never sent.
            emit Noop();
            return (c, payload, 0);
        }
        hold(committed == Packets.commitment(Packets.sha256Of(bytes(p.destClient)), p.timeoutTimestamp, payload), Code.WrongPacket);
    }

    function only(Packet calldata p) private pure returns (Payload calldata) {
        hold(p.payloads.length == 1, Code.WrongPayload);
        return p.payloads[0];
    }

    function clientAt(string calldata clientId) private view returns (Client storage c) {
        c = clients[clientId];
        hold(address(c.client) != address(0), Code.UnknownClient);
    }

    function appAt(string calldata port) private view returns (IApp app) {
        app = apps[port];
        hold(address(app) != address(0), Code.UnknownPort);
    }

    /// The path behind the counterparty's prefix: joined with its last element.
    function prefixed(Client storage c, bytes memory path) private view returns (bytes[] memory full) {
        if (c.bare) {
            full = new bytes[](1);
            full[0] = path;
            return full;
        }
        full = c.prefix;
        full[full.length - 1] = bytes.concat(full[full.length - 1], path);
    }

    function bubble(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function decimal(uint256 n) private pure returns (string memory) {
        if (n < 10) return string(abi.encodePacked(uint8(48 + n)));
        return string.concat(decimal(n / 10), decimal(n % 10));
    }
}
