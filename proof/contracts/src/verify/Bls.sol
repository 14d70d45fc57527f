// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Reading} from "./Reader.sol";

/// Signatures of BLS12-381 with the signature in G1 and the key in G2, checked by the precompiles of EIP-2537.
///
/// Points come compressed in the call, as every verifier reads them, with their uncompressed form beside: nothing is believed of
/// the latter but what agrees with the former. A point that is none (not on the curve, outside the subgroup, the
/// identity, another encoding) is no point here either; the precompiles refuse the first two and coordinates that are
/// not below the modulus.
///
/// Source: EIP-2537; RFC 9380, section 5 (expand_message_xmd, hash_to_field) and 8.8.1; the serialization of
/// BLS12-381 points that all libraries share.
library Bls {
    /// Of the signature's point, uncompressed: x and y.
    uint256 internal constant G1_POINT = 96;
    /// Of the key's point, uncompressed: imaginary and real part of x, then of y.
    uint256 internal constant G2_POINT = 192;

    // The modulus of the base field, and half of it rounded down, in 16 and 32 bytes.
    uint256 private constant P_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    uint256 private constant HALF_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    // The domain BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_ and its length, 43: 32 bytes, and the other 12.
    bytes32 private constant SUFFIX = "BLS_SIG_BLS12381G1_XMD:SHA-256_S";
    bytes32 private constant SUFFIX_END = "SWU_RO_POP_+";

    // The generator of G2, negated, as the precompile reads it.
    bytes private constant MINUS_G2 = hex"00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
        hex"0000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
        hex"000000000000000000000000000000000d1b3cc2c7027888be51d9ef691d77bcb679afda66c73f17f9ee3837a55024f78c71363275a75d75d86bab79f74782aa"
        hex"0000000000000000000000000000000013fa4d4a0ad8b1ce186ed5061789213d993923066dddaf1040bc3ff59f825c78df74f2d75467e25e0f55f8a00fa030ed";

    // What a precompile may use: it takes all it is given when its input is no point, so it is given a bound, several
    // times its price of today (102,900 for two pairs, 22,500 for one product).
    uint256 private constant PAIRING_GAS = 400_000;
    uint256 private constant MSM_GAS = 200_000;

    /// Whether the signature of 48 bytes at `pos`, with its point at `from` (points end at `end`), is that of `key`
    /// (256 bytes) over `message`.
    function verifies(bytes memory key, bytes memory message, uint256 pos, uint256 from, uint256 end)
        internal
        view
        returns (bool)
    {
        // What the precompile reads: the signature and the generator, the message and the key.
        bytes memory input = new bytes(768);
        if (!placeSignature(input, pos, from, end)) return false;
        bytes memory minus = MINUS_G2;
        bytes memory hashed = hashToG1(message);
        uint256 holds;
        assembly ("memory-safe") {
            mcopy(add(input, 160), add(minus, 32), 256)
            mcopy(add(input, 416), add(hashed, 32), 128)
            mcopy(add(input, 544), add(key, 32), 256)
            // What fails returns nothing.
            mstore(0, 0)
            holds := staticcall(PAIRING_GAS, 0x0f, add(input, 32), 768, 0, 32)
            holds := and(holds, eq(mload(0), 1))
        }
        return holds == 1;
    }

    /// The key of 96 compressed bytes at `pos` as the precompile reads it (256 bytes), or none: its point is looked
    /// for among those between `from` and `end`.
    function parseKey(uint256 pos, uint256 from, uint256 end) internal view returns (bool, bytes memory) {
        unchecked {
            uint256 flags = Reading.load(pos) >> 253;
            // Compressed, not the identity.
            if (flags & 6 != 4) return (false, "");
            for (; from + G2_POINT <= end; from += G2_POINT) {
                if (sameX(pos, 96, from)) break;
            }
            if (from + G2_POINT > end) return (false, "");
            (uint256 high, uint256 low) = coordinate(from + 96);
            if (high | low == 0) (high, low) = coordinate(from + 144);
            if (isLarger(high, low) != (flags & 1 == 1)) return (false, "");
            // The precompile reads zeros as the identity.
            (uint256 realHigh, uint256 realLow) = coordinate(from + 144);
            if (high | low | realHigh | realLow == 0) return (false, "");
        }
        bytes memory key = new bytes(256);
        // Imaginary parts come first in the shared serialization, real parts in the precompile's.
        place(key, 0, from + 48);
        place(key, 64, from);
        place(key, 128, from + 144);
        place(key, 192, from + 96);
        // A product by one: the precompile refuses what is not of the curve and the subgroup.
        bytes memory input = bytes.concat(key, bytes32(uint256(1)));
        (bool done, bytes memory out) = address(0x0e).staticcall{gas: MSM_GAS}(input);
        return (done && out.length == 256, key);
    }

    /// Writes the point of a signature, as the precompile reads it, where both forms agree.
    function placeSignature(bytes memory out, uint256 pos, uint256 from, uint256 end) private pure returns (bool) {
        unchecked {
            uint256 flags = Reading.load(pos) >> 253;
            if (flags & 6 != 4 || from + G1_POINT > end) return false;
            if (!sameX(pos, 48, from)) return false;
            (uint256 high, uint256 low) = coordinate(from + 48);
            // The precompile reads zeros as the identity; no point of the group has y zero.
            if (high | low == 0 || isLarger(high, low) != (flags & 1 == 1)) return false;
            place(out, 0, from);
            place(out, 64, from + 48);
        }
        return true;
    }

    /// The point of G1 that a message is mapped to.
    function hashToG1(bytes memory message) internal view returns (bytes memory point) {
        point = new bytes(256);
        assembly ("memory-safe") {
            // Z_pad is one block of the hash; the message; 128 bytes are asked for, two field elements of 64; the suffix.
            let buffer := mload(0x40)
            let length := mload(message)
            mstore(buffer, 0)
            mstore(add(buffer, 32), 0)
            mcopy(add(buffer, 64), add(message, 32), length)
            let end := add(add(buffer, 64), length)
            mstore(end, shl(232, 0x008000))
            mstore(add(end, 3), SUFFIX)
            mstore(add(end, 35), SUFFIX_END)
            let done := staticcall(gas(), 2, buffer, add(length, 111), 0, 32)
            let first := mload(0)
            // The other four are of 32 bytes, the number, the suffix.
            mstore(add(buffer, 33), SUFFIX)
            mstore(add(buffer, 65), SUFFIX_END)
            let wide := add(buffer, 96)
            let hash := 0
            for { let i := 1 } lt(i, 5) { i := add(i, 1) } {
                mstore(buffer, xor(first, hash))
                mstore8(add(buffer, 32), i)
                done := and(staticcall(gas(), 2, buffer, 77, 0, 32), done)
                hash := mload(0)
                mstore(add(wide, shl(5, i)), hash)
            }
            // Of 64 bytes, the first power modulo p, by the precompile of EIP-198; then the map to the curve.
            let power := add(buffer, 256)
            mstore(power, 64)
            mstore(add(power, 32), 1)
            mstore(add(power, 64), 64)
            mstore8(add(power, 160), 1)
            mstore(add(power, 161), P_HIGH)
            mstore(add(power, 193), P_LOW)
            let points := add(point, 32)
            for { let i := 0 } lt(i, 2) { i := add(i, 1) } {
                mcopy(add(power, 96), add(add(buffer, 128), shl(6, i)), 64)
                done := and(staticcall(gas(), 5, power, 225, 0, 64), done)
                done := and(staticcall(gas(), 0x10, 0, 64, add(points, shl(7, i)), 128), done)
            }
            done := and(staticcall(gas(), 0x0b, points, 256, points, 128), done)
            // They fail only without gas, and then so does the call.
            if iszero(done) { revert(0, 0) }
            mstore(point, 128)
        }
    }

    /// Whether x of the compressed form, without its three flags, is that of the point.
    function sameX(uint256 pos, uint256 length, uint256 from) private pure returns (bool same) {
        assembly ("memory-safe") {
            // The flags are the first three bits; those of the point must be clear, or x would not be below p.
            same := eq(and(calldataload(pos), shr(3, not(0))), calldataload(from))
            // The last 32 bytes, and for 96 also those between.
            let last := sub(length, 32)
            same := and(same, eq(calldataload(add(pos, last)), calldataload(add(from, last))))
            if gt(length, 64) { same := and(same, eq(calldataload(add(pos, 32)), calldataload(add(from, 32)))) }
        }
    }

    /// A coordinate of 48 bytes in 16 and 32.
    function coordinate(uint256 from) private pure returns (uint256 high, uint256 low) {
        assembly ("memory-safe") {
            high := shr(128, calldataload(from))
            low := calldataload(add(from, 16))
        }
    }

    /// Whether a coordinate is the larger of the two square roots: above half the modulus.
    function isLarger(uint256 high, uint256 low) private pure returns (bool) {
        return high > HALF_HIGH || (high == HALF_HIGH && low > HALF_LOW);
    }

    /// Writes a coordinate of 48 bytes into 64.
    function place(bytes memory out, uint256 to, uint256 from) private pure {
        assembly ("memory-safe") {
            calldatacopy(add(add(out, 48), to), from, 48)
        }
    }
}
