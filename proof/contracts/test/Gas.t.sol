// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {LightClient} from "../src/LightClient.sol";
import {Signatories} from "../src/Signatories.sol";
import {Denoms} from "../src/transfer/Denoms.sol";
import {Height, MsgVerifyMembership} from "../src/ibc/ILightClient.sol";
import {MsgAckPacket, MsgRecvPacket, MsgTimeoutPacket, Packet} from "../src/ibc/Packet.sol";
import {Bridge} from "./Bridge.sol";
import {Group, Said} from "./Network.sol";

/// Makes calls of one target in one transaction, as a contract that relies on leaves would.
contract Batch {
    function run(address target, bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done,) = target.call(calls[i]);
            require(done, "a call failed");
        }
    }
}

/// What transactions cost, with their price of entry and their data, in an outbox of 2^20 leaves. Writes `gas.md`, or
/// holds it against what it found.
contract GasTest is Bridge {
    uint64 private constant SIZE = 1 << 20;
    uint256 private constant BATCH = 8;
    /// Where the leaves of one block stand in the outbox: eight of them.
    uint64 private constant BASE = 0x15555 << 3;

    string private lines;
    uint256 private measured;

    function setUp() public {
        build();
    }

    function test_gas() public {
        yes(cost(alice, "") == 21_000, "a transaction is counted with its price of entry");
        leavesAlone();
        packets();
        acknowledgements();
        timeouts();
        seldom();
        string memory text = string.concat(
            "# Gas\n\n",
            "Whole transactions at the prices of Prague, with the 21,000 of each and its data, by `npm run gas`. The outbox has 1,048,576\n",
            "leaves, so that a proof has twenty hashes. *Further* is what each more adds to a transaction of several.\n\n",
            "| transaction | gas | target |\n|---|---|---|\n",
            lines
        );
        if (vm.envOr("ZEUGMA_GAS_WRITE", false)) vm.writeFile("gas.md", text);
        else yes(keccak256(bytes(vm.readFile("gas.md"))) == keccak256(bytes(text)), "gas.md is not what was found: npm run gas");
    }

    // What is measured

    function leavesAlone() private {
        Batch batch = new Batch();
        for (uint256 n = 1; n <= 2; n++) {
            fresh();
            for (uint64 i = 0; i < 8; i++) say(1, abi.encodePacked(THEIRS, uint8(1), uint64(100 + i)), bytes32("x"));
            Said memory s = closed();
            bytes[] memory calls = new bytes[](n + 1);
            calls[0] = updateOf(s);
            for (uint64 i = 0; i < n; i++) {
                MsgVerifyMembership memory m;
                m.proof = proofOf(s, i);
                m.proofHeight = Height(0, s.height);
                m.path = bare();
                m.path[0] = abi.encodePacked(THEIRS, uint8(1), uint64(100 + i));
                m.value = abi.encode(bytes32("x"));
                calls[i + 1] = abi.encodeCall(client.verifyMembership, (m));
            }
            uint256 gas = cost(address(batch), abi.encodeCall(batch.run, (address(client), calls)));
            if (n == 1) report("light client: update and the first leaf of a header", gas, 250_000);
            else report("light client: each further leaf", gas - measured, 45_000);
            measured = gas;
        }
    }

    function packets() private {
        // The token is known: bob holds it, and more is locked than goes.
        router.ackPacket(ackOf(send(alice, address(token), 500_000), SUCCESS));
        yes(receiveCoin(1, abroad(address(token)), bob, 10), "bob holds the token");
        yes(receiveCoin(2, "uatom", bob, 10), "bob holds the voucher");
        received(abroad(address(token)), "ERC-20 home", 10);
        received("uatom", "voucher", 1_000);
    }

    function received(string memory denom, string memory what, uint64 from) private {
        uint256 one;
        for (uint256 n = 1; n <= BATCH; n += BATCH - 1) {
            fresh();
            Packet[] memory all = new Packet[](8);
            for (uint64 i = 0; i < 8; i++) {
                all[i] = packet(from++, THEIRS, OURS, data(denom, FAR, Denoms.ofAddress(bob), 7));
                say(1, abi.encodePacked(THEIRS, uint8(1), all[i].sequence), commitmentOf(all[i]));
            }
            Said memory s = closed();
            bytes[] memory calls = new bytes[](n + 1);
            calls[0] = abi.encodeCall(router.updateClient, (OURS, updateMessage(s)));
            for (uint64 i = 0; i < n; i++) {
                MsgRecvPacket memory m = MsgRecvPacket(all[i], proofOf(s, i), Height(0, s.height));
                calls[i + 1] = abi.encodeCall(router.recvPacket, (m));
            }
            uint256 gas = cost(address(router), abi.encodeCall(router.multicall, (calls)));
            yes(wrote(all[n - 1], SUCCESS), "received");
            if (n == 1) report(string.concat("receive, ", what, ": update and the first packet"), one = gas, 340_000);
            else report(string.concat("receive, ", what, ": each further packet of ", vm.toString(n)), (gas - one) / (n - 1), 115_000);
        }
    }

    function acknowledgements() private {
        uint256 one;
        for (uint256 n = 1; n <= BATCH; n += BATCH - 1) {
            Packet[] memory all = new Packet[](8);
            for (uint64 i = 0; i < 8; i++) all[i] = send(alice, address(token), 7);
            fresh();
            for (uint64 i = 0; i < 8; i++) {
                say(1, abi.encodePacked(THEIRS, uint8(3), all[i].sequence), acknowledgementOf(SUCCESS));
            }
            Said memory s = closed();
            bytes[] memory calls = new bytes[](n + 1);
            calls[0] = abi.encodeCall(router.updateClient, (OURS, updateMessage(s)));
            for (uint64 i = 0; i < n; i++) {
                MsgAckPacket memory m = MsgAckPacket(all[i], SUCCESS, proofOf(s, i), Height(0, s.height));
                calls[i + 1] = abi.encodeCall(router.ackPacket, (m));
            }
            uint256 gas = cost(address(router), abi.encodeCall(router.multicall, (calls)));
            if (n == 1) report("acknowledge: update and the first packet", one = gas, 0);
            else report(string.concat("acknowledge: each further packet of ", vm.toString(n)), (gas - one) / (n - 1), 0);
        }
    }

    function timeouts() private {
        uint256 one;
        for (uint256 n = 1; n <= BATCH; n += BATCH - 1) {
            Packet[] memory all = new Packet[](8);
            for (uint64 i = 0; i < 8; i++) all[i] = send(alice, address(token), 7);
            tick(TIMEOUT);
            fresh();
            for (uint64 i = 0; i < 8; i++) {
                say(4, abi.encodePacked(THEIRS, uint8(2), all[i].sequence), bytes32("a closing"));
            }
            Said memory s = closed();
            bytes[] memory calls = new bytes[](n + 1);
            calls[0] = abi.encodeCall(router.updateClient, (OURS, updateMessage(s)));
            for (uint64 i = 0; i < n; i++) {
                MsgTimeoutPacket memory m = MsgTimeoutPacket(all[i], proofOf(s, i), Height(0, s.height));
                calls[i + 1] = abi.encodeCall(router.timeoutPacket, (m));
            }
            uint256 gas = cost(address(router), abi.encodeCall(router.multicall, (calls)));
            if (n == 1) report("time out, refund of an ERC-20: update and the first packet", one = gas, 0);
            else report(string.concat("time out: each further packet of ", vm.toString(n)), (gas - one) / (n - 1), 0);
        }
    }

    /// What happens once in an era, or less.
    function seldom() private {
        vm.prank(alice);
        app.sendTransfer(transferOf(address(token), 7));
        report("send an ERC-20", vm.lastCallGas().gasTotalUsed, 0);
        fresh();
        Packet memory p = packet(90_000, THEIRS, OURS, data("another", FAR, Denoms.ofAddress(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        report("receive of a coin that is not known yet (its voucher is deployed)", cost(address(router), abi.encodeCall(router.recvPacket, (m))), 0);
        fresh();
        Group memory next = group(2);
        bytes memory body = handOver(1, next);
        Said memory s = close(0);
        tick(0);
        (bytes memory front, bytes memory point) = certified(key, s);
        bytes memory message = abi.encode(front, rest(0, 1, body), point, next.point);
        report("follow a hand-over", cost(address(client), abi.encodeCall(client.updateClient, (message))), 0);
        Signatories signatories = client.SIGNATORIES();
        bytes memory file = trustFile(1, next, 30 days * 1_000, 3);
        new LightClient(signatories, file, next.point, 60_000, 2 days);
        report("make a light client (two of three institutions)", vm.lastCallGas().gasTotalUsed, 0);
        tick(31 days);
        message = abi.encode(substitute(2, key, 3), key.point);
        report("propose a substitute (two of three institutions)", cost(address(client), abi.encodeCall(client.upgradeClient, (message))), 0);
    }

    // Helpers

    /// Forgets the leaves said so far: the eight of the next block stand deep in a large outbox.
    function fresh() private {
        delete leaves;
    }

    /// A header over the eight leaves, seventeen levels below the root.
    function closed() private returns (Said memory s) {
        s = close(0);
        tick(0);
        s.size = SIZE;
        bytes32 node = root(0, 8);
        for (uint256 level = 3; level < 20; level++) {
            bytes32 sibling = keccak256(abi.encode(level));
            node = (BASE >> level) & 1 == 1
                ? sha256(bytes.concat(hex"01", sibling, node))
                : sha256(bytes.concat(hex"01", node, sibling));
        }
        s.root = node;
    }

    function proofOf(Said memory s, uint64 index) private view returns (bytes memory) {
        bytes memory path = pathOf(index, 0, 8);
        for (uint256 level = 3; level < 20; level++) path = bytes.concat(path, keccak256(abi.encode(level)));
        return bytes.concat(
            anchor(s), abi.encodePacked(leaves[index], uint8(1), BASE + index, uint32(20), path, uint16(0))
        );
    }

    function updateMessage(Said memory s) private view returns (bytes memory) {
        (bytes memory front, bytes memory point) = certified(key, s);
        return abi.encode(front, bytes(""), point, bytes(""));
    }

    function updateOf(Said memory s) private view returns (bytes memory) {
        return abi.encodeCall(client.updateClient, (updateMessage(s)));
    }

    function cost(address to, bytes memory call_) private returns (uint256) {
        (bool done,) = to.call(call_);
        yes(done, "a measured call failed");
        return vm.lastCallGas().gasTotalUsed;
    }

    function report(string memory what, uint256 gas, uint256 target) private {
        string memory bound = "reported";
        if (target != 0) {
            bound = string.concat("at most ", vm.toString(target), gas <= target ? "" : ": **missed**");
        }
        lines = string.concat(lines, "| ", what, " | ", vm.toString(gas), " | ", bound, " |\n");
    }
}
