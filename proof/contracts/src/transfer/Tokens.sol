// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

interface IERC20 {
    function balanceOf(address account) external view returns (uint256);
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// The token moved another amount than it was told, or said that it did not.
error TokenLies(address token, uint256 told, uint256 moved);
/// The call of the token failed.
error TokenFails(address token);

/// Moves tokens that nobody vouches for: balances on both sides are compared before and after.
library Tokens {
    /// Takes exactly `amount` from somebody who allowed it.
    function pull(address token, address from, uint256 amount) internal {
        uint256 before = balance(token, address(this));
        told(token, abi.encodeCall(IERC20.transferFrom, (from, address(this), amount)));
        exactly(token, amount, before, balance(token, address(this)));
    }

    /// Gives exactly `amount` to somebody else.
    function push(address token, address to, uint256 amount) internal {
        uint256 ours = balance(token, address(this));
        uint256 theirs = balance(token, to);
        told(token, abi.encodeCall(IERC20.transfer, (to, amount)));
        exactly(token, amount, balance(token, address(this)), ours);
        exactly(token, amount, theirs, balance(token, to));
    }

    /// What an account has. A transfer asks four times, so nothing of it is kept in memory.
    function balance(address token, address account) private view returns (uint256 found) {
        bytes4 selector = IERC20.balanceOf.selector;
        bool done;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(4, account)
            // What returns less than a word, or has no code, is no token.
            done := staticcall(gas(), token, 0, 36, 0, 32)
            done := and(done, gt(returndatasize(), 31))
            found := mload(0)
        }
        if (!done) revert TokenFails(token);
    }

    /// Old tokens return nothing; others return whether they did it.
    function told(address token, bytes memory call_) private {
        (bool done, bytes memory out) = token.call(call_);
        if (!done || (out.length == 0 ? token.code.length == 0 : out.length < 32 || uint256(bytes32(out)) != 1)) {
            revert TokenFails(token);
        }
    }

    function exactly(address token, uint256 amount, uint256 low, uint256 high) private pure {
        uint256 moved = high >= low ? high - low : 0;
        if (moved != amount) revert TokenLies(token, amount, moved);
    }
}
