// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Which rule broke: a code of `docs/refusals.json`, the same in every verifier of this proof.
error Refused(uint16 code);

/// Ends the call with the code.
function refuse(uint16 code) pure {
    revert Refused(code);
}

/// Ends the call with the code unless the rule holds.
function hold(bool rule, uint16 code) pure {
    if (!rule) revert Refused(code);
}
