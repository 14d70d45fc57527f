// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ProofVerifier} from "../src/ProofVerifier.sol";
import {Code} from "../src/verify/Code.sol";
import {Test} from "./Test.sol";

/// The shared vectors: every verdict and every code is that of the other verifiers.
contract VectorsTest is Test {
    struct Case {
        string name;
        bytes call;
        uint256 code;
    }

    ProofVerifier internal verifier;

    function setUp() public {
        verifier = new ProofVerifier();
    }

    function test_golden_proofs_are_proven() public {
        run("../../tests/vectors/proof/golden.json", 19, 2);
    }

    function test_negative_proofs_are_refused_with_their_codes() public {
        run("../../tests/vectors/proof/negative.json", 50, 4);
    }

    function test_of_two_defects_the_first_in_order_is_named() public {
        run("../../tests/vectors/proof/order.json", 119, 0);
    }

    /// Runs all cases of a file: `atLeast` so many, `uncovered` of them in a seal suite that is not checked here.
    function run(string memory file, uint256 atLeast, uint256 uncovered) internal {
        Case[] memory cases = abi.decode(tool("cases.mjs", file), (Case[]));
        yes(cases.length >= atLeast, "vectors are missing");
        uint256 unsupported;
        string memory different = "";
        for (uint256 i = 0; i < cases.length; i++) {
            (bool done, bytes memory out) =
                address(verifier).staticcall(bytes.concat(ProofVerifier.verify.selector, cases[i].call));
            uint256 found = codeOf(done, out);
            if (cases[i].code == Code.UnsupportedSuite) unsupported++;
            if (found != cases[i].code) {
                different = string.concat(
                    different, "\n", cases[i].name, ": expected ", vm.toString(cases[i].code), ", got ", vm.toString(found)
                );
            }
        }
        yes(bytes(different).length == 0, different);
        equal(unsupported, uncovered, "cases of suites that are not checked");
    }
}
