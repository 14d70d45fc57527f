// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Payload} from "./Packet.sol";

struct OnRecvPacketCallback {
    string sourceClient;
    string destinationClient;
    uint64 sequence;
    Payload payload;
    address relayer;
}

struct OnAcknowledgementPacketCallback {
    string sourceClient;
    string destinationClient;
    uint64 sequence;
    Payload payload;
    bytes acknowledgement;
    address relayer;
}

struct OnTimeoutPacketCallback {
    string sourceClient;
    string destinationClient;
    uint64 sequence;
    Payload payload;
    address relayer;
}

/// The application cannot take the packet at this moment: nothing is written, and it may be delivered again. Any other
/// failure of a receive is the packet's own, and becomes its error acknowledgement.
error NotNow();

/// An application behind a port, in the shape of solidity-ibc-eureka.
interface IApp {
    /// A packet came; gives the acknowledgement, which is not empty.
    function onRecvPacket(OnRecvPacketCallback calldata msg_) external returns (bytes memory);

    /// A packet of ours was acknowledged.
    function onAcknowledgementPacket(OnAcknowledgementPacketCallback calldata msg_) external;

    /// A packet of ours was closed on the other side, and can never be received.
    function onTimeoutPacket(OnTimeoutPacketCallback calldata msg_) external;
}
