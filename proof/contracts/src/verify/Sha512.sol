// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// SHA-512 of messages that fit in one block: for Ed25519, over 96 bytes. Source: FIPS 180-4.
library Sha512 {
    uint256 private constant WORD = 0xffffffffffffffff;

    bytes private constant K =
        hex"428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc"
        hex"3956c25bf348b53859f111f1b605d019923f82a4af194f9bab1c5ed5da6d8118"
        hex"d807aa98a303024212835b0145706fbe243185be4ee4b28c550c7dc3d5ffb4e2"
        hex"72be5d74f27b896f80deb1fe3b1696b19bdc06a725c71235c19bf174cf692694"
        hex"e49b69c19ef14ad2efbe4786384f25e30fc19dc68b8cd5b5240ca1cc77ac9c65"
        hex"2de92c6f592b02754a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5"
        hex"983e5152ee66dfaba831c66d2db43210b00327c898fb213fbf597fc7beef0ee4"
        hex"c6e00bf33da88fc2d5a79147930aa72506ca6351e003826f142929670a0e6e70"
        hex"27b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed53380d139d95b3df"
        hex"650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353b"
        hex"a2bfe8a14cf10364a81a664bbc423001c24b8b70d0f89791c76c51a30654be30"
        hex"d192e819d6ef5218d69906245565a910f40e35855771202a106aa07032bbd1b8"
        hex"19a4c116b8d2d0c81e376c085141ab532748774cdf8eeb9934b0bcb5e19b48a8"
        hex"391c0cb3c5c95a634ed8aa4ae3418acb5b9cca4f7763e373682e6ff3d6b2b8a3"
        hex"748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec"
        hex"90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915c67178f2e372532b"
        hex"ca273eceea26619cd186b8c721c0c207eada7dd6cde0eb1ef57d4f7fee6ed178"
        hex"06f067aa72176fba0a637dc5a2c898a6113f9804bef90dae1b710b35131c471b"
        hex"28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc431d67c49c100d4c"
        hex"4cc5d4becb3e42b6597f299cfc657e2a5fcb6fab3ad6faec6c44198c4a475817";

    /// The digest of three words, in two halves.
    function hash(bytes32 a, bytes32 b, bytes32 c) internal pure returns (bytes32, bytes32) {
        unchecked {
            uint256[80] memory w;
            for (uint256 i = 0; i < 4; i++) {
                uint256 shift = 192 - 64 * i;
                w[i] = (uint256(a) >> shift) & WORD;
                w[i + 4] = (uint256(b) >> shift) & WORD;
                w[i + 8] = (uint256(c) >> shift) & WORD;
            }
            w[12] = 1 << 63;
            w[15] = 96 * 8;
            for (uint256 i = 16; i < 80; i++) {
                uint256 x = w[i - 15];
                uint256 y = w[i - 2];
                w[i] = (w[i - 16] + (turn(x, 1) ^ turn(x, 8) ^ (x >> 7)) + w[i - 7]
                        + (turn(y, 19) ^ turn(y, 61) ^ (y >> 6))) & WORD;
            }
            return rounds(w);
        }
    }

    function rounds(uint256[80] memory w) private pure returns (bytes32, bytes32) {
        unchecked {
            uint256[8] memory start = [
                uint256(0x6a09e667f3bcc908), 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179
            ];
            uint256[8] memory v;
            for (uint256 i = 0; i < 8; i++) v[i] = start[i];
            bytes memory k = K;
            for (uint256 i = 0; i < 80; i++) {
                uint256 constantOf;
                assembly ("memory-safe") {
                    constantOf := shr(192, mload(add(add(k, 32), shl(3, i))))
                }
                uint256 e = v[4];
                uint256 t1 = v[7] + (turn(e, 14) ^ turn(e, 18) ^ turn(e, 41)) + ((e & v[5]) ^ (~e & WORD & v[6]))
                    + constantOf + w[i];
                uint256 a = v[0];
                uint256 t2 = (turn(a, 28) ^ turn(a, 34) ^ turn(a, 39)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
                v[7] = v[6];
                v[6] = v[5];
                v[5] = e;
                v[4] = (v[3] + t1) & WORD;
                v[3] = v[2];
                v[2] = v[1];
                v[1] = a;
                v[0] = (t1 + t2) & WORD;
            }
            uint256 high;
            uint256 low;
            for (uint256 i = 0; i < 4; i++) {
                high = (high << 64) | ((start[i] + v[i]) & WORD);
                low = (low << 64) | ((start[i + 4] + v[i + 4]) & WORD);
            }
            return (bytes32(high), bytes32(low));
        }
    }

    function turn(uint256 x, uint256 n) private pure returns (uint256) {
        return ((x >> n) | (x << (64 - n))) & WORD;
    }
}
