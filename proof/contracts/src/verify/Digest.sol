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

    /// `H(frame ‖ length bytes of the call)`.
    function framed(uint8 by, bytes memory frame, uint256 start, uint256 length) internal view returns (bytes32 hash) {
        if (by != SHA256) return Sm3.hash(bytes.concat(frame, Reading.slice(start, length)));
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let front := mload(frame)
            mcopy(buffer, add(frame, 32), front)
            calldatacopy(add(buffer, front), start, length)
            // The precompile of SHA-256 fails only without gas, and then so does the call.
            if iszero(staticcall(gas(), 2, buffer, add(front, length), 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
    }
}
