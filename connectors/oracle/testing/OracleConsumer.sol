// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

import {Chainlink, ChainlinkClient} from "@chainlink/contracts/src/v0.8/operatorforwarder/ChainlinkClient.sol";

/// @notice For specs: asks an oracle anything, takes answers of every type, and can be told to refuse them.
contract OracleConsumer is ChainlinkClient {
  using Chainlink for Chainlink.Request;

  event Answered(bytes32 indexed id, bytes data);

  mapping(bytes32 id => bytes data) public answers;
  mapping(bytes32 id => uint256 times) public timesAnswered;
  bool public refuses;

  constructor(address link, address oracle) {
    _setChainlinkToken(link);
    _setChainlinkOracle(oracle);
  }

  /// @notice The customary request: which document, which place in it, and what the number there is multiplied by.
  function askPrice(bytes32 job, uint256 payment, string memory url, string memory path, int256 times) public {
    Chainlink.Request memory request = _buildChainlinkRequest(job, address(this), this.takeUint.selector);
    request._add("get", url);
    request._add("path", path);
    request._addInt("times", times);
    _sendChainlinkRequest(request, payment);
  }

  function askPrices(
    uint256 count,
    bytes32 job,
    uint256 payment,
    string memory url,
    string memory path,
    int256 times
  ) external {
    for (uint256 asked = 0; asked < count; asked++) askPrice(job, payment, url, path, times);
  }

  /// @notice Every kind of value that the encoder of the contracts can make.
  function askEverything(
    bytes32 job,
    uint256 payment,
    string memory text,
    uint256 whole,
    int256 signed,
    bytes memory raw,
    string[] memory list
  ) external {
    Chainlink.Request memory request = _buildChainlinkRequest(job, address(this), this.takeUint.selector);
    request._add("text", text);
    request._addUint("whole", whole);
    request._addInt("signed", signed);
    request._addBytes("raw", raw);
    request._addStringArray("list", list);
    _sendChainlinkRequest(request, payment);
  }

  /// @param version 1 is answered with one word or many, 2 with many only
  function ask(bytes32 job, uint256 payment, bytes4 callback, bytes memory data, uint256 version) external {
    Chainlink.Request memory request = _buildChainlinkRequest(job, address(this), callback);
    request._setBuffer(data);
    if (version == 2) _sendOperatorRequest(request, payment);
    else _sendChainlinkRequest(request, payment);
  }

  function cancel(bytes32 id, uint256 payment, bytes4 callback, uint256 expiration) external {
    _cancelChainlinkRequest(id, payment, callback, expiration);
  }

  function refuse(bool isRefusing) external {
    refuses = isRefusing;
  }

  function takeUint(bytes32 id, uint256 value) external {
    take(id, abi.encode(value));
  }

  function takeInt(bytes32 id, int256 value) external {
    take(id, abi.encode(value));
  }

  function takeBool(bytes32 id, bool value) external {
    take(id, abi.encode(value));
  }

  function takeWord(bytes32 id, bytes32 value) external {
    take(id, abi.encode(value));
  }

  function takeAddress(bytes32 id, address value) external {
    take(id, abi.encode(value));
  }

  function takeText(bytes32 id, string memory value) external {
    take(id, abi.encode(value));
  }

  function takeBytes(bytes32 id, bytes memory value) external {
    take(id, abi.encode(value));
  }

  function takeMany(bytes32 id, uint256 whole, int256 signed, string memory text) external {
    take(id, abi.encode(whole, signed, text));
  }

  /// @notice Needs some 420,000 gas beside what taking an answer costs.
  function takeHungrily(bytes32 id, uint256 value) external {
    uint256 left = gasleft();
    uint256 spent;
    while (left - gasleft() < 420_000) spent++;
    take(id, abi.encode(value));
  }

  function take(bytes32 id, bytes memory data) internal recordChainlinkFulfillment(id) {
    require(!refuses, "I take no answers");
    answers[id] = data;
    timesAnswered[id]++;
    emit Answered(id, data);
  }
}
