// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "../verify/Code.sol";
import {Reading} from "../verify/Reader.sol";
import {hold} from "../verify/Refusal.sol";

/// Packet data of ICS-20, version `ics20-1`, in the encoding `application/x-solidity-abi`.
struct FungibleTokenPacketData {
    string denom;
    string sender;
    string receiver;
    uint256 amount;
    string memo;
}

/// Packet data as a payload has it: its fields are read where they stand in the call, once all of them are known to be
/// inside it.
library PacketData {
    /// The struct in a payload. The encoding of one dynamic value begins with where it stands.
    function over(bytes calldata value) internal pure returns (bytes calldata data) {
        hold(value.length >= 32, Code.Truncated);
        uint256 start = Reading.load(Reading.startOf(value));
        hold(start <= value.length, Code.Truncated);
        unchecked {
            data = Reading.slice(Reading.startOf(value) + start, value.length - start);
        }
        hold(data.length >= 160, Code.Truncated);
        // All of it must be there: also what only the other side reads.
        hold(isInside(data, 0) && isInside(data, 32) && isInside(data, 64) && isInside(data, 128), Code.Truncated);
    }

    function denom(bytes calldata data) internal pure returns (string calldata) {
        return field(data, 0);
    }

    function sender(bytes calldata data) internal pure returns (string calldata) {
        return field(data, 32);
    }

    function receiver(bytes calldata data) internal pure returns (string calldata) {
        return field(data, 64);
    }

    function amount(bytes calldata data) internal pure returns (uint256) {
        unchecked {
            return Reading.load(Reading.startOf(data) + 96);
        }
    }

    function memo(bytes calldata data) internal pure returns (string calldata) {
        return field(data, 128);
    }

    /// Whether the text of a field is inside the data.
    function isInside(bytes calldata data, uint256 place) private pure returns (bool inside) {
        assembly ("memory-safe") {
            // There are 160 bytes, so no difference is below zero.
            let start := calldataload(add(data.offset, place))
            inside := iszero(gt(start, sub(data.length, 32)))
            if inside {
                inside := iszero(gt(calldataload(add(data.offset, start)), sub(sub(data.length, 32), start)))
            }
        }
    }

    /// The text of a field.
    function field(bytes calldata data, uint256 place) private pure returns (string calldata out) {
        assembly ("memory-safe") {
            let start := add(data.offset, calldataload(add(data.offset, place)))
            out.offset := add(start, 32)
            out.length := calldataload(start)
        }
    }
}
