// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Height, MsgVerifyMembership} from "../src/ibc/ILightClient.sol";
import {Code} from "../src/verify/Code.sol";
import {Bridge} from "./Bridge.sol";

/// The plain form of a membership proof is judged without being decoded. What it lets through must be what a decoder lets
/// through: nothing but the very bytes.
contract PlainTest is Bridge {
    MsgVerifyMembership private good;

    function setUp() public {
        build();
        for (uint64 i = 0; i < 11; i++) say(1, abi.encodePacked(THEIRS, uint8(1), i), keccak256(abi.encode(i)));
        bytes memory path = abi.encodePacked(THEIRS, uint8(1), uint64(99));
        bytes32 value = keccak256("said");
        (good.proof, good.proofHeight) = prove(1, path, value);
        good.path = bare();
        good.path[0] = path;
        good.value = abi.encode(value);
        equal(verdict(good), 0, "the proof as it is");
    }

    function verdict(MsgVerifyMembership memory m) private returns (uint256) {
        (bool done, bytes memory out) = address(client).call(abi.encodeCall(client.verifyMembership, (m)));
        uint256 code = codeOf(done, out);
        yes(code != type(uint256).max, "every refusal has a code");
        return code;
    }

    function testFuzz_a_proof_with_any_byte_changed_is_refused(uint256 place, uint8 by) public {
        MsgVerifyMembership memory m = good;
        place %= m.proof.length;
        m.proof[place] ^= bytes1(by == 0 ? 1 : by);
        yes(verdict(m) != 0, "a changed byte");
    }

    function testFuzz_a_proof_that_is_cut_or_longer_is_refused(uint256 length, bytes calldata more) public {
        MsgVerifyMembership memory m = good;
        bytes memory whole = m.proof;
        m.proof = part(whole, 0, length % whole.length);
        yes(verdict(m) != 0, "a cut proof");
        m.proof = bytes.concat(whole, more.length == 0 ? bytes(hex"00") : more);
        equal(verdict(m), Code.TrailingBytes, "bytes behind it");
    }

    function testFuzz_another_path_or_value_is_refused(uint256 place, uint8 by, bytes calldata other) public {
        MsgVerifyMembership memory m = good;
        bytes memory path = m.path[0];
        m.path[0] = bytes.concat(path);
        m.path[0][place % path.length] ^= bytes1(by == 0 ? 1 : by);
        equal(verdict(m), Code.WrongPath, "another path");
        m.path[0] = keccak256(other) == keccak256(path) ? bytes("") : bytes(other);
        equal(verdict(m), Code.WrongPath, "any path");
        m.path[0] = path;
        m.value = abi.encode(keccak256(other));
        equal(verdict(m), Code.WrongValue, "another value");
        m.value = keccak256(other) == keccak256(good.value) ? bytes("") : bytes(other);
        equal(verdict(m), Code.WrongValue, "any value");
    }

    /// The leaf's own end could be read as what stands behind it: a path that takes the first bytes of the value.
    function test_the_border_between_path_and_value_does_not_move() public {
        MsgVerifyMembership memory m = good;
        for (uint256 more = 1; more <= 31; more++) {
            bytes memory value = m.value;
            MsgVerifyMembership memory moved = good;
            moved.path[0] = bytes.concat(good.path[0], part(good.value, 0, more));
            moved.value = bytes.concat(part(value, more, 32 - more), new bytes(more));
            yes(verdict(moved) != 0, "a border that moved");
        }
    }

    /// The same leaf under another height, another era's height, or a revision.
    function test_a_height_that_was_not_accepted_is_refused() public {
        MsgVerifyMembership memory m = good;
        m.proofHeight.revisionHeight += 1;
        equal(verdict(m), Code.NoStateAt, "another height");
        m.proofHeight = Height(1, good.proofHeight.revisionHeight);
        equal(verdict(m), Code.NoStateAt, "a revision");
    }
}
