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
        uint256 before = IERC20(token).balanceOf(address(this));
        told(token, abi.encodeCall(IERC20.transferFrom, (from, address(this), amount)));
        exactly(token, amount, before, IERC20(token).balanceOf(address(this)));
    }

    /// Gives exactly `amount` to somebody else.
    function push(address token, address to, uint256 amount) internal {
        uint256 ours = IERC20(token).balanceOf(address(this));
        uint256 theirs = IERC20(token).balanceOf(to);
        told(token, abi.encodeCall(IERC20.transfer, (to, amount)));
        exactly(token, amount, IERC20(token).balanceOf(address(this)), ours);
        exactly(token, amount, theirs, IERC20(token).balanceOf(to));
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
