// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Committee, Committees} from "./Committee.sol";
import {Digest} from "./Digest.sol";
import {Header} from "./Header.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";

/// Signatures of members; they stay where they were read.
struct Seal {
    uint8 suite;
    uint256 count;
    uint256 pos;
}

/// The second seal. Of its suites, secp256k1 is checked; SM2 and ML-DSA-44 are answered with `UnsupportedSuite`, as
/// `docs/byte-layout.md`, section 5, lets a verifier that does not have them.
library Seals {
    uint8 internal constant SECP256K1 = 1;

    uint256 private constant P = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    function read(Reader memory r) internal pure returns (Seal memory s) {
        s.suite = Reading.u8(r);
        uint256 length = signatureLength(s.suite);
        s.count = Reading.count(r, Committees.MAX_MEMBERS);
        s.pos = r.pos;
        uint256 before;
        bool sorted = true;
        for (uint256 i = 0; i < s.count; i++) {
            uint256 member = Reading.u16(r);
            Reading.take(r, length);
            if (i != 0 && member <= before) sorted = false;
            before = member;
        }
        hold(s.count != 0, Code.Empty);
        hold(sorted, Code.NotSorted);
    }

    /// A quorum of the committee sealed this header.
    function check(Seal memory s, Header memory h, Committee memory c) internal view {
        hold(s.suite == SECP256K1, Code.UnsupportedSuite);
        bytes32 digest = sha256(abi.encodePacked(Digest.SEAL, h.network, h.era, h.digest));
        // They were all there when the file was read.
        Reader memory r = Reader({pos: s.pos, end: type(uint256).max, points: 0, pointsEnd: 0});
        for (uint256 i = 0; i < s.count; i++) {
            uint256 member = Reading.u16(r);
            hold(member < c.sealKeys.length, Code.UnknownSigner);
            (bool isKey, address signer) = account(c.sealKeys[member]);
            hold(isKey, Code.BadKey);
            bytes32 first = Reading.word(r);
            bytes32 second = Reading.word(r);
            uint8 v = Reading.u8(r);
            hold(v <= 1 && uint256(second) <= HALF_ORDER, Code.BadSignature);
            address found = ecrecover(digest, v + 27, first, second);
            hold(found != address(0) && found == signer, Code.BadSignature);
        }
        uint256 n = c.sealKeys.length;
        hold(3 * (n - s.count) <= n - 1, Code.QuorumNotReached);
    }

    function signatureLength(uint8 suite) private pure returns (uint256) {
        if (suite == 1) return 65;
        if (suite == 2) return 64;
        hold(suite == 3, Code.UnknownTag);
        return 2420;
    }

    /// The account of a compressed key, or none.
    function account(bytes memory key) private view returns (bool, address) {
        if (key.length != 33 || (key[0] != 0x02 && key[0] != 0x03)) return (false, address(0));
        uint256 x;
        assembly ("memory-safe") {
            x := mload(add(key, 33))
        }
        if (x >= P) return (false, address(0));
        uint256 square = addmod(mulmod(x, mulmod(x, x, P), P), 7, P);
        // p is 3 modulo 4, so the root is a power.
        bytes memory input = abi.encode(uint256(32), uint256(32), uint256(32), square, (P + 1) / 4, P);
        (, bytes memory out) = address(5).staticcall(input);
        uint256 y = uint256(bytes32(out));
        if (mulmod(y, y, P) != square) return (false, address(0));
        if (y & 1 != uint8(key[0]) & 1) y = P - y;
        return (true, address(uint160(uint256(keccak256(abi.encode(x, y))))));
    }
}
