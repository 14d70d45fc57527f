// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Denominations of ICS-20: a token's own name, behind one `transfer/CLIENT/` for each hop that it came by.
library Denoms {
    function hop(string memory client) private pure returns (bytes memory) {
        return bytes.concat("transfer/", bytes(client), "/");
    }

    /// The denomination of what came by a client.
    function through(string memory client, string memory denom) internal pure returns (string memory) {
        return string(bytes.concat(hop(client), bytes(denom)));
    }

    /// Whether the last hop was by this client, with a name behind it.
    function cameBy(string memory denom, string memory client) internal pure returns (bool begins) {
        bytes memory front = hop(client);
        if (bytes(denom).length <= front.length) return false;
        assembly ("memory-safe") {
            let length := mload(front)
            begins := eq(keccak256(add(denom, 32), length), keccak256(add(front, 32), length))
        }
    }

    /// Whether the last hop was by this client, and what stands behind it.
    function behind(string memory denom, string memory client) internal pure returns (bool came, string memory out) {
        came = cameBy(denom, client);
        if (!came) return (false, "");
        // The hop without the identifier has ten characters.
        uint256 skip = bytes(client).length + 10;
        uint256 length = bytes(denom).length - skip;
        out = new string(length);
        assembly ("memory-safe") {
            mcopy(add(out, 32), add(add(denom, 32), skip), length)
        }
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
    function toAddress(string memory text) internal pure returns (bool isAddress, address account) {
        if (bytes(text).length != 42) return (false, address(0));
        uint256 front;
        uint256 high;
        uint256 low;
        assembly ("memory-safe") {
            front := and(mload(add(text, 2)), 0xffff)
            high := mload(add(text, 34))
            // The last eight, behind zeros of the digit's kind.
            low := or(and(mload(add(text, 42)), 0xffffffffffffffff), shl(64, 0x303030303030303030303030303030303030303030303030))
        }
        if (front != 0x3078) return (false, address(0));
        uint256 first = numberOf(high);
        uint256 second = numberOf(low);
        // What is read is written again: other characters than digits do not come back as they were.
        isAddress = digitsOf(first) == lower(high) && digitsOf(second) == lower(low);
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

    /// The number of 32 digits; of other characters, any number.
    function numberOf(uint256 x) private pure returns (uint256) {
        unchecked {
            x = (x & (EACH * 15)) + ((x >> 6) & EACH) * 9;
            x = (x | (x >> 4)) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
            x = (x | (x >> 8)) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
            x = (x | (x >> 16)) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
            x = (x | (x >> 32)) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
            return (x | (x >> 64)) & 0xffffffffffffffffffffffffffffffff;
        }
    }

    /// Capital letters as small ones.
    function lower(uint256 x) private pure returns (uint256) {
        return x | ((x >> 1) & (EACH * 32));
    }
}
