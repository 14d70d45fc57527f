// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {hold} from "./Refusal.sol";
import {Sha512} from "./Sha512.sol";

/// Ed25519 over a digest of 32 bytes, under the strict rule: canonical encodings, no point of small order, the
/// equation without cofactor. For the institutions, whose word is asked for seldom: a signature costs about half a
/// million gas.
///
/// Points are extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. Source: RFC 8032, section 5.1;
/// Hisil and others 2008, unified addition for a = -1.
library Ed25519 {
    uint256 private constant P = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed;
    uint256 private constant D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3;
    uint256 private constant D2 = 0x2406d9dc56dffce7198e80f2eef3d13000e0149a8283b156ebd69b9426b2f159;
    uint256 private constant ROOT_OF_MINUS_ONE = 0x2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0;
    uint256 private constant ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed;
    // 2^256 modulo the order.
    uint256 private constant WRAP = 0xffffffffffffffffffffffffffffffec6ef5bf4737dcf70d6ec31748d98951d;
    uint256 private constant BASE_X = 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a;
    uint256 private constant BASE_Y = 0x6666666666666666666666666666666666666666666666666666666666666658;
    uint256 private constant BASE_T = 0x67875f0fd78b766566ea4e8e64abe37d20f09f80775152f56dde8ab3a5b7dda3;

    /// The signature `(commitment, response)` is that of `key` over `digest`; else `BadKey` or `BadSignature`.
    function check(bytes32 key, bytes32 digest, bytes32 commitment, bytes32 response) internal view {
        (bool isPoint, uint256 x, uint256 y) = decompress(key);
        hold(isPoint, Code.BadKey);
        uint256[4] memory minus = [P - x, y, 1, mulmod(P - x, y, P)];
        hold(!isSmall(minus), Code.BadKey);
        uint256 s = reversed(uint256(response));
        hold(s < ORDER, Code.BadSignature);
        (bytes32 low, bytes32 high) = Sha512.hash(commitment, key, digest);
        uint256 k = addmod(
            reversed(uint256(low)), mulmod(reversed(uint256(high)), WRAP, ORDER), ORDER
        );
        uint256[4] memory found = combine(s, k, minus);
        hold(!isSmall(found) && compress(found) == commitment, Code.BadSignature);
    }

    /// `s` times the base point plus `k` times `q`.
    function combine(uint256 s, uint256 k, uint256[4] memory q) private pure returns (uint256[4] memory sum) {
        uint256[4] memory base = [BASE_X, BASE_Y, uint256(1), BASE_T];
        uint256[4] memory both = [BASE_X, BASE_Y, uint256(1), BASE_T];
        add(both, q);
        sum = [uint256(0), 1, 1, 0];
        unchecked {
            // Both factors are below the order, which has 253 bits.
            for (uint256 bit = 1 << 252; bit != 0; bit >>= 1) {
                double(sum);
                if (s & bit != 0) add(sum, k & bit != 0 ? both : base);
                else if (k & bit != 0) add(sum, q);
            }
        }
    }

    function add(uint256[4] memory a, uint256[4] memory b) private pure {
        unchecked {
            uint256 m = mulmod(a[1] + P - a[0], b[1] + P - b[0], P);
            uint256 n = mulmod(a[1] + a[0], b[1] + b[0], P);
            uint256 c = mulmod(mulmod(a[3], b[3], P), D2, P);
            uint256 d = mulmod(a[2] << 1, b[2], P);
            finish(a, n + P - m, d + P - c, d + c, n + m);
        }
    }

    function double(uint256[4] memory a) private pure {
        unchecked {
            uint256 xx = mulmod(a[0], a[0], P);
            uint256 yy = mulmod(a[1], a[1], P);
            uint256 zz = mulmod(a[2], a[2], P);
            uint256 h = xx + yy;
            uint256 t = a[0] + a[1];
            uint256 e = addmod(h, P - mulmod(t, t, P), P);
            uint256 g = addmod(xx, P - yy, P);
            finish(a, e, addmod(zz << 1, g, P), g, h);
        }
    }

    // The factors are below 2^256 and need not be reduced.
    function finish(uint256[4] memory a, uint256 e, uint256 f, uint256 g, uint256 h) private pure {
        a[0] = mulmod(e, f, P);
        a[1] = mulmod(g, h, P);
        a[2] = mulmod(f, g, P);
        a[3] = mulmod(e, h, P);
    }

    /// Whether eight times the point is the neutral element.
    function isSmall(uint256[4] memory point) private pure returns (bool) {
        uint256[4] memory a = [point[0], point[1], point[2], point[3]];
        double(a);
        double(a);
        double(a);
        return a[0] == 0 && a[1] == a[2];
    }

    /// The point of a canonical encoding, or none.
    function decompress(bytes32 key) private view returns (bool, uint256 x, uint256 y) {
        uint256 number = reversed(uint256(key));
        uint256 sign = number >> 255;
        y = number & ((1 << 255) - 1);
        if (y >= P) return (false, 0, 0);
        uint256 yy = mulmod(y, y, P);
        uint256 square = mulmod(addmod(yy, P - 1, P), power(addmod(mulmod(D, yy, P), 1, P), P - 2), P);
        x = power(square, (P + 3) / 8);
        if (mulmod(x, x, P) != square) x = mulmod(x, ROOT_OF_MINUS_ONE, P);
        if (mulmod(x, x, P) != square) return (false, 0, 0);
        // Zero has one sign only.
        if (x == 0 && sign == 1) return (false, 0, 0);
        if (x & 1 != sign) x = P - x;
        return (true, x, y);
    }

    function compress(uint256[4] memory a) private view returns (bytes32) {
        uint256 inverse = power(a[2], P - 2);
        uint256 x = mulmod(a[0], inverse, P);
        uint256 y = mulmod(a[1], inverse, P);
        return bytes32(reversed(y | ((x & 1) << 255)));
    }

    function power(uint256 base, uint256 exponent) private view returns (uint256) {
        bytes memory input = abi.encode(uint256(32), uint256(32), uint256(32), base, exponent, P);
        (, bytes memory out) = address(5).staticcall(input);
        return uint256(bytes32(out));
    }

    /// The bytes of a word in the other order.
    function reversed(uint256 x) private pure returns (uint256) {
        unchecked {
            uint256 m = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
            x = ((x >> 8) & m) | ((x & m) << 8);
            m = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
            x = ((x >> 16) & m) | ((x & m) << 16);
            m = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
            x = ((x >> 32) & m) | ((x & m) << 32);
            m = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
            x = ((x >> 64) & m) | ((x & m) << 64);
            return (x >> 128) | (x << 128);
        }
    }
}
