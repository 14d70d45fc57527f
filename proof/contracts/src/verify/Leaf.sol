// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Digest} from "./Digest.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";

/// What a network said. `path` is namespace and path as they are encoded; `hashed` is what its hash is of: a zero byte
/// and the whole leaf.
struct Leaf {
    uint8 format;
    bytes32 network;
    uint64 height;
    uint64 time;
    uint16 namespace;
    bytes path;
    bytes32 value;
    bytes hashed;
}

/// Source: `docs/byte-layout.md`, section 3.
library Leaves {
    uint16 internal constant IBC = 1;
    uint16 internal constant HANDOVER = 2;
    uint16 internal constant STANDING = 3;
    uint16 internal constant CLOSED = 4;
    uint16 internal constant RETRACTION = 5;
    uint16 internal constant ANCHOR = 6;
    uint16 internal constant SPLIT_VIEW = 7;
    uint16 internal constant CLIENT = 8;
    uint16 internal constant REGISTRY = 9;

    uint256 private constant MAX_PATH = 128;

    /// Reads a leaf into the place that its proof has for it.
    function read(Reader memory r, Leaf memory leaf) internal pure {
        bytes memory data = r.data;
        uint256 start = Reading.take(r, 2);
        uint256 format = Reading.load(data, start) >> 240;
        hold(format == Digest.SHA256 || format == Digest.SM3, Code.UnknownTag);
        leaf.format = uint8(format);
        // Network, height, time and namespace: nothing is asked of the first three.
        uint256 next = Reading.take(r, 32 + 8 + 8 + 2);
        leaf.network = bytes32(Reading.load(data, next));
        uint256 numbers = Reading.load(data, next + 32);
        leaf.height = uint64(numbers >> 192);
        leaf.time = uint64(numbers >> 128);
        uint256 namespace = (numbers >> 112) & 0xffff;
        hold(namespace >= IBC && namespace <= REGISTRY, Code.UnknownTag);
        leaf.namespace = uint16(namespace);
        (, uint256 length) = Reading.span(r, MAX_PATH);
        hold(length != 0, Code.Empty);
        leaf.path = Reading.slice(data, next + 48, r.pos - next - 48);
        leaf.value = Reading.word(r);
        leaf.hashed = Digest.joined(hex"00", r.data, start, r.pos - start);
    }

    /// Its hash in the tree.
    function hash(Leaf memory leaf, uint8 suite) internal pure returns (bytes32) {
        return Digest.hash(suite, leaf.hashed);
    }

    /// Namespace and path as a leaf encodes them.
    function pathOf(uint16 namespace, bytes memory path) internal pure returns (bytes memory) {
        return abi.encodePacked(namespace, uint32(path.length), path);
    }
}
