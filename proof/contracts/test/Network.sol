// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Height} from "../src/ibc/ILightClient.sol";
import {Bls} from "../src/verify/Bls.sol";
import {Test} from "./Test.sol";

/// A group's secret and public side. A threshold signature of a committee is the same bytes.
struct Group {
    uint256 secret;
    /// Compressed, 96 bytes.
    bytes key;
    /// Uncompressed, 192 bytes.
    bytes point;
}

/// What a header of a test says.
struct Said {
    uint64 era;
    uint64 epoch;
    uint64 height;
    uint64 time;
    uint64 size;
    bytes32 root;
    /// Any bytes that make another header of the same height.
    bytes32 body;
}

/// A Zeugma network in memory, to make proofs for tests: it encodes, hashes and signs by itself, from
/// `docs/byte-layout.md`. It takes from the code under test only the map of a message to a point (which the shared
/// vectors judge).
abstract contract Network is Test {
    bytes32 internal constant NETWORK = keccak256("a network of tests");
    uint256 private constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    // Digests, as those of a real header: data of few zeros, which cost more than others.
    bytes32 private constant LEADER = keccak256("leader");
    bytes32 private constant PARENT = keccak256("parent");
    bytes32 private constant STATE = keccak256("state");

    bytes[] internal leaves;
    /// The time of blocks and leaves, in milliseconds.
    uint64 internal now_ = 1_767_225_600_000;
    uint64 internal height_ = 1;

    // Keys and signatures

    function group(uint256 seed) internal view returns (Group memory g) {
        g.secret = uint256(keccak256(abi.encode("group", seed))) % ORDER;
        bytes memory generator =
            hex"00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
            hex"0000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
            hex"000000000000000000000000000000000ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"
            hex"000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be";
        (bool done, bytes memory out) = address(0x0e).staticcall(bytes.concat(generator, bytes32(g.secret)));
        yes(done, "a product in G2");
        // The precompile has the real part first, the shared serialization the imaginary one.
        bytes memory x = bytes.concat(part(out, 80, 48), part(out, 16, 48));
        bytes memory y = bytes.concat(part(out, 208, 48), part(out, 144, 48));
        g.point = bytes.concat(x, y);
        g.key = flagged(x, part(y, 0, 48));
    }

    /// The compressed signature and its point.
    function signed(Group memory g, bytes memory message) internal view returns (bytes memory, bytes memory) {
        bytes memory input = bytes.concat(Bls.hashToG1(message), bytes32(g.secret));
        (bool done, bytes memory out) = address(0x0c).staticcall(input);
        yes(done, "a product in G1");
        (bytes memory x, bytes memory y) = (part(out, 16, 48), part(out, 80, 48));
        return (flagged(x, y), bytes.concat(x, y));
    }

    /// x with the flag of compression, and that of the sign where `y` is the larger root.
    function flagged(bytes memory x, bytes memory y) private pure returns (bytes memory out) {
        // Half the modulus, in 16 and 32 bytes.
        uint256 halfHigh = 0x0d0088f51cbff34d258dd3db21a5d66b;
        uint256 halfLow = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;
        (uint256 high, uint256 low) = (uint128(bytes16(y)), uint256(bytes32(part(y, 16, 32))));
        bool larger = high > halfHigh || (high == halfHigh && low > halfLow);
        out = bytes.concat(x);
        out[0] |= larger ? bytes1(0xa0) : bytes1(0x80);
    }

    // Headers

    function header(Said memory s) internal pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(uint16(1), NETWORK, s.era, s.epoch, s.height, s.time, s.height, s.height - 1),
            abi.encodePacked(LEADER, PARENT, s.body, STATE, uint64(0), uint64(1)),
            outbox(s.size, s.root)
        );
    }

    function outbox(uint64 size, bytes32 rootOf) internal pure returns (bytes memory) {
        return abi.encodePacked(size, uint32(1), uint8(1), rootOf);
    }

    function digest(Said memory s) internal pure returns (bytes32) {
        return sha256(bytes.concat("\x0fzeugma.header.1", header(s)));
    }

    /// The front of a proof file, and the point of its signature.
    function certified(Group memory g, Said memory s) internal view returns (bytes memory, bytes memory) {
        bytes memory message = bytes.concat(
            bytes1(uint8(58)), "zeugma.finalize.1", NETWORK, "_FINALIZE",
            leb(s.epoch), leb(s.height), leb(s.height - 1), digest(s)
        );
        (bytes memory signature, bytes memory point) = signed(g, message);
        bytes memory certificate = abi.encodePacked(uint8(1), s.epoch, s.height, s.height - 1, signature);
        return (bytes.concat("ZGPROOF1", header(s), certificate), point);
    }

    function leb(uint256 x) private pure returns (bytes memory) {
        if (x < 0x80) return abi.encodePacked(uint8(x));
        return bytes.concat(abi.encodePacked(uint8(x & 0x7f) | 0x80), leb(x >> 7));
    }

    /// What the block being made says, with the outbox as it is now; the next block begins.
    function close(uint64 era) internal returns (Said memory s) {
        s = Said({
            era: era,
            epoch: era,
            height: height_,
            time: now_,
            size: uint64(leaves.length),
            root: root(0, leaves.length),
            body: keccak256(abi.encode(height_))
        });
        height_ += 1;
        now_ += 1_000;
    }

    // Leaves and their tree

    /// Says a value; returns its index.
    function say(uint16 namespace, bytes memory path, bytes32 value) internal returns (uint64) {
        leaves.push(leaf(namespace, path, value));
        return uint64(leaves.length - 1);
    }

    function leaf(uint16 namespace, bytes memory path, bytes32 value) internal view returns (bytes memory) {
        return abi.encodePacked(
            uint16(1), NETWORK, height_, now_, namespace, uint32(path.length), path, value
        );
    }

    function root(uint256 from, uint256 to) internal view returns (bytes32) {
        if (from == to) return sha256("");
        if (to - from == 1) return sha256(bytes.concat(hex"00", leaves[from]));
        uint256 split = from + half(to - from);
        return sha256(bytes.concat(hex"01", root(from, split), root(split, to)));
    }

    function pathOf(uint256 index, uint256 from, uint256 to) internal view returns (bytes memory) {
        if (to - from == 1) return "";
        uint256 split = from + half(to - from);
        if (index < split) return bytes.concat(pathOf(index, from, split), root(split, to));
        return bytes.concat(pathOf(index, split, to), root(from, split));
    }

    /// The largest power of two below n.
    function half(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }

    /// The rest of a proof file, in a tree of `size` leaves; an empty opening is none.
    function rest(uint64 index, uint64 size, bytes memory opening) internal view returns (bytes memory) {
        bytes memory path = pathOf(index, 0, size);
        bytes memory opened = opening.length == 0
            ? bytes(hex"00")
            : abi.encodePacked(uint8(1), uint32(opening.length), opening);
        return bytes.concat(
            abi.encodePacked(leaves[index], uint8(1), index, uint32(path.length / 32), path), opened, hex"00"
        );
    }

    /// What a membership proof begins with.
    function anchor(Said memory s) internal pure returns (bytes memory) {
        return abi.encodePacked(digest(s), s.time, s.size, s.root);
    }

    // Committees, hand-overs, institutions

    /// A committee of one member, whose key one dealer made.
    function committee(Group memory g) internal pure returns (bytes memory) {
        return abi.encodePacked(
            g.key, uint8(2), uint32(1), uint32(0), uint32(0), keccak256(g.key), uint32(0)
        );
    }

    /// Says the hand-over to `next`, in the block being made: its body.
    function handOver(uint64 era, Group memory next) internal returns (bytes memory body) {
        uint64 size = uint64(leaves.length);
        body = abi.encodePacked(era, committee(next), height_, outbox(size, root(0, size)));
        say(2, abi.encodePacked(era), sha256(bytes.concat("\x11zeugma.handover.1", body)));
    }

    function institutions() internal returns (bytes memory) {
        bytes memory keys = tool("institutions.mjs", "");
        return abi.encodePacked(
            uint16(2), uint32(3),
            uint32(0), part(keys, 0, 32), uint32(0), part(keys, 32, 32), uint32(0), part(keys, 64, 32)
        );
    }

    /// Signatures of the institutions whose bits are set.
    function signedBy(uint256 who, bytes32 over) internal returns (bytes memory out) {
        bytes memory all = tool("institutions.mjs", hexOf(over));
        uint32 n;
        for (uint16 i = 0; i < 3; i++) {
            if (who & (1 << i) == 0) continue;
            out = bytes.concat(out, abi.encodePacked(i, part(all, 64 * uint256(i), 64)));
            n++;
        }
        return bytes.concat(abi.encodePacked(n), out);
    }

    /// A trust file of one era, issued now, with a trusting period of `period` milliseconds.
    function trustFile(uint64 era, Group memory g, uint64 period, uint256 who) internal returns (bytes memory) {
        bytes memory body = bytes.concat(
            abi.encodePacked("ZGTRUST1", NETWORK, now_, period, uint32(1), era),
            committee(g), hex"00", abi.encodePacked(uint32(0)), institutions()
        );
        return bytes.concat(body, signedBy(who, sha256(bytes.concat("\x13zeugma.trust-file.1", body))));
    }

    function substitute(uint64 era, Group memory g, uint256 who) internal returns (bytes memory) {
        uint64 size = uint64(leaves.length);
        bytes memory body =
            bytes.concat(abi.encodePacked(NETWORK, era), committee(g), outbox(size, root(0, size)));
        return bytes.concat(body, signedBy(who, sha256(bytes.concat("\x13zeugma.substitute.1", body))));
    }

    // Small parts

    function part(bytes memory data, uint256 from, uint256 length) internal pure returns (bytes memory out) {
        out = new bytes(length);
        for (uint256 i = 0; i < length; i++) out[i] = data[from + i];
    }

    function hexOf(bytes32 data) internal pure returns (string memory) {
        bytes memory digits = "0123456789abcdef";
        bytes memory out = new bytes(64);
        for (uint256 i = 0; i < 32; i++) {
            out[2 * i] = digits[uint8(data[i]) >> 4];
            out[2 * i + 1] = digits[uint8(data[i]) & 15];
        }
        return string(out);
    }
}
