// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "../verify/Code.sol";
import {hold} from "../verify/Refusal.sol";
import {IApp} from "./IApp.sol";
import {Height, ILightClient, UpdateResult} from "./ILightClient.sol";
import {Packet, Payload} from "./Packet.sol";

/// The router's calls that every packet pays for. Each is encoded here from the bytes of the router's own call, which the
/// compiler would first copy into memory field by field.
///
/// A call with one struct is its selector, the offset of the struct (32), and the struct: a word for each field, which for
/// a byte string is where it stands behind the struct's beginning, and then the byte strings, each behind its length and
/// padded to whole words.
library Calls {
    /// Moves a light client.
    function update(ILightClient client, bytes calldata message) internal returns (UpdateResult) {
        bytes4 selector = ILightClient.updateClient.selector;
        uint256 result;
        bool done;
        assembly ("memory-safe") {
            let call_ := mload(0x40)
            mstore(call_, selector)
            mstore(add(call_, 4), 32)
            mstore(add(call_, 36), message.length)
            calldatacopy(add(call_, 68), message.offset, message.length)
            mstore(add(add(call_, 68), message.length), 0)
            let length := add(68, and(add(message.length, 31), not(31)))
            if iszero(call(gas(), client, 0, call_, length, 0, 32)) {
                returndatacopy(call_, 0, returndatasize())
                revert(call_, returndatasize())
            }
            result := mload(0)
            done := gt(returndatasize(), 31)
        }
        hold(done && result <= uint256(type(UpdateResult).max), Code.Unexpected);
        return UpdateResult(result);
    }

    /// Asks a light client for `verifyMembership`.
    function membership(
        ILightClient client,
        bytes calldata proof,
        Height calldata height,
        bytes[] memory path,
        bytes32 value
    ) internal {
        uint256 call_;
        uint256 next;
        bytes4 selector = ILightClient.verifyMembership.selector;
        assembly ("memory-safe") {
            // Proof, two words of height, path, value.
            call_ := mload(0x40)
            mstore(call_, selector)
            mstore(add(call_, 4), 32)
            mstore(add(call_, 36), 160)
            calldatacopy(add(call_, 68), height, 64)
            next := add(call_, 196)
            mstore(next, proof.length)
            calldatacopy(add(next, 32), proof.offset, proof.length)
            next := add(next, 32)
            mstore(add(next, proof.length), 0)
            next := add(next, and(add(proof.length, 31), not(31)))
            mstore(add(call_, 132), sub(next, add(call_, 36)))
        }
        next = place(next, path);
        bool done;
        assembly ("memory-safe") {
            mstore(add(call_, 164), sub(next, add(call_, 36)))
            mstore(next, 32)
            mstore(add(next, 32), value)
            done := call(gas(), client, 0, call_, sub(add(next, 64), call_), 0, 32)
            if iszero(done) {
                returndatacopy(call_, 0, returndatasize())
                revert(call_, returndatasize())
            }
            // A client answers with the time, or it is none.
            done := gt(returndatasize(), 31)
        }
        hold(done, Code.Unexpected);
    }

    /// Writes a list of byte strings and gives its end.
    function place(uint256 from, bytes[] memory list) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            let n := mload(list)
            mstore(from, n)
            let heads := add(from, 32)
            end := add(heads, shl(5, n))
            for { let i := 0 } lt(i, n) { i := add(i, 1) } {
                mstore(add(heads, shl(5, i)), sub(end, heads))
                let one := mload(add(add(list, 32), shl(5, i)))
                let length := mload(one)
                mcopy(end, one, add(length, 32))
                end := add(end, 32)
                mstore(add(end, length), 0)
                end := add(end, and(add(length, 31), not(31)))
            }
        }
    }

    /// Gives a packet to an application, with this much gas and no less. That all byte strings of packet and payload are
    /// inside the call was checked when they were first read, for the packet's commitment.
    function receive_(IApp app, Packet calldata p, Payload calldata payload, uint256 gas_)
        internal
        returns (bool done, bytes memory out)
    {
        bytes4 selector = IApp.onRecvPacket.selector;
        assembly ("memory-safe") {
            function place(to, from) -> end {
                let length := calldataload(from)
                calldatacopy(to, from, add(length, 32))
                end := add(to, 32)
                mstore(add(end, length), 0)
                end := add(end, and(add(length, 31), not(31)))
            }
            out := mload(0x40)
            mstore(out, selector)
            mstore(add(out, 4), 32)
            // Source client, destination client, sequence, payload, relayer. In the packet the sequence is the first.
            let fields := add(out, 36)
            mstore(fields, 160)
            let end := place(add(fields, 160), add(p, calldataload(add(p, 32))))
            mstore(add(fields, 32), sub(end, fields))
            end := place(end, add(p, calldataload(add(p, 64))))
            mstore(add(fields, 64), calldataload(p))
            mstore(add(fields, 96), sub(end, fields))
            mstore(add(fields, 128), caller())
            fields := end
            end := add(end, 160)
            for { let i := 0 } lt(i, 160) { i := add(i, 32) } {
                mstore(add(fields, i), sub(end, fields))
                end := place(end, add(payload, calldataload(add(payload, i))))
            }
            done := call(gas_, app, 0, out, sub(end, out), 0, 0)
            let length := returndatasize()
            mstore(out, length)
            returndatacopy(add(out, 32), 0, length)
            mstore(0x40, and(add(add(out, length), 63), not(31)))
        }
    }

    /// The byte string that a call returned, in place.
    function returned(bytes memory out) internal pure returns (bytes memory value) {
        bool isOne;
        assembly ("memory-safe") {
            let length := mload(out)
            value := add(out, 64)
            // Where it stands, and its length, which what was returned must cover.
            isOne := and(gt(length, 63), eq(mload(add(out, 32)), 32))
            isOne := and(isOne, iszero(gt(mload(value), sub(length, 64))))
        }
        hold(isOne, Code.WrongAcknowledgement);
    }

    /// Makes a call of this contract in the place of its caller, and gives what it returns.
    function own(bytes calldata call_) internal returns (bytes memory out) {
        assembly ("memory-safe") {
            out := mload(0x40)
            calldatacopy(out, call_.offset, call_.length)
            let done := delegatecall(gas(), address(), out, call_.length, 0, 0)
            let length := returndatasize()
            if iszero(done) {
                returndatacopy(out, 0, length)
                revert(out, length)
            }
            mstore(out, length)
            returndatacopy(add(out, 32), 0, length)
            mstore(0x40, and(add(add(out, length), 63), not(31)))
        }
    }

    /// Ends the call as the inner one ended.
    function bubble(bytes memory reason) internal pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
