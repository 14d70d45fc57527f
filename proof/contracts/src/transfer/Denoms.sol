// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Reading} from "../verify/Reader.sol";

/// Denominations of ICS-20: a token's own name, behind one `transfer/CLIENT/` for each hop that it came by.
library Denoms {
    /// The length of a hop and its Keccak hash: `transfer/`, the client, `/`.
    function hop(string calldata client) private pure returns (uint256 length, bytes32 hash) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, "transfer/")
            calldatacopy(add(buffer, 9), client.offset, client.length)
            mstore8(add(add(buffer, 9), client.length), 0x2f)
            length := add(client.length, 10)
            hash := keccak256(buffer, length)
        }
    }

    /// The denomination of what came by a client.
    function through(string calldata client, string calldata denom) internal pure returns (string memory) {
        return string(bytes.concat("transfer/", bytes(client), "/", bytes(denom)));
    }

    /// Whether the last hop was by this client, with a name behind it.
    function cameBy(string memory denom, string calldata client) internal pure returns (bool begins) {
        (uint256 length, bytes32 hash) = hop(client);
        if (bytes(denom).length <= length) return false;
        assembly ("memory-safe") {
            begins := eq(keccak256(add(denom, 32), length), hash)
        }
    }

    /// Whether the last hop was by this client, and what stands behind it.
    function behind(string calldata denom, string calldata client) internal pure returns (bool came, string calldata out) {
        (uint256 length, bytes32 hash) = hop(client);
        came = bytes(denom).length > length && Reading.key(Reading.startOf(bytes(denom)), length) == hash;
        out = came ? denom[length:] : denom;
    }

    // Each of the bytes of a word.
    uint256 private constant EACH = 0x0101010101010101010101010101010101010101010101010101010101010101;

    /// An address as text: `0x` and forty digits.
    function ofAddress(address account) internal pure returns (string memory out) {
        uint256 number = uint160(account);
        uint256 high = digitsOf(number >> 32);
        uint256 low = digitsOf(number & 0xffffffff);
        out = new string(42);
        assembly ("memory-safe") {
            // The last eight digits first: what is written behind them begins before them.
            mstore(add(out, 42), low)
            mstore(add(out, 34), high)
            mstore(add(out, 2), or(and(mload(add(out, 2)), not(0xffff)), 0x3078))
            mstore(out, 42)
        }
    }

    /// The address that a text is, in digits of either case.
    function toAddress(string calldata text) internal pure returns (bool isAddress, address account) {
        if (bytes(text).length != 42) return (false, address(0));
        uint256 front;
        uint256 high;
        uint256 low;
        assembly ("memory-safe") {
            front := shr(240, calldataload(text.offset))
            high := calldataload(add(text.offset, 2))
            // The last eight, behind zeros of the digit's kind.
            low := or(shr(192, calldataload(add(text.offset, 34))), shl(64, 0x303030303030303030303030303030303030303030303030))
        }
        (bool isFirst, uint256 first) = numberOf(high);
        (bool isSecond, uint256 second) = numberOf(low);
        isAddress = front == 0x3078 && isFirst && isSecond;
        account = address(uint160((first << 32) | second));
    }

    /// The 32 digits of a number below 2^128, one in each byte.
    function digitsOf(uint256 x) private pure returns (uint256) {
        unchecked {
            x = (x | (x << 64)) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
            x = (x | (x << 32)) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
            x = (x | (x << 16)) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
            x = (x | (x << 8)) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
            x = (x | (x << 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
            // From ten on, the letters: 39 characters further.
            return x + EACH * 48 + (((x + EACH * 6) >> 4) & EACH) * 39;
        }
    }

    /// The number of 32 digits of either case, if they are digits.
    function numberOf(uint256 x) private pure returns (bool isNumber, uint256) {
        unchecked {
            uint256 n = (x & (EACH * 15)) + ((x >> 6) & EACH) * 9;
            // What was read is written again, the letters as small ones: other characters do not come back.
            uint256 written = n + EACH * 48 + (((n + EACH * 6) >> 4) & EACH) * 39;
            isNumber = n & (EACH * 0xf0) == 0 && written == x | ((x >> 1) & (EACH * 32));
            n = (n | (n >> 4)) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
            n = (n | (n >> 8)) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
            n = (n | (n >> 16)) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
            n = (n | (n >> 32)) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
            return (isNumber, (n | (n >> 64)) & 0xffffffffffffffffffffffffffffffff);
        }
    }
}
