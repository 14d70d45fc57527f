// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// The few commands of forge that the tests use.
interface Vm {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function lastCallGas() external view returns (Gas memory);
    function envOr(string calldata name, bool otherwise) external view returns (bool);
    function ffi(string[] calldata command) external returns (bytes memory);
    function warp(uint256 time) external;
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function expectRevert(bytes4 selector) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function writeFile(string calldata path, string calldata data) external;
    function readFile(string calldata path) external view returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
}

/// What every test has.
abstract contract Test {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    error Failed(string what);
    error NotEqual(string what, uint256 expected, uint256 found);

    function yes(bool claim, string memory what) internal pure {
        if (!claim) revert Failed(what);
    }

    function equal(uint256 found, uint256 expected, string memory what) internal pure {
        if (found != expected) revert NotEqual(what, expected, found);
    }

    /// Runs a tool of this folder and gives what it prints.
    function tool(string memory name, string memory argument) internal returns (bytes memory) {
        string[] memory command = new string[](3);
        (command[0], command[1], command[2]) = ("node", string.concat("tools/", name), argument);
        return vm.ffi(command);
    }

    /// The code with which a call ended: 0 where it went through.
    function codeOf(bool done, bytes memory out) internal pure returns (uint256) {
        if (done) return 0;
        if (out.length != 36 || bytes4(out) != bytes4(keccak256("Refused(uint16)"))) return type(uint256).max;
        uint256 code;
        assembly ("memory-safe") {
            code := mload(add(out, 36))
        }
        return code;
    }
}
