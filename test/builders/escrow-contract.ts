/** In a file of its own that imports the other, so that an upload has two. */
export const escrow = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
import "./lib/Owned.sol";
/// @dev Keeps amounts.
contract Escrow is Owned {
    event Settled(uint256 orderId, address indexed buyer, uint256 amount);
    event Opened(uint256 orderId);
    mapping(uint256 => uint256) public amounts;
    uint256 public fee;
    constructor(uint256 fee_) { fee = fee_; }
    function settle(uint256 orderId, address buyer, uint256 amount) external {
        require(amount > 0, "nothing to settle");
        amounts[orderId] = amount;
        emit Settled(orderId, buyer, amount);
    }
    function open(uint256 orderId) external { emit Opened(orderId); }
    function both(uint256) external pure returns (uint256, string memory name) { return (7, "seven"); }
}`;

export const owned = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Owned { address public owner = msg.sender; }`;

/** Its function, as old clients write it into messages. */
export const settle = {
  type: 'function',
  name: 'settle',
  inputs: [
    { name: 'orderId', type: 'uint256' },
    { name: 'buyer', type: 'address' },
    { name: 'amount', type: 'uint256' },
  ],
  outputs: [],
};
