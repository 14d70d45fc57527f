// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Certificate, Certificates} from "./Certificate.sol";
import {Code} from "./Code.sol";
import {Digest} from "./Digest.sol";
import {Header, Headers} from "./Header.sol";
import {Leaf, Leaves} from "./Leaf.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";
import {Seal, Seals} from "./Seal.sol";

/// The front of a proof file: a header and what bound it to its era.
struct Front {
    Header header;
    bool isSealed;
    Certificate certificate;
    Seal seal;
}

/// The rest of a proof file: a leaf and where it stands. Lists and the opening stay where they were read.
struct Rest {
    Leaf leaf;
    uint8 suite;
    uint64 index;
    uint256 pathAt;
    uint256 pathCount;
    bool opened;
    uint256 openingAt;
    uint256 openingLength;
    bool hasConsistency;
    uint256 consistencyAt;
    uint256 consistencyCount;
}

/// Source: `docs/byte-layout.md`, section 7.
library Proofs {
    uint256 internal constant MAX = 1024 * 1024;
    uint256 private constant MAX_INCLUSION = 64;
    uint256 private constant MAX_CONSISTENCY = 128;
    uint256 private constant MAX_OPENING = 512 * 1024;

    function readFront(Reader memory r, Front memory f) internal view {
        hold(Reading.number(r, 8) == uint64(bytes8("ZGPROOF1")), Code.BadMagic);
        Headers.read(r, f.header);
        uint8 kind = Reading.u8(r);
        hold(kind == 1 || kind == 2, Code.UnknownTag);
        f.isSealed = kind == 2;
        if (f.isSealed) f.seal = Seals.read(r);
        else Certificates.read(r, f.certificate);
    }

    function readRest(Reader memory r, Rest memory rest) internal pure {
        Leaves.read(r, rest.leaf);
        rest.suite = Digest.suite(r);
        rest.index = Reading.u64(r);
        (rest.pathAt, rest.pathCount) = Reading.hashes(r, MAX_INCLUSION);
        rest.opened = Reading.some(r);
        if (rest.opened) (rest.openingAt, rest.openingLength) = Reading.span(r, MAX_OPENING);
        rest.hasConsistency = Reading.some(r);
        if (rest.hasConsistency) (rest.consistencyAt, rest.consistencyCount) = Reading.hashes(r, MAX_CONSISTENCY);
        Reading.finish(r);
    }

    /// The inclusion path.
    function path(Rest memory rest) internal pure returns (bytes32[] calldata) {
        return Reading.list(rest.pathAt, rest.pathCount);
    }

    /// The opening; empty where there is none.
    function opening(Rest memory rest) internal pure returns (bytes calldata) {
        return Reading.slice(rest.openingAt, rest.openingLength);
    }

    /// The consistency path.
    function consistency(Rest memory rest) internal pure returns (bytes32[] calldata) {
        return Reading.list(rest.consistencyAt, rest.consistencyCount);
    }
}
