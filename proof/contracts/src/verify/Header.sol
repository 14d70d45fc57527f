// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Digest} from "./Digest.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";

/// The outbox after a block: how many leaves, and the root under each hash suite.
struct Outbox {
    uint64 size;
    bytes32 sha256Root;
    bool hasSm3;
    bytes32 sm3Root;
}

/// What of a block's header is relied upon; the digest binds the rest.
struct Header {
    bytes32 network;
    uint64 era;
    uint64 epoch;
    uint64 height;
    uint64 time;
    bytes32 digest;
    Outbox outbox;
}

/// Source: `docs/byte-layout.md`, section 5.
library Headers {
    uint256 private constant MAX_ROOTS = 4;
    /// View, parent view, leader, parent, body, state root, state begin and end.
    uint256 private constant UNREAD = 8 + 8 + 32 + 32 + 32 + 32 + 8 + 8;

    /// Reads a header into the place that its proof has for it.
    function read(Reader memory r, Header memory h) internal view {
        uint256 start = Reading.take(r, 2);
        hold(Reading.load(start) >> 240 == 1, Code.UnknownTag);
        uint256 next = Reading.take(r, 32 + 4 * 8 + UNREAD);
        h.network = bytes32(Reading.load(next));
        uint256 numbers = Reading.load(next + 32);
        h.era = uint64(numbers >> 192);
        h.epoch = uint64(numbers >> 128);
        h.height = uint64(numbers >> 64);
        h.time = uint64(numbers);
        fillOutbox(r, h.outbox);
        h.digest = Digest.framed(Digest.SHA256, Digest.HEADER, start, r.pos - start);
    }

    function readOutbox(Reader memory r) internal pure returns (Outbox memory outbox) {
        fillOutbox(r, outbox);
    }

    /// Roots ascend by suite and begin with SHA-256: checked when all of them were read.
    function fillOutbox(Reader memory r, Outbox memory outbox) private pure {
        outbox.size = Reading.u64(r);
        uint256 n = Reading.count(r, MAX_ROOTS);
        uint8 first;
        uint8 before;
        bool sorted = true;
        for (uint256 i = 0; i < n; i++) {
            uint8 suite = Digest.suite(r);
            bytes32 found = Reading.word(r);
            if (i == 0) first = suite;
            else if (suite <= before) sorted = false;
            before = suite;
            if (suite == Digest.SHA256) outbox.sha256Root = found;
            else (outbox.hasSm3, outbox.sm3Root) = (true, found);
        }
        hold(sorted, Code.NotSorted);
        hold(first == Digest.SHA256, Code.NoSuchRoot);
    }

    /// The root under a suite.
    function root(Outbox memory outbox, uint8 suite) internal pure returns (bytes32) {
        if (suite == Digest.SHA256) return outbox.sha256Root;
        hold(outbox.hasSm3, Code.NoSuchRoot);
        return outbox.sm3Root;
    }
}
