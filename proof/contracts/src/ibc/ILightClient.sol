// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// A height of the counterparty. Networks without revisions have revision 0.
struct Height {
    uint64 revisionNumber;
    uint64 revisionHeight;
}

/// A value stands under a path.
struct MsgVerifyMembership {
    bytes proof;
    Height proofHeight;
    bytes[] path;
    bytes value;
}

/// Nothing stands under a path.
struct MsgVerifyNonMembership {
    bytes proof;
    Height proofHeight;
    bytes[] path;
}

/// What an update did.
enum UpdateResult {
    Update,
    Misbehaviour,
    NoOp
}

/// A light client as IBC v2 routers on EVM chains call it: the shape that solidity-ibc-eureka gave it, so that a
/// client of this network serves its router, and its clients serve ours.
interface ILightClient {
    /// Moves the client by a header.
    function updateClient(bytes calldata updateMsg) external returns (UpdateResult);

    /// Proves that a value stands under a path, and gives the counterparty's time in seconds.
    function verifyMembership(MsgVerifyMembership calldata msg_) external returns (uint256);

    /// Proves that nothing stands, and never will, under a path, and gives the counterparty's time in seconds.
    function verifyNonMembership(MsgVerifyNonMembership calldata msg_) external returns (uint256);

    /// Freezes the client on evidence that its counterparty contradicted itself.
    function misbehaviour(bytes calldata misbehaviourMsg) external;

    /// Puts other roots of trust into the client, by the rules that it was made with.
    function upgradeClient(bytes calldata upgradeMsg) external;

    /// What the client holds.
    function getClientState() external view returns (bytes memory);
}
