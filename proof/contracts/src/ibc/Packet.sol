// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

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

    function path(string memory client, uint8 kind, uint64 sequence) internal pure returns (bytes memory) {
        return abi.encodePacked(client, kind, sequence);
    }

    /// The commitment of a packet with one payload.
    function commitment(string memory destClient, uint64 timeout, Payload calldata p) internal pure returns (bytes32) {
        bytes32 payload = sha256(
            abi.encodePacked(
                sha256(bytes(p.sourcePort)),
                sha256(bytes(p.destPort)),
                sha256(bytes(p.version)),
                sha256(bytes(p.encoding)),
                sha256(p.value)
            )
        );
        return sha256(
            abi.encodePacked(
                uint8(2),
                sha256(bytes(destClient)),
                sha256(abi.encodePacked(timeout)),
                sha256(abi.encodePacked(payload))
            )
        );
    }

    /// The commitment of one acknowledgement.
    function acknowledged(bytes memory acknowledgement) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(2), sha256(acknowledgement)));
    }

    /// Whether these bytes are the error acknowledgement.
    function isError(bytes memory acknowledgement) internal pure returns (bool) {
        return acknowledgement.length == 32 && bytes32(acknowledgement) == UNIVERSAL_ERROR;
    }
}
