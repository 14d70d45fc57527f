// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {LightClient} from "../src/LightClient.sol";
import {Router} from "../src/Router.sol";
import {Signatories} from "../src/Signatories.sol";
import {FungibleTokenPacketData, SendTransferMsg, Transfer} from "../src/Transfer.sol";
import {IApp} from "../src/ibc/IApp.sol";
import {Height} from "../src/ibc/ILightClient.sol";
import {MsgAckPacket, MsgRecvPacket, MsgTimeoutPacket, Packet, Payload} from "../src/ibc/Packet.sol";
import {Denoms} from "../src/transfer/Denoms.sol";
import {Group, Network, Said} from "./Network.sol";
import {Token} from "./Tokens.sol";

/// A router, a transfer application and a real light client of a network of tests, which says what a test has it say.
/// Packets are committed to by the words of the standard, restated here.
abstract contract Bridge is Network {
    string internal constant OURS = "client-0";
    string internal constant THEIRS = "ethereum-0";
    string internal constant FAR = "zeugma1receiver";
    bytes internal constant SUCCESS = '{"result":"AQ=="}';
    uint64 internal constant NOTICE = 3 days;
    uint64 internal constant TIMEOUT = 3_600;

    address internal governor = address(0x60);
    address internal guardian = address(0x61);
    address internal alice = address(0xa11ce);
    address internal bob = address(0xb0b);

    Group internal key;
    LightClient internal client;
    Router internal router;
    Transfer internal app;
    Token internal token;

    function build() internal {
        key = group(1);
        tick(0);
        client = new LightClient(new Signatories(), trustFile(0, key, 30 days * 1_000, 3), key.point, 60_000, 2 days);
        router = new Router(governor, guardian, NOTICE);
        app = new Transfer(router);
        string memory id = router.addClient(client, THEIRS, bare());
        yes(keccak256(bytes(id)) == keccak256(bytes(OURS)), "the first client's name");
        govern(abi.encodeCall(router.bindPort, ("transfer", app)));
        token = new Token();
        token.mint(alice, 1_000_000);
        vm.prank(alice);
        token.approve(address(app), type(uint256).max);
    }

    function bare() internal pure returns (bytes[] memory prefix) {
        prefix = new bytes[](1);
    }

    /// An act of the governor, from its notice to its end.
    function govern(bytes memory act) internal {
        vm.prank(governor);
        router.announce(act);
        tick(NOTICE);
        vm.prank(governor);
        (bool done,) = address(router).call(act);
        yes(done, "an act of the governor");
    }

    /// Time passes, in seconds, on both chains.
    function tick(uint64 seconds_) internal {
        now_ += seconds_ * 1_000;
        vm.warp(now_ / 1_000);
    }

    function deadline() internal view returns (uint64) {
        return uint64(block.timestamp) + TIMEOUT;
    }

    // Sending

    function transferOf(address what, uint256 amount) internal view returns (SendTransferMsg memory) {
        return SendTransferMsg(what, amount, FAR, OURS, "transfer", deadline(), "");
    }

    /// Sends and gives the packet that must have been committed to.
    function send(address who, address what, uint256 amount) internal returns (Packet memory p) {
        string memory denom = app.isVoucher(what) ? Token(what).name() : Denoms.ofAddress(what);
        vm.prank(who);
        uint64 sequence = app.sendTransfer(transferOf(what, amount));
        p = packet(sequence, OURS, THEIRS, data(denom, Denoms.ofAddress(who), FAR, amount));
        bytes32 slot = keccak256(abi.encodePacked(OURS, uint8(1), sequence));
        yes(router.commitments(slot) == commitmentOf(p), "the commitment of the packet sent");
    }

    function data(string memory denom, string memory sender, string memory receiver, uint256 amount)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encode(FungibleTokenPacketData(denom, sender, receiver, amount, ""));
    }

    function packet(uint64 sequence, string memory from, string memory to, bytes memory value)
        internal
        view
        returns (Packet memory p)
    {
        p = Packet(sequence, from, to, deadline(), new Payload[](1));
        p.payloads[0] = Payload("transfer", "transfer", "ics20-1", "application/x-solidity-abi", value);
    }

    // What the network says, and how it is delivered

    function commitmentOf(Packet memory p) internal pure returns (bytes32) {
        Payload memory l = p.payloads[0];
        bytes32 one = sha256(
            bytes.concat(
                sha256(bytes(l.sourcePort)), sha256(bytes(l.destPort)), sha256(bytes(l.version)),
                sha256(bytes(l.encoding)), sha256(l.value)
            )
        );
        bytes32 timeout = sha256(abi.encodePacked(p.timeoutTimestamp));
        return sha256(bytes.concat(hex"02", sha256(bytes(p.destClient)), timeout, sha256(bytes.concat(one))));
    }

    function acknowledgementOf(bytes memory ack) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"02", sha256(ack)));
    }

    function errorAck() internal pure returns (bytes memory) {
        return abi.encodePacked(sha256("UNIVERSAL_ERROR_ACKNOWLEDGEMENT"));
    }

    /// The network says one leaf and closes the block; the client follows. Gives the proof and its height.
    function prove(uint16 namespace, bytes memory path, bytes32 value) internal returns (bytes memory, Height memory) {
        uint64 index = say(namespace, path, value);
        Said memory s = close(0);
        vm.warp(now_ / 1_000);
        (bytes memory front, bytes memory point) = certified(key, s);
        client.updateClient(abi.encode(front, bytes(""), point, bytes("")));
        return (bytes.concat(anchor(s), rest(index, s.size, "")), Height(0, s.height));
    }

    function receiveOf(Packet memory p) internal returns (MsgRecvPacket memory m) {
        m.packet = p;
        (m.proofCommitment, m.proofHeight) =
            prove(1, abi.encodePacked(p.sourceClient, uint8(1), p.sequence), commitmentOf(p));
    }

    function ackOf(Packet memory p, bytes memory ack) internal returns (MsgAckPacket memory m) {
        m.packet = p;
        m.acknowledgement = ack;
        (m.proofAcked, m.proofHeight) =
            prove(1, abi.encodePacked(p.destClient, uint8(3), p.sequence), acknowledgementOf(ack));
    }

    function timeoutOf(Packet memory p) internal returns (MsgTimeoutPacket memory m) {
        m.packet = p;
        bytes memory body = abi.encodePacked(
            uint32(bytes(p.destClient).length), p.destClient, p.sequence, commitmentOf(p), p.timeoutTimestamp
        );
        (m.proofTimeout, m.proofHeight) = prove(
            4,
            abi.encodePacked(p.destClient, uint8(2), p.sequence),
            sha256(bytes.concat("\x0fzeugma.closed.1", body))
        );
    }

    /// A packet of the network to us, delivered: whether it was received well.
    function receiveCoin(uint64 sequence, string memory denom, address to, uint256 amount) internal returns (bool) {
        Packet memory p = packet(sequence, THEIRS, OURS, data(denom, FAR, Denoms.ofAddress(to), amount));
        router.recvPacket(receiveOf(p));
        return wrote(p, SUCCESS);
    }

    /// Whether the acknowledgement of a received packet is this one.
    function wrote(Packet memory p, bytes memory ack) internal view returns (bool) {
        bytes32 slot = keccak256(abi.encodePacked(p.destClient, uint8(3), p.sequence));
        bytes32 found = router.commitments(slot);
        yes(found != 0, "an acknowledgement was written");
        yes(found == acknowledgementOf(ack) || found == acknowledgementOf(errorAck()) || keccak256(ack) == keccak256(errorAck()),
            "it is one or the other");
        return found == acknowledgementOf(ack);
    }

    /// The denomination by which the network knows a token of ours.
    function abroad(address what) internal pure returns (string memory) {
        return string.concat("transfer/", THEIRS, "/", Denoms.ofAddress(what));
    }

    function fails(uint16 code, address to, bytes memory call_) internal {
        (bool done, bytes memory out) = to.call(call_);
        equal(codeOf(done, out), code, "code");
    }

    function refusedReceive(uint16 code, MsgRecvPacket memory m) internal {
        fails(code, address(router), abi.encodeCall(router.recvPacket, (m)));
    }

    function refusedAck(uint16 code, MsgAckPacket memory m) internal {
        fails(code, address(router), abi.encodeCall(router.ackPacket, (m)));
    }

    function refusedTimeout(uint16 code, MsgTimeoutPacket memory m) internal {
        fails(code, address(router), abi.encodeCall(router.timeoutPacket, (m)));
    }
}
