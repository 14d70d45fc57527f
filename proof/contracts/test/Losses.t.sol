// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {LightClient} from "../src/LightClient.sol";
import {Router} from "../src/Router.sol";
import {Height, MsgVerifyMembership} from "../src/ibc/ILightClient.sol";
import {MsgRecvPacket, MsgTimeoutPacket, Packet} from "../src/ibc/Packet.sol";
import {Denoms} from "../src/transfer/Denoms.sol";
import {Code} from "../src/verify/Code.sol";
import {Bridge} from "./Bridge.sol";
import {EnteringToken} from "./Tokens.sol";
import {Group, Said} from "./Network.sol";

/// What was lost elsewhere, tried here. Each test is named by the loss that it would have stopped.
contract LossesTest is Bridge {
    function setUp() public {
        build();
        router.ackPacket(ackOf(send(alice, address(token), 400_000), SUCCESS));
    }

    /// A leaf hung off an existing proof, beside the child that was hashed. A proof here is one list of siblings whose
    /// number follows from index and size: there is no place for a second child.
    function test_BNB_2022_a_forged_leaf_beside_a_proven_one() public {
        Packet memory p = theft();
        bytes memory forged = leaf(1, abi.encodePacked(THEIRS, uint8(1), p.sequence), commitmentOf(p));
        MsgRecvPacket memory good = receiveOf(packet(1, THEIRS, OURS, data("uatom", FAR, Denoms.ofAddress(bob), 1)));
        bytes memory proof = good.proofCommitment;
        bytes memory honest = leaves[leaves.length - 1];
        // The forged leaf with the path of the honest one, and with the honest leaf's hash added to the path.
        bytes memory tail = part(proof, 80 + honest.length, proof.length - 80 - honest.length);
        bytes memory head = part(proof, 0, 80);
        refusedReceive(Code.NotIncluded, MsgRecvPacket(p, bytes.concat(head, forged, tail), good.proofHeight));
        uint256 n = uint8(tail[12]);
        tail[12] = bytes1(uint8(n + 1));
        bytes memory longer = bytes.concat(
            part(tail, 0, 13), sha256(bytes.concat(hex"00", honest)), part(tail, 13, tail.length - 13)
        );
        refusedReceive(Code.PathLength, MsgRecvPacket(p, bytes.concat(head, forged, longer), good.proofHeight));
        untouched();
    }

    /// One leaf, index 1, and the root itself as the proof: the index was never compared with the count.
    function test_Hyperbridge_2026_an_index_outside_the_tree() public {
        Packet memory p = theft();
        bytes memory forged = leaf(1, abi.encodePacked(THEIRS, uint8(1), p.sequence), commitmentOf(p));
        Said memory s = close(0);
        bytes memory point;
        bytes memory front;
        (front, point) = certified(key, s);
        client.updateClient(abi.encode(front, bytes(""), point, bytes("")));
        bytes memory tail = abi.encodePacked(uint8(1), s.size, uint32(1), s.root, uint16(0));
        refusedReceive(
            Code.IndexOutOfTree, MsgRecvPacket(p, bytes.concat(anchor(s), forged, tail), Height(0, s.height))
        );
        tail = abi.encodePacked(uint8(1), s.size - 1, uint32(1), s.root, uint16(0));
        refusedReceive(
            Code.PathLength, MsgRecvPacket(p, bytes.concat(anchor(s), forged, tail), Height(0, s.height))
        );
        untouched();
    }

    /// A trusted root that was zero, and every unproven message had root zero.
    function test_Nomad_2022_a_root_of_zero_proves_nothing() public {
        Packet memory p = theft();
        bytes memory forged = leaf(1, abi.encodePacked(THEIRS, uint8(1), p.sequence), commitmentOf(p));
        bytes memory tail = abi.encodePacked(uint8(1), uint64(0), uint32(0), uint16(0));
        for (uint64 height = 0; height < 3; height++) {
            bytes memory proof = bytes.concat(new bytes(80), forged, tail);
            refusedReceive(Code.NoStateAt, MsgRecvPacket(p, proof, Height(0, 1_000_000 * height)));
        }
        // A tree of one leaf whose root is that leaf: of no header that was accepted.
        Said memory s = close(0);
        (s.size, s.root) = (1, sha256(bytes.concat(hex"00", forged)));
        refusedReceive(Code.NoStateAt, MsgRecvPacket(p, bytes.concat(anchor(s), forged, tail), Height(0, s.height)));
        refusedReceive(Code.Truncated, MsgRecvPacket(p, "", Height(0, s.height)));
        untouched();
    }

    /// A relayed message that named the contract holding the keys, and had it called.
    function test_Poly_Network_2021_a_packet_names_the_contract_to_call() public {
        address[5] memory targets =
            [address(router), address(client), address(app), address(client.SIGNATORIES()), governor];
        uint64 sequence = 1;
        for (uint256 i = 0; i < targets.length; i++) {
            yes(!receiveCoin(sequence++, abroad(targets[i]), bob, 1), "what was never locked is not called");
            yes(!receiveCoin(sequence++, abroad(targets[i]), bob, 0), "for nothing neither");
        }
        Packet memory p = packet(sequence, THEIRS, OURS, data("uatom", FAR, Denoms.ofAddress(bob), 1));
        p.payloads[0].destPort = Denoms.ofAddress(address(client));
        router.recvPacket(receiveOf(p));
        yes(wrote(p, errorAck()), "a port is what was bound, not what is named");
        untouched();
    }

    /// The account that decided about signatures was brought by the caller.
    function test_Wormhole_2022_what_decides_is_not_brought_by_the_caller() public {
        Group memory thief = group(99);
        Said memory s = close(0);
        // A header under the thief's key, with every point that the thief likes.
        (bytes memory front, bytes memory point) = certified(thief, s);
        (, bytes memory honest) = certified(key, s);
        bytes[3] memory points = [point, honest, bytes.concat(point, thief.point)];
        for (uint256 i = 0; i < 3; i++) {
            fails(
                Code.BadSignature,
                address(client),
                abi.encodeCall(client.updateClient, (abi.encode(front, bytes(""), points[i], thief.point)))
            );
        }
    }

    /// An absence that was shown of a packet that had been received.
    function test_Dragonberry_2022_absence_of_what_is_there() public {
        Packet memory p = send(alice, address(token), 5);
        tick(TIMEOUT);
        // The network says much about that path, but it has not closed it.
        MsgTimeoutPacket memory m;
        m.packet = p;
        (m.proofTimeout, m.proofHeight) = prove(1, abi.encodePacked(THEIRS, uint8(2), p.sequence), 0);
        refusedTimeout(Code.WrongPath, m);
        (m.proofTimeout, m.proofHeight) = prove(4, abi.encodePacked(THEIRS, uint8(2), p.sequence + 1), bytes32("x"));
        refusedTimeout(Code.WrongPath, m);
        (m.proofTimeout, m.proofHeight) = prove(4, abi.encodePacked(THEIRS, uint8(1), p.sequence), bytes32("x"));
        refusedTimeout(Code.WrongPath, m);
        m.proofTimeout = "";
        refusedTimeout(Code.Truncated, m);
    }

    /// State written after the callback: the timeout was told again from within it.
    function test_Elderflower_2024_a_refund_that_enters_the_timeout_again() public {
        EnteringToken bad = new EnteringToken();
        bad.mint(alice, 1_000);
        Packet memory p = send(alice, address(bad), 100);
        Packet memory q = send(alice, address(bad), 100);
        tick(TIMEOUT);
        MsgTimeoutPacket memory one = timeoutOf(p);
        MsgTimeoutPacket memory other = timeoutOf(q);
        bad.set(address(router), abi.encodeCall(router.timeoutPacket, (one)));
        router.timeoutPacket(one);
        yes(!bad.wentThrough(), "the same packet again");
        equal(bad.balanceOf(alice), 900, "one refund");
        bad.set(address(router), abi.encodeCall(router.timeoutPacket, (one)));
        router.timeoutPacket(other);
        yes(!bad.wentThrough(), "another packet from within");
        equal(bad.balanceOf(alice), 1_000, "each once");
    }

    /// One signer counted twice.
    function test_duplicate_signers_make_no_quorum() public {
        Group memory thief = group(99);
        tick(31 days);
        bytes memory body = bytes.concat(abi.encodePacked(NETWORK, uint64(1)), committee(thief), outbox(0, bytes32(0)));
        bytes memory all = tool("institutions.mjs", hexOf(sha256(bytes.concat("\x13zeugma.substitute.1", body))));
        bytes memory twice = abi.encodePacked(uint32(2), uint16(0), part(all, 0, 64), uint16(0), part(all, 0, 64));
        fails(
            Code.NotSorted,
            address(client),
            abi.encodeCall(client.upgradeClient, (abi.encode(bytes.concat(body, twice), thief.point)))
        );
        bytes memory posing = abi.encodePacked(uint32(2), uint16(0), part(all, 0, 64), uint16(1), part(all, 0, 64));
        fails(
            Code.BadSignature,
            address(client),
            abi.encodeCall(client.upgradeClient, (abi.encode(bytes.concat(body, posing), thief.point)))
        );
    }

    // Helpers

    /// A packet that the network never said: all that is locked, to bob.
    function theft() private view returns (Packet memory) {
        return packet(7, THEIRS, OURS, data(abroad(address(token)), FAR, Denoms.ofAddress(bob), 400_000));
    }

    function untouched() private view {
        equal(token.balanceOf(address(app)), 400_000, "the escrow");
        equal(token.balanceOf(bob), 0, "bob");
        yes(router.governor() == governor, "the governor");
    }
}
