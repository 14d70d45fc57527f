// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "../verify/Code.sol";
import {hold} from "../verify/Refusal.sol";

/// A governor whose acts wait in the open, and a guardian who can only stop.
///
/// The governor announces the exact bytes of a call; from `NOTICE` on, and for as long again, it can make that call
/// once. Neither of them is asked anything by the rules that move assets.
abstract contract Governed {
    event Announced(bytes32 indexed act, bytes data, uint64 from);
    event Withdrawn(bytes32 indexed act);
    event GovernorChanged(address governor);
    event GuardianChanged(address guardian);

    /// How long an act of the governor waits, in seconds.
    uint64 public immutable NOTICE;
    address public governor;
    address public guardian;
    /// From when an act may be made, in seconds; 0 for one that was not announced.
    mapping(bytes32 => uint64) public announced;

    constructor(address governor_, address guardian_, uint64 notice) {
        hold(governor_ != address(0) && notice != 0, Code.BadParameters);
        (governor, guardian, NOTICE) = (governor_, guardian_, notice);
    }

    modifier afterNotice() {
        bytes32 act = keccak256(msg.data);
        uint256 from = announced[act];
        hold(msg.sender == governor && from != 0, Code.NotAllowed);
        hold(block.timestamp >= from, Code.TooEarly);
        hold(block.timestamp < from + NOTICE, Code.ProposalLapsed);
        delete announced[act];
        _;
    }

    modifier onlyGuardian() {
        hold(msg.sender == guardian, Code.NotAllowed);
        _;
    }

    /// Announces a call of the governor: its selector and arguments.
    function announce(bytes calldata data) external {
        hold(msg.sender == governor, Code.NotAllowed);
        bytes32 act = keccak256(data);
        announced[act] = uint64(block.timestamp) + NOTICE;
        emit Announced(act, data, announced[act]);
    }

    /// Takes an announcement back.
    function withdraw(bytes32 act) external {
        hold(msg.sender == governor || msg.sender == guardian, Code.NotAllowed);
        delete announced[act];
        emit Withdrawn(act);
    }

    function setGovernor(address next) external afterNotice {
        hold(next != address(0), Code.BadParameters);
        governor = next;
        emit GovernorChanged(next);
    }

    function setGuardian(address next) external afterNotice {
        guardian = next;
        emit GuardianChanged(next);
    }
}
