// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Committee, Committees} from "./Committee.sol";
import {Digest} from "./Digest.sol";
import {Headers, Outbox} from "./Header.sol";
import {Leaf, Leaves} from "./Leaf.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold, refuse} from "./Refusal.sol";

/// The hand-over from one era to the next.
struct Handover {
    uint64 era;
    Committee committee;
    uint64 height;
    Outbox outbox;
}

/// What leaves commit to. Source: `docs/byte-layout.md`, section 3.
library Bodies {
    /// Decodes an opening as the hand-over that a leaf of that namespace commits to, and holds it against the leaf.
    function handover(Leaf memory leaf, bytes calldata opening, bytes calldata points)
        internal
        view
        returns (Handover memory h)
    {
        Reader memory r = Reading.over(opening, points);
        h = readHandover(r);
        Reading.finish(r);
        agree(leaf, Leaves.HANDOVER, abi.encodePacked(h.era), Digest.HANDOVER, opening);
    }

    /// Decodes an opening as the body of a closed packet, and holds it against the leaf.
    function closed(Leaf memory leaf, bytes calldata opening) internal view {
        Reader memory r = Reading.alone(opening);
        bytes memory path = readClosed(r);
        Reading.finish(r);
        agree(leaf, Leaves.CLOSED, path, Digest.CLOSED, opening);
    }

    /// Decodes an opening as the body of the leaf's namespace, whichever it is, and holds it against the leaf.
    function any(Leaf memory leaf, bytes calldata opening, bytes calldata points) internal view {
        uint16 namespace = leaf.namespace;
        if (namespace == Leaves.IBC) refuse(Code.WrongOpening);
        if (namespace == Leaves.HANDOVER) {
            handover(leaf, opening, points);
            return;
        }
        Reader memory r = Reading.alone(opening);
        bytes memory path;
        bytes memory frame;
        if (namespace == Leaves.STANDING) {
            path = abi.encodePacked(Reading.u64(r));
            Reading.take(r, 8 + 8 + 32);
            frame = Digest.STANDING;
        } else if (namespace == Leaves.CLOSED) {
            path = readClosed(r);
            frame = Digest.CLOSED;
        } else if (namespace == Leaves.RETRACTION) {
            path = abi.encodePacked(Reading.u64(r));
            Reading.take(r, 32);
            client(r);
            Reading.take(r, 8);
            frame = Digest.RETRACTION;
        } else if (namespace == Leaves.ANCHOR) {
            bytes memory origin = named(r, 255);
            path = abi.encodePacked(sha256(origin), Headers.readOutbox(r).size);
            frame = Digest.ANCHOR;
        } else if (namespace == Leaves.SPLIT_VIEW) {
            path = abi.encodePacked(sha256(named(r, 255)));
            Digest.suite(r);
            uint256 views = Reading.take(r, 80);
            hold(Reading.key(views, 40) != Reading.key(views + 40, 40), Code.NoMisbehaviour);
            frame = Digest.SPLIT_VIEW;
        } else if (namespace == Leaves.CLIENT) {
            path = client(r);
            uint8 status = Reading.u8(r);
            hold(status == 1 || status == 2, Code.UnknownTag);
            Reading.take(r, 16);
            frame = Digest.CLIENT_EVENT;
        } else {
            uint8 kind = Reading.u8(r);
            path = abi.encodePacked(kind, named(r, 64));
            if (Reading.some(r)) Reading.take(r, 32);
            Reading.take(r, 8);
            frame = Digest.REGISTRY;
        }
        Reading.finish(r);
        agree(leaf, namespace, path, frame, opening);
    }

    function readHandover(Reader memory r) private view returns (Handover memory h) {
        h.era = Reading.u64(r);
        hold(h.era != 0, Code.OutOfRange);
        h.committee = Committees.read(r);
        h.height = Reading.u64(r);
        h.outbox = Headers.readOutbox(r);
    }

    /// The path of the closing: that of the packet's receipt.
    function readClosed(Reader memory r) private pure returns (bytes memory path) {
        bytes memory id = client(r);
        path = abi.encodePacked(id, uint8(2), Reading.u64(r));
        Reading.take(r, 32 + 8);
    }

    /// The path of a body is the leaf's, and so is its value.
    function agree(Leaf memory leaf, uint16 namespace, bytes memory path, bytes memory frame, bytes calldata body)
        private
        view
    {
        hold(Leaves.isAt(leaf, namespace, path), Code.WrongPath);
        hold(Digest.framed(leaf.format, frame, Reading.startOf(body), body.length) == leaf.value, Code.WrongOpening);
    }

    /// A text that is not empty.
    function named(Reader memory r, uint256 max) private pure returns (bytes memory) {
        (uint256 start, uint256 length) = Reading.text(r, max);
        hold(length != 0, Code.Empty);
        return Reading.slice(start, length);
    }

    /// A client identifier: 4 to 64 of the characters of ICS-24.
    function client(Reader memory r) private pure returns (bytes memory id) {
        (uint256 start, uint256 length) = Reading.text(r, 64);
        id = Reading.slice(start, length);
        hold(length >= 4 && isIdentifier(id), Code.BadIdentifier);
    }

    // Of the ASCII characters, those of ICS-24 identifiers: a-z A-Z 0-9 . _ + - # [ ] < >
    uint256 private constant IDENTIFIER =
        (((1 << 26) - 1) << 97) | (((1 << 26) - 1) << 65) | (((1 << 10) - 1) << 48) | (1 << 0x2e) | (1 << 0x5f)
            | (1 << 0x2b) | (1 << 0x2d) | (1 << 0x23) | (1 << 0x5b) | (1 << 0x5d) | (1 << 0x3c) | (1 << 0x3e);

    function isIdentifier(bytes memory id) internal pure returns (bool) {
        for (uint256 i = 0; i < id.length; i++) {
            if (((IDENTIFIER >> uint8(id[i])) & 1) == 0) return false;
        }
        return true;
    }
}
