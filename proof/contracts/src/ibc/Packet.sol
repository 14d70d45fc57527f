// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "../verify/Code.sol";
import {hold} from "../verify/Refusal.sol";
import {Height} from "./ILightClient.sol";

/// What one application says to another. The shapes of this file are those of solidity-ibc-eureka's ABI, so that its
/// relayers and ours read both routers.
struct Payload {
    string sourcePort;
    string destPort;
    string version;
    string encoding;
    bytes value;
}

/// A packet of IBC v2; its timeout is in seconds.
struct Packet {
    uint64 sequence;
    string sourceClient;
    string destClient;
    uint64 timeoutTimestamp;
    Payload[] payloads;
}

struct MsgSendPacket {
    string sourceClient;
    uint64 timeoutTimestamp;
    Payload payload;
}

struct MsgRecvPacket {
    Packet packet;
    bytes proofCommitment;
    Height proofHeight;
}

struct MsgAckPacket {
    Packet packet;
    bytes acknowledgement;
    bytes proofAcked;
    Height proofHeight;
}

struct MsgTimeoutPacket {
    Packet packet;
    bytes proofTimeout;
    Height proofHeight;
}

/// Commitments and paths. Source: ICS-04 and ICS-24 of IBC v2; `docs/byte-layout.md`, section 14.
library Packets {
    /// SHA-256 of `UNIVERSAL_ERROR_ACKNOWLEDGEMENT`.
    bytes32 internal constant UNIVERSAL_ERROR = 0x4774d4a575993f963b1c06573736617a457abef8589178db8d10c94b4ab511ab;

    uint8 internal constant COMMITMENT = 1;
    uint8 internal constant RECEIPT = 2;
    uint8 internal constant ACKNOWLEDGEMENT = 3;

    function path(string calldata client, uint8 kind, uint64 sequence) internal pure returns (bytes memory) {
        return abi.encodePacked(client, kind, sequence);
    }

    /// The Keccak hash of a path: where its commitment stands.
    function slot(string calldata client, uint8 kind, uint64 sequence) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, client.offset, client.length)
            let end := add(buffer, client.length)
            mstore8(end, kind)
            mstore(add(end, 1), shl(192, sequence))
            hash := keccak256(buffer, add(client.length, 9))
        }
    }

    /// SHA-256 of bytes of the call.
    function sha256Of(bytes calldata data) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, data.offset, data.length)
            // The precompile fails only without gas, and then so does the call.
            if iszero(staticcall(gas(), 2, buffer, data.length, 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
    }

    /// The commitment of a packet with one payload; `client` is SHA-256 of the destination client. It checks that every
    /// field of the payload is inside the call.
    function commitment(bytes32 client, uint64 timeout, Payload calldata p) internal view returns (bytes32 hash) {
        bool inside;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let done := 1
            inside := 1
            // Source port, destination port, version, encoding, value: a payload has no other field.
            for { let i := 0 } lt(i, 160) { i := add(i, 32) } {
                let start := calldataload(add(p, i))
                // A place far outside is no place: sums of such numbers do not wrap.
                inside := and(inside, lt(start, calldatasize()))
                start := add(p, start)
                let length := calldataload(start)
                start := add(start, 32)
                inside := and(inside, iszero(gt(length, calldatasize())))
                inside := and(inside, iszero(gt(add(start, length), calldatasize())))
                if iszero(inside) { break }
                // Each hash has its place, and what is behind it is written over by the next.
                let to := add(buffer, i)
                calldatacopy(to, start, length)
                done := and(staticcall(gas(), 2, to, length, to, 32), done)
            }
            // The payload, then the list of payloads, then the time.
            done := and(staticcall(gas(), 2, buffer, 160, 0, 32), done)
            done := and(staticcall(gas(), 2, 0, 32, add(buffer, 65), 32), done)
            mstore(0, shl(192, timeout))
            done := and(staticcall(gas(), 2, 0, 8, add(buffer, 33), 32), done)
            mstore8(buffer, 2)
            mstore(add(buffer, 1), client)
            done := and(staticcall(gas(), 2, buffer, 97, 0, 32), done)
            if iszero(done) { revert(0, 0) }
            hash := mload(0)
        }
        hold(inside, Code.Truncated);
    }

    /// The commitment of one acknowledgement.
    function acknowledged(bytes memory acknowledgement) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore8(0, 2)
            let done := staticcall(gas(), 2, add(acknowledgement, 32), mload(acknowledgement), 1, 32)
            done := and(staticcall(gas(), 2, 0, 33, 0, 32), done)
            if iszero(done) { revert(0, 0) }
            hash := mload(0)
        }
    }

    /// Whether these bytes are the error acknowledgement.
    function isError(bytes memory acknowledgement) internal pure returns (bool) {
        return acknowledgement.length == 32 && bytes32(acknowledgement) == UNIVERSAL_ERROR;
    }
}
