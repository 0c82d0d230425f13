// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title Points that a market gives to those who buy
contract Points {
    string public constant name = "Market Points";
    string public constant symbol = "MKT";
    uint8 public constant decimals = 0;

    address public immutable issuer = msg.sender;
    uint256 public totalSupply;
    mapping(address holder => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    error OnlyIssuer();
    error Insufficient(uint256 balance, uint256 needed);

    /// @notice Makes new points; only the market may.
    function mint(address to, uint256 value) external {
        if (msg.sender != issuer) revert OnlyIssuer();
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    /// @notice Gives points to somebody else.
    function transfer(address to, uint256 value) external returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        if (balance < value) revert Insufficient(balance, value);
        balanceOf[msg.sender] = balance - value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}
