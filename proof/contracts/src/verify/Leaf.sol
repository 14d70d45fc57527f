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

    function read(Reader memory r) internal pure returns (Leaf memory leaf) {
        uint256 start = r.pos;
        uint16 format = Reading.u16(r);
        hold(format == Digest.SHA256 || format == Digest.SM3, Code.UnknownTag);
        leaf.format = uint8(format);
        leaf.network = Reading.word(r);
        leaf.height = Reading.u64(r);
        leaf.time = Reading.u64(r);
        uint256 pathStart = r.pos;
        leaf.namespace = Reading.u16(r);
        hold(leaf.namespace >= IBC && leaf.namespace <= REGISTRY, Code.UnknownTag);
        (, uint256 length) = Reading.span(r, MAX_PATH);
        hold(length != 0, Code.Empty);
        leaf.path = Reading.slice(r.data, pathStart, r.pos - pathStart);
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
