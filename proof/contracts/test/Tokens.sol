// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// A token that does what it is told.
contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);

    string public name = "token";
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        totalSupply += value;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) public virtual returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) public virtual returns (bool) {
        if (allowance[from][msg.sender] != type(uint256).max) allowance[from][msg.sender] -= value;
        move(from, to, value);
        return true;
    }

    function move(address from, address to, uint256 value) internal {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}

/// Charges one hundredth of what is moved.
contract ChargingToken is Token {
    bool public charging = true;

    function charge(bool on) external {
        charging = on;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        move(msg.sender, to, value);
        if (charging) move(to, address(0xfee), value / 100);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        move(from, to, value);
        if (charging) move(to, address(0xfee), value / 100);
        return true;
    }
}

/// Says that it moved, and does not.
contract LyingToken is Token {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// Says that it did not move, and does.
contract DenyingToken is Token {
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        move(from, to, value);
        return false;
    }
}

/// Returns nothing, as old tokens do.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
    }

    function transferFrom(address from, address to, uint256 value) external {
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// Calls whatever it was told to while it is moved, and lets the mover know how that ended.
contract EnteringToken is Token {
    address private target;
    bytes private call_;
    bool public wentThrough;
    bytes public reason;

    function set(address target_, bytes calldata what) external {
        (target, call_) = (target_, what);
    }

    function enter() private {
        if (target == address(0)) return;
        (wentThrough, reason) = target.call(call_);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        enter();
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        enter();
        move(from, to, value);
        return true;
    }
}

/// Uses all the gas it is given.
contract GreedyToken is Token {
    bool public greedy;

    function starve() external {
        greedy = true;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        while (greedy) {}
        move(msg.sender, to, value);
        return true;
    }
}
