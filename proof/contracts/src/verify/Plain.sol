// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// What a plain proof says of its leaf.
struct Plain {
    uint64 height;
    uint64 time;
    uint64 index;
    /// The leaf's hash in the tree.
    bytes32 hash;
    uint256 pathAt;
    uint256 pathCount;
}

/// The proof that every packet brings: a leaf of SHA-256 with the very path and value that are asked for, without opening
/// and consistency path. It is not decoded: the leaf is made from what is asked, and the proof has it or has it not. Of a
/// proof in another form nothing is said here, neither good nor bad; whoever decodes it finds what it is.
///
/// Source: `docs/byte-layout.md`, sections 3 and 7.
library Plains {
    /// What stands before the leaf in a membership proof, and the leaf without its path.
    uint256 private constant ANCHOR = 80;
    uint256 private constant LEAF = 88;
    uint256 private constant MAX_PATH = 128;
    uint256 private constant MAX_INCLUSION = 64;

    /// Whether `proof` is plain and its leaf has `value` under `path` of `namespace`; its parts are written to `p`.
    function read(
        bytes calldata proof,
        bytes32 network,
        uint16 namespace,
        bytes calldata path,
        bytes32 value,
        Plain memory p
    ) internal view returns (bool plain) {
        uint256 length = path.length;
        if (length == 0 || length > MAX_PATH || proof.length < ANCHOR + LEAF + 15 + length) return false;
        assembly ("memory-safe") {
            let from := add(proof.offset, ANCHOR)
            let times := calldataload(add(from, 34))
            // A zero byte; format 1, network, height and time, namespace, length, path, value.
            let buffer := mload(0x40)
            mstore(buffer, 0)
            mstore8(add(buffer, 2), 1)
            mstore(add(buffer, 3), network)
            mstore(add(buffer, 35), times)
            mstore(add(buffer, 51), or(shl(240, namespace), shl(208, length)))
            calldatacopy(add(buffer, 57), path.offset, length)
            mstore(add(add(buffer, 57), length), value)
            length := add(length, LEAF)
            if iszero(staticcall(gas(), 2, buffer, add(length, 1), 0, 32)) { revert(0, 0) }
            mstore(add(p, 96), mload(0))
            mstore(p, shr(192, times))
            mstore(add(p, 32), and(shr(128, times), 0xffffffffffffffff))
            let asked := keccak256(add(buffer, 1), length)
            calldatacopy(buffer, from, length)
            plain := eq(asked, keccak256(buffer, length))
            // Behind the leaf: the suite, the index, how many hashes; the hashes; two options that are not there.
            from := add(from, length)
            let numbers := calldataload(from)
            let count := and(shr(152, numbers), 0xffffffff)
            mstore(add(p, 64), and(shr(184, numbers), 0xffffffffffffffff))
            mstore(add(p, 128), add(from, 13))
            mstore(add(p, 160), count)
            plain := and(plain, eq(shr(248, numbers), 1))
            plain := and(plain, iszero(gt(count, MAX_INCLUSION)))
            let end := add(add(from, 15), shl(5, count))
            plain := and(plain, eq(end, add(proof.offset, proof.length)))
            plain := and(plain, iszero(shr(240, calldataload(sub(end, 2)))))
        }
    }
}
