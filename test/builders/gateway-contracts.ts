import type { Answer, GatewayApp } from './gateway-app.js';

/** Everything that is hard about an ABI: nested tuples, overloads, fixed lists, custom errors, immutables, names of options. */
export const bazaar = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// @title Bazaar
/// @notice Takes orders of many lines.
contract Bazaar {
    struct Line { uint256 sku; uint128 amount; bytes32 note; }
    struct Order { address buyer; Line[] lines; int16[2] grid; string memo; }

    error TooMany(uint256 given, uint256 most);

    event Ordered(uint256 indexed id, address indexed from, uint256 total, string memo);
    event Ordered(uint256 indexed id);

    uint256 public immutable most;
    address public immutable owner;
    uint256 public count;
    uint256 public paid;

    constructor(uint256 most_) { most = most_; owner = msg.sender; }

    /// @notice Places an order. It is kept for ever.
    /// @dev Reverts with TooMany.
    /// @param order What is wanted
    /// @return id Of the order
    function place(Order calldata order) external returns (uint256 id) {
        if (order.lines.length > most) revert TooMany(order.lines.length, most);
        uint256 total;
        for (uint256 i; i < order.lines.length; i++) total += order.lines[i].amount;
        id = ++count;
        emit Ordered(id, order.buyer, total, order.memo);
        emit Ordered(id);
    }

    function echo(Order calldata order, uint8[2][] calldata grid) external pure returns (Order memory, uint8[2][] memory) {
        return (order, grid);
    }

    function sum(uint256[] calldata values) external pure returns (uint256 total) {
        for (uint256 i; i < values.length; i++) total += values[i];
    }

    function find(uint256 id) external pure returns (string memory) { return id == 0 ? "none" : "one"; }
    function find(address from, uint256 block) external pure returns (address, uint256) { return (from, block); }

    /// @notice Pays for something
    function pay() external payable { paid += msg.value; }

    function verify() external pure returns (bool) { return true; }

    function divide(uint256 by) external returns (uint256) { count = count + 1; return 1 / by; }

    function ifFirst(uint256 seen) external { require(count == seen, "somebody was faster"); count += 1; }
}
`;

export const order = {
  buyer: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  lines: [
    { sku: '1', amount: 2, note: `0x${'ab'.repeat(32)}` },
    { sku: '340282366920938463463374607431768211456', amount: '3', note: `0x${'00'.repeat(32)}` },
  ],
  grid: [-1, '32767'],
  memo: 'two lines',
};

/** The bazaar, uploaded and deployed under the name `market`, where an order may have two lines. */
export async function aMarket(app: GatewayApp): Promise<{ readonly uploaded: Answer; readonly deployed: Answer }> {
  const uploaded = await app.upload({ 'Bazaar.sol': bazaar }, { name: 'bazaar' });
  const deployed = await app.ask('POST', '/api/interfaces/bazaar/deploy', {
    args: { most_: 2 },
    from: 'treasury',
    name: 'market',
    wait: 'mined',
  });
  return { uploaded, deployed };
}
