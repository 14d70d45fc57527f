// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Ed25519} from "./Ed25519.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";

/// Institutions that sign together, and how many of them must.
struct InstitutionSet {
    uint16 threshold;
    bytes32[] keys;
}

/// Which institutions signed, ascending, and their signatures.
struct SignatureList {
    uint16[] signers;
    bytes32[2][] signatures;
}

/// Source: `docs/byte-layout.md`, section 6.
library Institutions {
    uint256 internal constant MAX = 64;
    uint256 private constant MAX_NAME = 64;

    function read(Reader memory r) internal pure returns (InstitutionSet memory set) {
        set.threshold = Reading.u16(r);
        uint256 n = Reading.count(r, MAX);
        set.keys = new bytes32[](n);
        for (uint256 i = 0; i < n; i++) {
            Reading.text(r, MAX_NAME);
            set.keys[i] = Reading.word(r);
        }
        for (uint256 i = 0; i < n; i++) {
            for (uint256 j = 0; j < i; j++) {
                hold(set.keys[i] != set.keys[j], Code.RepeatedMember);
            }
        }
        hold(n != 0, Code.EmptySet);
        hold(set.threshold != 0 && set.threshold <= n, Code.OutOfRange);
    }

    /// Enough of the institutions signed `digest`.
    function check(InstitutionSet memory set, SignatureList memory list, bytes32 digest) internal view {
        uint256 n = list.signers.length;
        for (uint256 i = 0; i < n; i++) {
            uint256 signer = list.signers[i];
            hold(signer < set.keys.length, Code.UnknownSigner);
            // The list ascends, so nobody is counted twice.
            Ed25519.check(set.keys[signer], digest, list.signatures[i][0], list.signatures[i][1]);
        }
        hold(n >= set.threshold, Code.QuorumNotReached);
    }
}

/// Source: `docs/byte-layout.md`, section 6.
library Signatures {
    function read(Reader memory r) internal pure returns (SignatureList memory list) {
        uint256 n = Reading.count(r, Institutions.MAX);
        list.signers = new uint16[](n);
        list.signatures = new bytes32[2][](n);
        bool sorted = true;
        for (uint256 i = 0; i < n; i++) {
            list.signers[i] = Reading.u16(r);
            list.signatures[i] = [Reading.word(r), Reading.word(r)];
            if (i != 0 && list.signers[i] <= list.signers[i - 1]) sorted = false;
        }
        hold(sorted, Code.NotSorted);
    }
}
