// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Router} from "../src/Router.sol";
import {IApp} from "../src/ibc/IApp.sol";
import {ILightClient} from "../src/ibc/ILightClient.sol";
import {MsgAckPacket, MsgRecvPacket, MsgSendPacket, MsgTimeoutPacket, Packet, Payload} from "../src/ibc/Packet.sol";
import {Code} from "../src/verify/Code.sol";
import {Bridge} from "./Bridge.sol";

/// The life of packets at the router, by real proofs.
contract RouterTest is Bridge {
    function setUp() public {
        build();
    }

    function test_a_commitment_stands_where_a_storage_proof_looks_for_it() public {
        Packet memory p = send(alice, address(token), 5);
        bytes32 path = keccak256(abi.encodePacked(OURS, uint8(1), p.sequence));
        // The slot that a network's profile of this router names.
        bytes32 slot = keccak256(abi.encode(path, uint256(3)));
        yes(vm.load(address(router), slot) == commitmentOf(p), "storage of the router");
    }

    function test_a_packet_is_received_once() public {
        Packet memory p = packet(1, THEIRS, OURS, data("coin", FAR, hexed(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        router.recvPacket(m);
        yes(wrote(p, SUCCESS), "received");
        router.recvPacket(m);
        equal(app.voucherOf("transfer/client-0/coin").totalSupply(), 7, "minted once");
        bytes32 receipt = keccak256(abi.encodePacked(OURS, uint8(2), uint64(1)));
        yes(router.commitments(receipt) != 0, "the receipt");
    }

    function test_a_packet_is_refused_at_its_timeout_and_after() public {
        Packet memory p = packet(1, THEIRS, OURS, data("coin", FAR, hexed(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        vm.warp(p.timeoutTimestamp);
        refusedReceive(Code.PacketTimedOut, m);
        vm.warp(p.timeoutTimestamp + 1);
        refusedReceive(Code.PacketTimedOut, m);
        vm.warp(p.timeoutTimestamp - 1);
        router.recvPacket(m);
    }

    function test_a_packet_that_the_network_did_not_say_is_refused() public {
        Packet memory p = packet(1, THEIRS, OURS, data("coin", FAR, hexed(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        m.packet.payloads[0].value = data("coin", FAR, hexed(bob), 8);
        refusedReceive(Code.WrongValue, m);
        m.packet = p;
        m.packet.payloads[0].value = data("coin", FAR, hexed(bob), 7);
        m.packet.sequence = 2;
        refusedReceive(Code.WrongPath, m);
        m.packet.sequence = 1;
        m.packet.sourceClient = "ethereum-1";
        refusedReceive(Code.WrongCounterparty, m);
        m.packet.sourceClient = THEIRS;
        m.packet.destClient = "client-1";
        refusedReceive(Code.UnknownClient, m);
        m.packet.destClient = OURS;
        m.packet.timeoutTimestamp += 1;
        refusedReceive(Code.WrongValue, m);
        m.packet.timeoutTimestamp -= 1;
        Payload[] memory two = new Payload[](2);
        (two[0], two[1]) = (p.payloads[0], p.payloads[0]);
        Payload[] memory one = m.packet.payloads;
        m.packet.payloads = two;
        refusedReceive(Code.WrongPayload, m);
        m.packet.payloads = one;
        router.recvPacket(m);
    }

    function test_another_client_of_the_same_network_receives_nothing_of_this_one() public {
        string memory second = router.addClient(client, "ethereum-1", bare());
        Packet memory p = packet(1, THEIRS, second, data("coin", FAR, hexed(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        refusedReceive(Code.WrongCounterparty, m);
        m.packet.sourceClient = "ethereum-1";
        refusedReceive(Code.WrongPath, m);
    }

    function test_an_unknown_port_is_an_error_acknowledgement() public {
        Packet memory p = packet(1, THEIRS, OURS, data("coin", FAR, hexed(bob), 7));
        p.payloads[0].destPort = "elsewhere";
        router.recvPacket(receiveOf(p));
        yes(wrote(p, errorAck()), "the error acknowledgement");
    }

    function test_payloads_that_the_application_cannot_read_are_error_acknowledgements() public {
        bytes[5] memory values = [
            bytes(hex"00"),
            data("", FAR, hexed(bob), 7),
            data("coin", FAR, "nobody", 7),
            data("coin", FAR, hexed(bob), 0),
            data("coin", FAR, hexed(address(app)), 7)
        ];
        for (uint64 i = 0; i < values.length; i++) {
            Packet memory p = packet(i + 1, THEIRS, OURS, values[i]);
            router.recvPacket(receiveOf(p));
            yes(wrote(p, errorAck()), "the error acknowledgement");
        }
        Packet memory other = packet(99, THEIRS, OURS, data("coin", FAR, hexed(bob), 7));
        other.payloads[0].version = "ics20-2";
        router.recvPacket(receiveOf(other));
        yes(wrote(other, errorAck()), "another version");
    }

    function test_a_delivery_with_too_little_gas_fails_as_a_whole() public {
        Packet memory p = packet(1, THEIRS, OURS, data("coin", FAR, hexed(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        (bool done, bytes memory out) =
            address(router).call{gas: 2_000_000}(abi.encodeCall(router.recvPacket, (m)));
        equal(codeOf(done, out), Code.CostAboveLimit, "starved");
        router.recvPacket(m);
        yes(wrote(p, SUCCESS), "with enough gas");
    }

    function test_an_acknowledgement_ends_a_packet_once() public {
        Packet memory p = send(alice, address(token), 5);
        bytes memory value = p.payloads[0].value;
        MsgAckPacket memory m = ackOf(p, SUCCESS);
        m.acknowledgement = errorAck();
        refusedAck(Code.WrongValue, m);
        m.acknowledgement = SUCCESS;
        m.packet.payloads[0].value = data("coin", FAR, FAR, 5);
        refusedAck(Code.WrongPacket, m);
        m.packet = send(alice, address(token), 6);
        refusedAck(Code.WrongPath, m);
        p.payloads[0].value = value;
        m.packet = p;
        router.ackPacket(m);
        router.ackPacket(m);
        tick(TIMEOUT);
        router.timeoutPacket(timeoutOf(p));
        equal(app.lockedFor(OURS, address(token)), 11, "nothing was refunded");
    }

    function test_a_packet_times_out_by_a_closing_after_its_timeout_alone() public {
        Packet memory p = send(alice, address(token), 5);
        MsgTimeoutPacket memory early = timeoutOf(p);
        refusedTimeout(Code.TimeoutNotReached, early);
        tick(TIMEOUT);
        MsgTimeoutPacket memory late = timeoutOf(p);
        late.packet.sequence = 2;
        router.timeoutPacket(late);
        equal(token.balanceOf(address(app)), 5, "a packet that was never sent changes nothing");
        late.packet.sequence = 1;
        router.timeoutPacket(late);
        equal(token.balanceOf(alice), 1_000_000, "the refund");
        router.timeoutPacket(late);
        equal(token.balanceOf(alice), 1_000_000, "one refund");
    }

    function test_timeouts_of_what_is_sent_are_ahead_and_within_a_day() public {
        MsgSendPacket memory m;
        m.sourceClient = OURS;
        m.payload = Payload("transfer", "transfer", "v", "e", hex"01");
        m.timeoutTimestamp = uint64(block.timestamp);
        vm.startPrank(address(app));
        fails(Code.PacketTimedOut, address(router), abi.encodeCall(router.sendPacket, (m)));
        m.timeoutTimestamp = uint64(block.timestamp) + 1 days + 1;
        fails(Code.TimeoutTooFar, address(router), abi.encodeCall(router.sendPacket, (m)));
        m.timeoutTimestamp = type(uint64).max;
        fails(Code.TimeoutTooFar, address(router), abi.encodeCall(router.sendPacket, (m)));
        m.timeoutTimestamp = 0;
        fails(Code.PacketTimedOut, address(router), abi.encodeCall(router.sendPacket, (m)));
        m.timeoutTimestamp = uint64(block.timestamp) + 1;
        m.payload.value = "";
        fails(Code.Empty, address(router), abi.encodeCall(router.sendPacket, (m)));
        m.payload.value = hex"01";
        router.sendPacket(m);
        vm.stopPrank();
        fails(Code.UnknownPort, address(router), abi.encodeCall(router.sendPacket, (m)));
    }

    // Roles

    function test_a_port_is_bound_by_the_governor_after_notice_and_for_ever() public {
        bytes memory act = abi.encodeCall(router.bindPort, ("other", IApp(address(app))));
        fails(Code.NotAllowed, address(router), act);
        fails(Code.NotAllowed, address(router), abi.encodeCall(router.announce, (act)));
        vm.startPrank(governor);
        fails(Code.NotAllowed, address(router), act);
        router.announce(act);
        fails(Code.TooEarly, address(router), act);
        tick(NOTICE - 1);
        fails(Code.TooEarly, address(router), act);
        tick(NOTICE + 1);
        fails(Code.ProposalLapsed, address(router), act);
        router.announce(act);
        tick(NOTICE);
        vm.stopPrank();
        fails(Code.NotAllowed, address(router), act);
        vm.prank(governor);
        router.bindPort("other", IApp(address(app)));
        vm.startPrank(governor);
        fails(Code.NotAllowed, address(router), act);
        router.announce(act);
        tick(NOTICE);
        fails(Code.BadParameters, address(router), act);
        vm.stopPrank();
    }

    function test_the_guardian_withdraws_an_announcement_and_can_bind_nothing() public {
        bytes memory act = abi.encodeCall(router.setGovernor, (guardian));
        vm.prank(governor);
        router.announce(act);
        vm.startPrank(guardian);
        router.withdraw(keccak256(act));
        tick(NOTICE);
        fails(Code.NotAllowed, address(router), act);
        fails(Code.NotAllowed, address(router), abi.encodeCall(router.announce, (act)));
        vm.stopPrank();
        vm.prank(governor);
        fails(Code.NotAllowed, address(router), act);
    }

    function test_a_halt_stops_new_packets_for_a_while_and_refunds_never() public {
        Packet memory p = send(alice, address(token), 5);
        fails(Code.NotAllowed, address(router), abi.encodeCall(router.halt, (OURS, uint64(block.timestamp + 1))));
        vm.startPrank(guardian);
        fails(
            Code.OutOfRange,
            address(router),
            abi.encodeCall(router.halt, (OURS, uint64(block.timestamp) + router.MAX_HALT() + 1))
        );
        router.halt(OURS, uint64(block.timestamp) + router.MAX_HALT());
        vm.stopPrank();
        refusedReceive(Code.RouteHalted, receiveOf(packet(1, THEIRS, OURS, data("coin", FAR, hexed(bob), 7))));
        bytes memory more = abi.encodeCall(app.sendTransfer, (transferOf(address(token), 5)));
        vm.prank(alice);
        fails(Code.RouteHalted, address(app), more);
        tick(TIMEOUT);
        router.timeoutPacket(timeoutOf(p));
        equal(token.balanceOf(alice), 1_000_000, "the refund");
        tick(router.MAX_HALT());
        router.recvPacket(receiveOf(packet(1, THEIRS, OURS, data("coin", FAR, hexed(bob), 7))));
    }

    function test_a_client_has_a_name_of_its_own_for_ever() public {
        string memory second = router.addClient(client, THEIRS, bare());
        yes(keccak256(bytes(second)) == keccak256("client-1"), "the next name");
        fails(
            Code.BadIdentifier,
            address(router),
            abi.encodeCall(router.addClient, (ILightClient(address(client)), "a/b/c", bare()))
        );
        fails(
            Code.BadParameters,
            address(router),
            abi.encodeCall(router.addClient, (ILightClient(alice), THEIRS, bare()))
        );
        fails(
            Code.BadParameters,
            address(router),
            abi.encodeCall(router.addClient, (ILightClient(address(client)), THEIRS, new bytes[](0)))
        );
    }

    function test_one_transaction_updates_the_client_and_delivers() public {
        Packet memory p = packet(1, THEIRS, OURS, data("coin", FAR, hexed(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(router.recvPacket, (m));
        calls[1] = abi.encodeCall(router.recvPacket, (m));
        router.multicall(calls);
        yes(wrote(p, SUCCESS), "received");
    }

    // Helpers

    function hexed(address account) private pure returns (string memory) {
        bytes memory digits = bytes(hexOf(bytes32(uint256(uint160(account)))));
        return string.concat("0x", string(part(digits, 24, 40)));
    }
}
