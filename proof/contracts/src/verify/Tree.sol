// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Digest} from "./Digest.sol";
import {hold} from "./Refusal.sol";
import {Sm3} from "./Sm3.sol";

/// Proofs in the outbox. How many hashes a proof has follows from index and sizes, and is compared before anything
/// is hashed; every hash is then used. Source: RFC 9162, sections 2.1.3.2 and 2.1.4.2; `docs/byte-layout.md`,
/// section 4.
library Tree {
    /// `H(0x01 ‖ left ‖ right)`.
    function node(uint8 suite, bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        if (suite != Digest.SHA256) return Sm3.hash(abi.encodePacked(uint8(1), left, right));
        assembly ("memory-safe") {
            let pos := mload(0x40)
            mstore8(pos, 1)
            mstore(add(pos, 1), left)
            mstore(add(pos, 33), right)
            // The precompile of SHA-256 fails only without gas, and then so does the call.
            if iszero(staticcall(gas(), 2, pos, 65, 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
    }

    /// The leaf stands at `index` of the tree of `size` leaves with this root.
    function included(uint8 suite, bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path, bytes32 root)
        internal
        view
    {
        hold(index < size, Code.IndexOutOfTree);
        unchecked {
            uint256 last = size - 1;
            uint256 meet = bits(index ^ last);
            hold(path.length == meet + ones(index >> meet), Code.PathLength);
            hold((suite == Digest.SHA256 ? fold(leaf, index, meet, path) : foldBy(suite, leaf, index, last, path)) == root,
                Code.NotIncluded);
        }
    }

    /// The root that a path of the right length implies, under SHA-256: the loops that every packet pays for. Below the
    /// level `meet`, where the leaf's way meets that of the last leaf, each level has a sibling; from there on the leaf is
    /// under the last node of each level, whose siblings all stand on the left.
    function fold(bytes32 leaf, uint256 index, uint256 meet, bytes32[] calldata path)
        private
        view
        returns (bytes32 hash)
    {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            hash := leaf
            let done := 1
            let sibling := path.offset
            let end := add(sibling, shl(5, path.length))
            for { let level := add(sibling, shl(5, meet)) } lt(sibling, level) { sibling := add(sibling, 32) } {
                // A right child stands behind its sibling: the two places are 1 and 33.
                let right := shl(5, and(index, 1))
                mstore(add(add(buffer, 1), right), hash)
                mstore(sub(add(buffer, 33), right), calldataload(sibling))
                done := and(staticcall(gas(), 2, buffer, 65, 0, 32), done)
                hash := mload(0)
                index := shr(1, index)
            }
            for {} lt(sibling, end) { sibling := add(sibling, 32) } {
                mstore(add(buffer, 1), calldataload(sibling))
                mstore(add(buffer, 33), hash)
                done := and(staticcall(gas(), 2, buffer, 65, 0, 32), done)
                hash := mload(0)
            }
            if iszero(done) { revert(0, 0) }
        }
    }

    /// The same under any suite.
    function foldBy(uint8 suite, bytes32 hash, uint256 index, uint256 last, bytes32[] calldata path)
        private
        view
        returns (bytes32)
    {
        unchecked {
            for (uint256 i = 0; i < path.length; i++) {
                while (index & 1 == 0 && index == last) {
                    index >>= 1;
                    last >>= 1;
                }
                hash = index & 1 == 1 ? node(suite, path[i], hash) : node(suite, hash, path[i]);
                index >>= 1;
                last >>= 1;
            }
        }
        return hash;
    }

    /// The tree of `old` leaves is the beginning of the tree of `size` leaves.
    function consistent(
        uint8 suite,
        uint256 old,
        bytes32 oldRoot,
        uint256 size,
        bytes32 root,
        bytes32[] calldata path
    ) internal view {
        hold(old != 0, Code.Empty);
        hold(old <= size, Code.OutOfRange);
        if (old == size) {
            hold(path.length == 0, Code.PathLength);
            hold(oldRoot == root, Code.NotConsistent);
            return;
        }
        unchecked {
            uint256 pos = old - 1;
            uint256 last = size - 1;
            // The perfect subtree that ends the old tree: its root is the first hash, unless it is the old tree.
            while (pos & 1 == 1) {
                pos >>= 1;
                last >>= 1;
            }
            uint256 meet = bits(pos ^ last);
            uint256 from = pos == 0 ? 0 : 1;
            hold(path.length == meet + ones(pos >> meet) + from, Code.PathLength);
            bytes32 oldHash = from == 1 ? path[0] : oldRoot;
            bytes32 newHash = oldHash;
            for (uint256 i = from; i < path.length; i++) {
                while (pos & 1 == 0 && pos == last) {
                    pos >>= 1;
                    last >>= 1;
                }
                if (pos & 1 == 1) {
                    oldHash = node(suite, path[i], oldHash);
                    newHash = node(suite, path[i], newHash);
                } else {
                    newHash = node(suite, newHash, path[i]);
                }
                pos >>= 1;
                last >>= 1;
            }
            hold(oldHash == oldRoot && newHash == root, Code.NotConsistent);
        }
    }

    /// The length of a number in bits.
    function bits(uint256 x) private pure returns (uint256 n) {
        assembly ("memory-safe") {
            // Positions in a tree have 64 bits.
            n := shl(5, gt(x, 0xffffffff))
            n := or(n, shl(4, gt(shr(n, x), 0xffff)))
            n := or(n, shl(3, gt(shr(n, x), 0xff)))
            n := or(n, shl(2, gt(shr(n, x), 0xf)))
            n := or(n, shl(1, gt(shr(n, x), 3)))
            n := or(n, gt(shr(n, x), 1))
            n := add(n, gt(x, 0))
        }
    }

    /// How many bits of a number of 64 bits are set.
    function ones(uint256 x) private pure returns (uint256 n) {
        unchecked {
            x -= (x >> 1) & 0x5555555555555555;
            x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
            x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
            // The sum of the bytes stands in the eighth.
            return ((x * 0x0101010101010101) >> 56) & 0xff;
        }
    }
}
