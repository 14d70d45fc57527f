// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bls} from "./Bls.sol";
import {Code} from "./Code.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";

/// The group key as the precompile reads it, and for each member its compressed secp256k1 key of second seals
/// (empty where it has none). Names, roles and keys of other suites are checked and not kept.
struct Committee {
    bytes key;
    bytes[] sealKeys;
}

/// Source: `docs/byte-layout.md`, section 6.
library Committees {
    uint256 internal constant MAX_MEMBERS = 128;
    uint256 private constant MAX_TEXT = 64;
    uint256 private constant SUITES = 3;

    function read(Reader memory r) internal view returns (Committee memory c) {
        uint256 pos = Reading.take(r, 96);
        bool isPoint;
        (isPoint, c.key) = Bls.parseKey(pos, r.points, r.pointsEnd);
        hold(isPoint, Code.BadKey);
        uint8 origin = Reading.u8(r);
        hold(origin == 1 || origin == 2, Code.UnknownTag);
        if (origin == 1) Reading.take(r, 32);
        uint256 n = Reading.count(r, MAX_MEMBERS);
        c.sealKeys = new bytes[](n);
        bytes32[] memory engine = new bytes32[](n);
        bytes32[] memory keys = new bytes32[](SUITES * n);
        for (uint256 i = 0; i < n; i++) {
            (engine[i], c.sealKeys[i]) = readMember(r, keys, i * SUITES);
        }
        hold(n != 0, Code.EmptySet);
        for (uint256 i = 1; i < n; i++) {
            hold(engine[i] != engine[i - 1], Code.RepeatedMember);
            hold(engine[i] > engine[i - 1], Code.NotSorted);
        }
        for (uint256 i = 0; i < keys.length; i++) {
            for (uint256 j = i + SUITES; keys[i] != 0 && j < keys.length; j += SUITES) {
                hold(keys[i] != keys[j], Code.RepeatedMember);
            }
        }
    }

    /// `keys` gets the Keccak hashes of the member's seal keys, by suite, from `to` on.
    function readMember(Reader memory r, bytes32[] memory keys, uint256 to)
        private
        pure
        returns (bytes32 engine, bytes memory sealKey)
    {
        Reading.text(r, MAX_TEXT);
        Reading.text(r, MAX_TEXT);
        engine = Reading.word(r);
        uint256 n = Reading.count(r, SUITES);
        uint256 before;
        bool sorted = true;
        for (uint256 i = 0; i < n; i++) {
            uint8 suite = Reading.u8(r);
            uint256 length = keyLength(suite);
            uint256 pos = Reading.take(r, length);
            if (suite <= before) sorted = false;
            before = suite;
            keys[to + suite - 1] = Reading.key(pos, length);
            if (suite == 1) sealKey = Reading.slice(pos, length);
        }
        hold(sorted, Code.NotSorted);
    }

    /// The length of a public key of a seal suite, which is also the check that there is such a suite.
    function keyLength(uint8 suite) private pure returns (uint256) {
        if (suite == 1) return 33;
        if (suite == 2) return 65;
        hold(suite == 3, Code.UnknownTag);
        return 1312;
    }
}
