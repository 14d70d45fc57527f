// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// The ERC-20 that stands for a coin of another chain. The transfer application mints it when the coin is locked there
/// and burns it when it goes home; nobody else can. Amounts are base units of the other chain.
contract Voucher {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error NotTheApplication();
    error NotEnough(uint256 needed, uint256 found);
    error NoReceiver();

    address public immutable APPLICATION;
    /// The full denomination: port, client and what stands behind it.
    string public name;
    uint8 public constant decimals = 0;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(string memory denom) {
        APPLICATION = msg.sender;
        name = denom;
    }

    modifier onlyApplication() {
        if (msg.sender != APPLICATION) revert NotTheApplication();
        _;
    }

    function symbol() external view returns (string memory) {
        return name;
    }

    function mint(address to, uint256 value) external onlyApplication {
        if (to == address(0)) revert NoReceiver();
        totalSupply += value;
        unchecked {
            // No balance is above the supply.
            balanceOf[to] += value;
        }
        emit Transfer(address(0), to, value);
    }

    function burn(address from, uint256 value) external onlyApplication {
        take(from, value);
        unchecked {
            totalSupply -= value;
        }
        emit Transfer(from, address(0), value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            if (allowed < value) revert NotEnough(value, allowed);
            unchecked {
                allowance[from][msg.sender] = allowed - value;
            }
        }
        move(from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function move(address from, address to, uint256 value) private {
        if (to == address(0)) revert NoReceiver();
        take(from, value);
        unchecked {
            balanceOf[to] += value;
        }
        emit Transfer(from, to, value);
    }

    function take(address from, uint256 value) private {
        uint256 balance = balanceOf[from];
        if (balance < value) revert NotEnough(value, balance);
        unchecked {
            balanceOf[from] = balance - value;
        }
    }
}
