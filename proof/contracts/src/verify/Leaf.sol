// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Digest} from "./Digest.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";

/// What a network said. From `start` to `end` is the whole of it, and from `pathAt` on namespace and path as they are
/// encoded.
struct Leaf {
    uint8 format;
    bytes32 network;
    uint64 height;
    uint64 time;
    uint16 namespace;
    bytes32 value;
    uint256 start;
    uint256 pathAt;
    uint256 pathLength;
    uint256 end;
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
        uint256 start = Reading.take(r, 2);
        uint256 format = Reading.load(start) >> 240;
        hold(format == Digest.SHA256 || format == Digest.SM3, Code.UnknownTag);
        leaf.format = uint8(format);
        // Network, height, time and namespace: nothing is asked of the first three.
        uint256 next = Reading.take(r, 32 + 8 + 8 + 2);
        leaf.network = bytes32(Reading.load(next));
        uint256 numbers = Reading.load(next + 32);
        leaf.height = uint64(numbers >> 192);
        leaf.time = uint64(numbers >> 128);
        uint256 namespace = (numbers >> 112) & 0xffff;
        hold(namespace >= IBC && namespace <= REGISTRY, Code.UnknownTag);
        leaf.namespace = uint16(namespace);
        (, uint256 length) = Reading.span(r, MAX_PATH);
        hold(length != 0, Code.Empty);
        leaf.start = start;
        leaf.pathAt = next + 48;
        // Namespace and length have six bytes.
        leaf.pathLength = 6 + length;
        leaf.value = Reading.word(r);
        leaf.end = r.pos;
    }

    /// Its hash in the tree.
    function hash(Leaf memory leaf, uint8 suite) internal view returns (bytes32) {
        return Digest.framed(suite, hex"00", leaf.start, leaf.end - leaf.start);
    }

    /// Namespace and path as it has them.
    function pathOf(Leaf memory leaf) internal pure returns (bytes calldata) {
        return Reading.slice(leaf.pathAt, leaf.pathLength);
    }

    /// Whether it stands under this path of this namespace.
    function isAt(Leaf memory leaf, uint16 namespace, bytes memory path) internal pure returns (bool) {
        return isAt(leaf, namespace, path.length, keccak256(path));
    }

    /// The same, of a path of this length and Keccak hash, `name`.
    function isAt(Leaf memory leaf, uint16 namespace, uint256 length, bytes32 name) internal pure returns (bool) {
        unchecked {
            // The leaf has six bytes before the path: the namespace, and the length, which is that of the whole.
            return leaf.namespace == namespace && leaf.pathLength == length + 6
                && Reading.key(leaf.pathAt + 6, length) == name;
        }
    }
}
