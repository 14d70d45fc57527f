// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {refuse, hold} from "./Refusal.sol";

/// A cursor over bytes of the call. They are read where they are, and places are counted from the beginning of the
/// call: a proof is copied only to be hashed.
///
/// From `points` to `pointsEnd` are the uncompressed forms of compressed points among the bytes, one behind the other:
/// what the call carries beside the bytes of the file. They are believed only where they agree with the compressed form.
struct Reader {
    uint256 pos;
    uint256 end;
    uint256 points;
    uint256 pointsEnd;
}

/// The canonical encoding: big-endian numbers of fixed width, lengths before what they count. A length is compared
/// with its bound before anything is read. Source: `docs/byte-layout.md`, section 1.
library Reading {
    function over(bytes calldata data, bytes calldata points) internal pure returns (Reader memory r) {
        assembly ("memory-safe") {
            mstore(r, data.offset)
            mstore(add(r, 32), add(data.offset, data.length))
            mstore(add(r, 64), points.offset)
            mstore(add(r, 96), add(points.offset, points.length))
        }
    }

    /// Over bytes without a point.
    function alone(bytes calldata data) internal pure returns (Reader memory r) {
        assembly ("memory-safe") {
            mstore(r, data.offset)
            mstore(add(r, 32), add(data.offset, data.length))
        }
    }

    /// Passes over `length` bytes and says where they begin.
    function take(Reader memory r, uint256 length) internal pure returns (uint256 start) {
        bool isThere;
        assembly ("memory-safe") {
            // Every caller's length is below 2^38, and `pos` never passes the end.
            start := mload(r)
            let next := add(start, length)
            isThere := iszero(gt(next, mload(add(r, 32))))
            mstore(r, next)
        }
        if (!isThere) refuse(Code.Truncated);
    }

    /// A number of `width` bytes, at most 32.
    function number(Reader memory r, uint256 width) internal pure returns (uint256 value) {
        value = load(take(r, width));
        unchecked {
            value >>= 256 - 8 * width;
        }
    }

    /// The word that begins at a place that was read: what is behind the end of the bytes is anything.
    function load(uint256 from) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(from)
        }
    }

    function u8(Reader memory r) internal pure returns (uint8) {
        return uint8(load(take(r, 1)) >> 248);
    }

    function u16(Reader memory r) internal pure returns (uint16) {
        return uint16(number(r, 2));
    }

    function u64(Reader memory r) internal pure returns (uint64) {
        return uint64(load(take(r, 8)) >> 192);
    }

    function word(Reader memory r) internal pure returns (bytes32) {
        return bytes32(load(take(r, 32)));
    }

    /// The count before a list.
    function count(Reader memory r, uint256 max) internal pure returns (uint256 n) {
        n = load(take(r, 4)) >> 224;
        hold(n <= max, Code.TooMany);
    }

    /// A byte string of at most `max` bytes: where it begins and how long it is.
    function span(Reader memory r, uint256 max) internal pure returns (uint256 start, uint256 length) {
        length = load(take(r, 4)) >> 224;
        hold(length <= max, Code.TooLong);
        start = take(r, length);
    }

    /// Text of at most `max` bytes.
    function text(Reader memory r, uint256 max) internal pure returns (uint256 start, uint256 length) {
        (start, length) = span(r, max);
        hold(isText(start, length), Code.BadText);
    }

    /// The tag of an optional value.
    function some(Reader memory r) internal pure returns (bool) {
        uint256 tag = load(take(r, 1)) >> 248;
        hold(tag <= 1, Code.UnknownTag);
        return tag == 1;
    }

    /// A list of hashes: where it begins and how many they are.
    function hashes(Reader memory r, uint256 max) internal pure returns (uint256 start, uint256 n) {
        n = count(r, max);
        start = take(r, n * 32);
    }

    /// Bytes left over are refused.
    function finish(Reader memory r) internal pure {
        hold(r.pos == r.end, Code.TrailingBytes);
    }

    /// Where bytes of the call begin.
    function startOf(bytes calldata data) internal pure returns (uint256 start) {
        assembly ("memory-safe") {
            start := data.offset
        }
    }

    /// Bytes that were read.
    function slice(uint256 start, uint256 length) internal pure returns (bytes calldata out) {
        assembly ("memory-safe") {
            out.offset := start
            out.length := length
        }
    }

    /// Hashes that were read.
    function list(uint256 start, uint256 n) internal pure returns (bytes32[] calldata out) {
        assembly ("memory-safe") {
            out.offset := start
            out.length := n
        }
    }

    /// The Keccak hash of bytes that were read, to compare them with others.
    function key(uint256 start, uint256 length) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, start, length)
            hash := keccak256(buffer, length)
        }
    }

    /// The byte string at this place of an ABI encoding of byte strings.
    function part(bytes calldata message, uint256 place) internal pure returns (bytes calldata out) {
        unchecked {
            uint256 length = message.length;
            hold(length >= 32 * place + 32, Code.Truncated);
            uint256 from = startOf(message);
            uint256 start = load(from + 32 * place);
            hold(start <= length - 32, Code.Truncated);
            uint256 size = load(from + start);
            hold(size <= length - 32 - start, Code.Truncated);
            return slice(from + start + 32, size);
        }
    }

    /// Whether bytes are UTF-8: shortest forms, no surrogates, nothing above U+10FFFF.
    function isText(uint256 start, uint256 length) internal pure returns (bool) {
        unchecked {
            uint256 end = start + length;
            while (start < end) {
                uint256 first = load(start++) >> 248;
                if (first < 0x80) continue;
                uint256 more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
                if (first < 0xc2 || first > 0xf4 || more > end - start) return false;
                for (uint256 i = 0; i < more; i++) {
                    uint256 next = load(start++) >> 248;
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
