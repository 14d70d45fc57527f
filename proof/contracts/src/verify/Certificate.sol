// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bls} from "./Bls.sol";
import {Code} from "./Code.sol";
import {Header} from "./Header.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";

/// The committee's certificate; its signature stays where it was read.
struct Certificate {
    uint64 epoch;
    uint64 view_;
    uint64 parentView;
    uint256 signatureAt;
}

/// Source: `docs/byte-layout.md`, section 5.
library Certificates {
    bytes private constant NAMESPACE = "zeugma.finalize.1";
    bytes private constant SUFFIX = "_FINALIZE";

    /// Reads a certificate into the place that its proof has for it.
    function read(Reader memory r, Certificate memory c) internal pure {
        c.signatureAt = Reading.take(r, 3 * 8 + 48) + 3 * 8;
        uint256 numbers = Reading.load(c.signatureAt - 3 * 8);
        c.epoch = uint64(numbers >> 192);
        c.view_ = uint64(numbers >> 128);
        c.parentView = uint64(numbers >> 64);
    }

    /// The group of `key` signed this header; the point of the signature is the first of the reader's points.
    function check(Certificate memory c, Header memory h, bytes memory key, Reader memory r) internal view {
        hold(c.epoch == h.epoch, Code.WrongEpoch);
        bytes memory message = signed(c, h.network, h.digest);
        hold(Bls.verifies(key, message, c.signatureAt, r.points, r.pointsEnd), Code.BadSignature);
    }

    /// What the group signs.
    function signed(Certificate memory c, bytes32 network, bytes32 digest) internal pure returns (bytes memory out) {
        // Room for three numbers of at most ten bytes, and the digest.
        out = bytes.concat(
            bytes1(uint8(NAMESPACE.length + 32 + SUFFIX.length)), NAMESPACE, network, SUFFIX, new bytes(3 * 10 + 32)
        );
        uint256 end;
        assembly ("memory-safe") {
            end := sub(add(add(out, 32), mload(out)), 62)
        }
        end = varint(varint(varint(end, c.epoch), c.view_), c.parentView);
        assembly ("memory-safe") {
            mstore(end, digest)
            mstore(out, sub(end, out))
        }
    }

    /// Writes unsigned LEB128 in its shortest form, and gives its end.
    function varint(uint256 end, uint256 x) private pure returns (uint256) {
        assembly ("memory-safe") {
            for {} gt(x, 0x7f) { x := shr(7, x) } {
                mstore8(end, or(and(x, 0x7f), 0x80))
                end := add(end, 1)
            }
            mstore8(end, x)
            end := add(end, 1)
        }
        return end;
    }
}
