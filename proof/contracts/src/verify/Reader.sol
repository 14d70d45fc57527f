// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {refuse, hold} from "./Refusal.sol";

/// A cursor over bytes from outside.
///
/// `points` are the uncompressed forms of compressed points inside `data`, one behind the other: what the call
/// carries beside the bytes of the file. They are believed only where they agree with the compressed form.
struct Reader {
    bytes data;
    uint256 pos;
    bytes points;
}

/// The canonical encoding: big-endian numbers of fixed width, lengths before what they count. A length is compared
/// with its bound before anything is read. Source: `docs/byte-layout.md`, section 1.
library Reading {
    function over(bytes memory data, bytes memory points) internal pure returns (Reader memory) {
        return Reader({data: data, pos: 0, points: points});
    }

    /// Passes over `length` bytes and says where they begin.
    function take(Reader memory r, uint256 length) internal pure returns (uint256 start) {
        start = r.pos;
        unchecked {
            // Every caller's length is below 2^32, and `at` never passes the end.
            if (length > r.data.length - start) refuse(Code.Truncated);
            r.pos = start + length;
        }
    }

    /// A number of `width` bytes, at most 32.
    function number(Reader memory r, uint256 width) internal pure returns (uint256 value) {
        uint256 start = take(r, width);
        bytes memory data = r.data;
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, width)), mload(add(add(data, 32), start)))
        }
    }

    /// The word that begins at a place that was read: what is behind the end of the data is anything.
    function load(bytes memory data, uint256 from) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(data, 32), from))
        }
    }

    function u8(Reader memory r) internal pure returns (uint8) {
        return uint8(number(r, 1));
    }

    function u16(Reader memory r) internal pure returns (uint16) {
        return uint16(number(r, 2));
    }

    function u64(Reader memory r) internal pure returns (uint64) {
        return uint64(number(r, 8));
    }

    function word(Reader memory r) internal pure returns (bytes32) {
        return bytes32(number(r, 32));
    }

    /// The count before a list.
    function count(Reader memory r, uint256 max) internal pure returns (uint256 n) {
        n = number(r, 4);
        hold(n <= max, Code.TooMany);
    }

    /// A byte string of at most `max` bytes: where it begins and how long it is.
    function span(Reader memory r, uint256 max) internal pure returns (uint256 start, uint256 length) {
        length = number(r, 4);
        hold(length <= max, Code.TooLong);
        start = take(r, length);
    }

    /// Text of at most `max` bytes.
    function text(Reader memory r, uint256 max) internal pure returns (uint256 start, uint256 length) {
        (start, length) = span(r, max);
        hold(isText(r.data, start, length), Code.BadText);
    }

    /// The tag of an optional value.
    function some(Reader memory r) internal pure returns (bool) {
        uint8 tag = u8(r);
        hold(tag <= 1, Code.UnknownTag);
        return tag == 1;
    }

    /// A list of hashes.
    function hashes(Reader memory r, uint256 max) internal pure returns (bytes32[] memory list) {
        uint256 n = count(r, max);
        // All of them are there or the list is cut: known before memory is taken.
        uint256 start = r.pos;
        take(r, n * 32);
        list = new bytes32[](n);
        bytes memory data = r.data;
        assembly ("memory-safe") {
            mcopy(add(list, 32), add(add(data, 32), start), shl(5, n))
        }
    }

    /// Bytes left over are refused.
    function finish(Reader memory r) internal pure {
        hold(r.pos == r.data.length, Code.TrailingBytes);
    }

    /// A copy of `length` bytes.
    function slice(bytes memory data, uint256 start, uint256 length) internal pure returns (bytes memory out) {
        out = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(out, 32), add(add(data, 32), start), length)
        }
    }

    /// The Keccak hash of `length` bytes, to compare them with others.
    function key(bytes memory data, uint256 start, uint256 length) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(add(data, 32), start), length)
        }
    }

    /// Whether bytes are UTF-8: shortest forms, no surrogates, nothing above U+10FFFF.
    function isText(bytes memory data, uint256 start, uint256 length) internal pure returns (bool) {
        unchecked {
            uint256 end = start + length;
            while (start < end) {
                uint256 first = uint8(data[start++]);
                if (first < 0x80) continue;
                uint256 more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
                if (first < 0xc2 || first > 0xf4 || more > end - start) return false;
                for (uint256 i = 0; i < more; i++) {
                    uint256 next = uint8(data[start++]);
                    (uint256 low, uint256 high) = (0x80, 0xbf);
                    if (i == 0) {
                        if (first == 0xe0) low = 0xa0;
                        else if (first == 0xed) high = 0x9f;
                        else if (first == 0xf0) low = 0x90;
                        else if (first == 0xf4) high = 0x8f;
                    }
                    if (next < low || next > high) return false;
                }
            }
            return true;
        }
    }
}
