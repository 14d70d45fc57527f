// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// SM3, for trees and values of networks that use it. Source: GB/T 32905-2016.
library Sm3 {
    uint256 private constant WORD = 0xffffffff;

    /// The digest of `data`.
    function hash(bytes memory data) internal pure returns (bytes32) {
        unchecked {
            uint256 bits = data.length * 8;
            uint256 zeros = (119 - (data.length % 64)) % 64;
            bytes memory padded = bytes.concat(data, hex"80", new bytes(zeros), bytes8(uint64(bits)));
            uint256[8] memory state = [
                uint256(0x7380166f), 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e
            ];
            uint256[68] memory w;
            for (uint256 pos = 0; pos < padded.length; pos += 64) {
                expand(padded, pos, w);
                compress(state, w);
            }
            uint256 digest;
            for (uint256 i = 0; i < 8; i++) {
                digest = (digest << 32) | state[i];
            }
            return bytes32(digest);
        }
    }

    function expand(bytes memory padded, uint256 pos, uint256[68] memory w) private pure {
        unchecked {
            uint256 high;
            uint256 low;
            assembly ("memory-safe") {
                high := mload(add(add(padded, 32), pos))
                low := mload(add(add(padded, 64), pos))
            }
            for (uint256 i = 0; i < 8; i++) {
                w[i] = (high >> (224 - 32 * i)) & WORD;
                w[i + 8] = (low >> (224 - 32 * i)) & WORD;
            }
            for (uint256 i = 16; i < 68; i++) {
                uint256 x = w[i - 16] ^ w[i - 9] ^ turn(w[i - 3], 15);
                w[i] = x ^ turn(x, 15) ^ turn(x, 23) ^ turn(w[i - 13], 7) ^ w[i - 6];
            }
        }
    }

    function compress(uint256[8] memory state, uint256[68] memory w) private pure {
        unchecked {
            uint256[8] memory v;
            for (uint256 i = 0; i < 8; i++) {
                v[i] = state[i];
            }
            for (uint256 j = 0; j < 64; j++) {
                uint256 constantOf = j < 16 ? 0x79cc4519 : 0x7a879d8a;
                uint256 ss1 = turn((turn(v[0], 12) + v[4] + turn(constantOf, j % 32)) & WORD, 7);
                uint256 ff = j < 16 ? v[0] ^ v[1] ^ v[2] : (v[0] & v[1]) | (v[0] & v[2]) | (v[1] & v[2]);
                uint256 gg = j < 16 ? v[4] ^ v[5] ^ v[6] : (v[4] & v[5]) | (~v[4] & WORD & v[6]);
                uint256 tt1 = (ff + v[3] + (ss1 ^ turn(v[0], 12)) + (w[j] ^ w[j + 4])) & WORD;
                uint256 tt2 = (gg + v[7] + ss1 + w[j]) & WORD;
                v[3] = v[2];
                v[2] = turn(v[1], 9);
                v[1] = v[0];
                v[0] = tt1;
                v[7] = v[6];
                v[6] = turn(v[5], 19);
                v[5] = v[4];
                v[4] = tt2 ^ turn(tt2, 9) ^ turn(tt2, 17);
            }
            for (uint256 i = 0; i < 8; i++) {
                state[i] ^= v[i];
            }
        }
    }

    function turn(uint256 x, uint256 n) private pure returns (uint256) {
        return ((x << n) | (x >> (32 - n))) & WORD;
    }
}
