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
    /// Gas of the transaction measured last, and what of it was for its data.
    uint256 private measured;
    uint256 private data_;
    /// Of an ERC-20 home: gas and data of update and first packet, of a further packet.
    uint256[4] private home;

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
            "| transaction | gas | of it data | target |\n|---|---|---|---|\n",
            lines,
            whereItGoes()
        );
        if (vm.envOr("ZEUGMA_GAS_WRITE", false)) vm.writeFile("gas.md", text);
        else yes(keccak256(bytes(vm.readFile("gas.md"))) == keccak256(bytes(text)), "gas.md is not what was found: npm run gas");
    }

    // What is measured

    function leavesAlone() private {
        Batch batch_ = new Batch();
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
            (uint256 before, uint256 dataBefore) = (measured, data_);
            cost(address(batch_), abi.encodeCall(batch_.run, (address(client), calls)));
            if (n == 1) report("light client: update and the first leaf of a header", measured, data_, 250_000);
            else report("light client: each further leaf", measured - before, data_ - dataBefore, 45_000);
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
            bool first = batch(n, calls, string.concat("receive, ", what), 340_000, 115_000);
            yes(wrote(all[n - 1], SUCCESS), "received");
            if (from > 100) continue;
            (home[first ? 0 : 2], home[first ? 1 : 3]) = (measured, data_);
        }
    }

    function acknowledgements() private {
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
            batch(n, calls, "acknowledge", 0, 0);
        }
    }

    function timeouts() private {
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
            batch(n, calls, "time out, refund of an ERC-20", 0, 0);
        }
    }

    /// What happens once in an era, or less.
    function seldom() private {
        bytes memory sending = abi.encodeCall(app.sendTransfer, (transferOf(address(token), 7)));
        vm.prank(alice);
        cost(address(app), sending);
        report("send an ERC-20", measured, data_, 0);
        fresh();
        Packet memory p = packet(90_000, THEIRS, OURS, data("another", FAR, Denoms.ofAddress(bob), 7));
        MsgRecvPacket memory m = receiveOf(p);
        cost(address(router), abi.encodeCall(router.recvPacket, (m)));
        report("receive of a coin that is not known yet (its voucher is deployed)", measured, data_, 0);
        fresh();
        Group memory next = group(2);
        bytes memory body = handOver(1, next);
        Said memory s = close(0);
        tick(0);
        (bytes memory front, bytes memory point) = certified(key, s);
        bytes memory message = abi.encode(front, rest(0, 1, body), point, next.point);
        cost(address(client), abi.encodeCall(client.updateClient, (message)));
        report("follow a hand-over", measured, data_, 0);
        Signatories signatories = client.SIGNATORIES();
        bytes memory file = trustFile(1, next, 30 days * 1_000, 3);
        new LightClient(signatories, file, next.point, 60_000, 2 days);
        measured = vm.lastCallGas().gasTotalUsed;
        bytes memory arguments = abi.encode(signatories, file, next.point, 60_000, 2 days);
        data_ = priceOf(bytes.concat(type(LightClient).creationCode, arguments));
        report("make a light client (two of three institutions)", measured, data_, 0);
        tick(31 days);
        message = abi.encode(substitute(2, key, 3), key.point);
        cost(address(client), abi.encodeCall(client.upgradeClient, (message)));
        report("propose a substitute (two of three institutions)", measured, data_, 0);
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
        data_ = priceOf(call_);
        return measured = vm.lastCallGas().gasTotalUsed;
    }

    /// What the data of a transaction costs.
    function priceOf(bytes memory data) private pure returns (uint256 price) {
        for (uint256 i = 0; i < data.length; i++) price += data[i] == 0 ? 4 : 16;
    }

    /// Measures a batch of an update and `n` packets: reports the first, and then what each further one adds, which is
    /// left as what was measured.
    function batch(uint256 n, bytes[] memory calls, string memory what, uint256 target, uint256 targetOfMore)
        private
        returns (bool first)
    {
        (uint256 before, uint256 dataBefore) = (measured, data_);
        cost(address(router), abi.encodeCall(router.multicall, (calls)));
        first = n == 1;
        if (first) {
            report(string.concat(what, ": update and the first packet"), measured, data_, target);
        } else {
            (measured, data_) = ((measured - before) / (n - 1), (data_ - dataBefore) / (n - 1));
            report(string.concat(what, ": each further packet of ", vm.toString(n)), measured, data_, targetOfMore);
        }
    }

    function report(string memory what, uint256 gas, uint256 data, uint256 target) private {
        string memory bound = "reported";
        if (target != 0) {
            bound = string.concat("at most ", vm.toString(target), gas <= target ? "" : ": **missed**");
        }
        lines = string.concat(lines, "| ", what, " | ", vm.toString(gas), " | ", vm.toString(data), " | ", bound, " |\n");
    }

    // Where it goes

    string private rows;
    uint256[2] private rest_;

    /// Of the receive of an ERC-20, what the protocol costs by the prices of the chain, and what is left: ours.
    function whereItGoes() private returns (string memory) {
        rest_ = [home[0], home[2]];
        share("entry of the transaction", 21_000, 0);
        share("data, at 16 and 4 a byte", home[1], home[3]);
        share("pairing, two maps to the curve, a sum, two reductions", 102_900 + 2 * 5_500 + 375 + 2 * 200 + 6 * 100, 0);
        // Of the update: the header, and five for the message. Of a packet: ten for its commitment, its leaf, twenty nodes, two
        // for the acknowledgement.
        share("SHA-256", 168 + 144 + 4 * 96 + 6 * 100 + PACKET_HASHES, PACKET_HASHES);
        share("slots written for the first time: header; receipt, acknowledgement", 3 * 22_100, 2 * 22_100);
        share("slots changed: client; escrow, two balances", 4 * 5_000, 3 * 200);
        share("slots read: key; client and its counterparty, port", 4 * 2_100, 5 * 100);
        share("accounts called: light client, key, application, token", 4 * 2_600 + 4 * 100, 7 * 100);
        share("events: header; acknowledgement, the token's", 1_756 + 2_780 + 1_756, 2_780 + 1_756);
        return string.concat(
            "\n## Where it goes\n\n",
            "The receive of an ERC-20, by what the protocol costs at the prices of the chain. What is left is code: the token's (about\n",
            "2,500 a packet with this one, asked four times for a balance), and ours.\n\n",
            "| part | update and the first packet | each further packet |\n|---|---|---|\n",
            rows,
            "| code | ", vm.toString(rest_[0]), " | ", vm.toString(rest_[1]), " |\n"
        );
    }

    uint256 private constant PACKET_HASHES = 972 + 10 * 100 + 108 + 100 + 20 * (96 + 100) + 156 + 2 * 100;

    function share(string memory what, uint256 first, uint256 further) private {
        rest_[0] -= first;
        rest_[1] -= further;
        rows = string.concat(rows, "| ", what, " | ", vm.toString(first), " | ", vm.toString(further), " |\n");
    }
}
