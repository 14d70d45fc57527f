// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";
import {Sm3} from "./Sm3.sol";

/// Hash suites and framed hashes. Source: `docs/byte-layout.md`, sections 1 and 2.
library Digest {
    uint8 internal constant SHA256 = 1;
    uint8 internal constant SM3 = 2;

    // One byte of length, then the domain of the purpose.
    bytes internal constant HEADER = "\x0fzeugma.header.1";
    bytes internal constant SEAL = "\x0dzeugma.seal.1";
    bytes internal constant HANDOVER = "\x11zeugma.handover.1";
    bytes internal constant STANDING = "\x11zeugma.standing.1";
    bytes internal constant CLOSED = "\x0fzeugma.closed.1";
    bytes internal constant RETRACTION = "\x13zeugma.retraction.1";
    bytes internal constant ANCHOR = "\x0fzeugma.anchor.1";
    bytes internal constant SPLIT_VIEW = "\x13zeugma.split-view.1";
    bytes internal constant CLIENT_EVENT = "\x15zeugma.client-event.1";
    bytes internal constant REGISTRY = "\x11zeugma.registry.1";
    bytes internal constant TRUST_FILE = "\x13zeugma.trust-file.1";
    bytes internal constant SUBSTITUTE = "\x13zeugma.substitute.1";

    /// The number of a hash suite.
    function suite(Reader memory r) internal pure returns (uint8 number) {
        number = Reading.u8(r);
        hold(number == SHA256 || number == SM3, Code.UnknownTag);
    }

    function hash(uint8 by, bytes memory data) internal pure returns (bytes32) {
        return by == SHA256 ? sha256(data) : Sm3.hash(data);
    }

    /// `H(frame ‖ length bytes of data)`.
    function framed(uint8 by, bytes memory frame, bytes memory data, uint256 start, uint256 length)
        internal
        pure
        returns (bytes32)
    {
        return hash(by, joined(frame, data, start, length));
    }

    function joined(bytes memory front, bytes memory data, uint256 start, uint256 length)
        internal
        pure
        returns (bytes memory out)
    {
        out = new bytes(front.length + length);
        assembly ("memory-safe") {
            let to := add(out, 32)
            mcopy(to, add(front, 32), mload(front))
            mcopy(add(to, mload(front)), add(add(data, 32), start), length)
        }
    }
}
