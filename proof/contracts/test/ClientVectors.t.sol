// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {LightClient} from "../src/LightClient.sol";
import {Signatories} from "../src/Signatories.sol";
import {ILightClient} from "../src/ibc/ILightClient.sol";
import {Test} from "./Test.sol";

/// Every proof of the shared vectors, given to a light client that was made from its trust file.
contract ClientVectorsTest is Test {
    struct Case {
        string name;
        bytes trust;
        bytes keys;
        uint256 time;
        bytes update;
        bytes membership;
        bytes closing;
        uint256 code;
    }

    Signatories internal signatories;

    function setUp() public {
        signatories = new Signatories();
    }

    function test_golden_proofs_move_the_client_and_are_proven() public {
        run("../../tests/vectors/proof/golden.json", 19);
    }

    function test_negative_proofs_are_refused_by_the_client_with_their_codes() public {
        run("../../tests/vectors/proof/negative.json", 50);
    }

    function run(string memory file, uint256 atLeast) internal {
        Case[] memory cases = abi.decode(tool("client-cases.mjs", file), (Case[]));
        yes(cases.length >= atLeast, "vectors are missing");
        string memory different = "";
        for (uint256 i = 0; i < cases.length; i++) {
            vm.warp(cases[i].time);
            uint256 found = verdict(cases[i]);
            if (found != cases[i].code) {
                different = string.concat(
                    different, "\n", cases[i].name, ": expected ", vm.toString(cases[i].code), ", got ", vm.toString(found)
                );
            }
        }
        yes(bytes(different).length == 0, different);
    }

    /// Creation, update, proof: the first refusal.
    function verdict(Case memory one) internal returns (uint256 code) {
        LightClient client;
        try new LightClient(signatories, one.trust, one.keys, 1_000, 86_400) returns (LightClient made) {
            client = made;
        } catch (bytes memory out) {
            return codeOf(false, out);
        }
        bool done;
        bytes memory out2;
        (done, out2) = address(client).call(abi.encodeCall(ILightClient.updateClient, (one.update)));
        code = codeOf(done, out2);
        if (code == 0 && one.membership.length != 0) {
            (done, out2) =
                address(client).call(bytes.concat(ILightClient.verifyMembership.selector, one.membership));
            code = codeOf(done, out2);
        }
        if (code == 0 && one.closing.length != 0) {
            (done, out2) =
                address(client).call(bytes.concat(ILightClient.verifyNonMembership.selector, one.closing));
            code = codeOf(done, out2);
        }
    }
}
