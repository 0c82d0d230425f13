// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice The part of the LINK token that pays for a request and carries it to the oracle.
interface ILinkToken {
  function transferAndCall(address to, uint256 amount, bytes calldata data) external returns (bool);
}

/// @notice The request that the LINK token hands to a Chainlink Operator.
interface IOperator {
  function operatorRequest(
    address sender,
    uint256 payment,
    bytes32 specId,
    bytes4 callbackFunctionId,
    uint256 nonce,
    uint256 dataVersion,
    bytes calldata data
  ) external;
}

/// @title Asks an oracle for numbers
/// @notice For the quick start: whoever calls it spends its LINK. A contract of your own decides who may.
contract PriceConsumer {
  struct Question {
    string about;
    uint64 answeredAt;
    uint256 answer;
  }

  event Asked(bytes32 indexed id, bytes32 indexed job, string about);
  event Answered(bytes32 indexed id, string about, uint256 answer);

  error NotTheOracle(address caller);
  error NotAsked(bytes32 id);
  error TooLong(string text);

  /// Of the data that an Operator may answer with several words.
  uint256 private constant DATA_VERSION = 2;

  ILinkToken public immutable link;
  address public immutable oracle;
  /// What `requestPrice` asks for.
  bytes32 public immutable priceJob;
  uint256 public immutable payment;

  /// The newest that came.
  uint256 public answer;
  uint256 private _nonce;
  mapping(bytes32 id => Question) private _questions;
  mapping(bytes32 id => bool) private _isOpen;

  constructor(ILinkToken link_, address oracle_, bytes32 priceJob_, uint256 payment_) {
    link = link_;
    oracle = oracle_;
    priceJob = priceJob_;
    payment = payment_;
  }

  /// @notice Asks what a pair such as ETH-USD costs; the answer has 8 decimals.
  function requestPrice(string calldata pair) external returns (bytes32 id) {
    return request(priceJob, "pair", pair);
  }

  /// @notice Asks any job for a number about one thing.
  function request(bytes32 job, string memory key, string memory about) public returns (bytes32 id) {
    id = keccak256(abi.encodePacked(address(this), ++_nonce));
    _questions[id].about = about;
    _isOpen[id] = true;
    emit Asked(id, job, about);
    bytes memory data = bytes.concat(_text(key), _text(about));
    link.transferAndCall(
      oracle,
      payment,
      abi.encodeCall(
        IOperator.operatorRequest,
        // The LINK token's call fills in who asks and what was paid.
        (address(0), 0, job, this.fulfill.selector, _nonce, DATA_VERSION, data)
      )
    );
  }

  /// @notice Takes the answer.
  function fulfill(bytes32 id, uint256 value) external {
    if (msg.sender != oracle) revert NotTheOracle(msg.sender);
    if (!_isOpen[id]) revert NotAsked(id);
    delete _isOpen[id];
    Question storage question = _questions[id];
    question.answeredAt = uint64(block.timestamp);
    question.answer = value;
    answer = value;
    emit Answered(id, question.about, value);
  }

  /// @return about what was asked about
  /// @return answeredAt 0 while nothing has come
  /// @return value the answer
  function answerOf(bytes32 id) external view returns (string memory about, uint64 answeredAt, uint256 value) {
    Question storage question = _questions[id];
    return (question.about, question.answeredAt, question.answer);
  }

  /// CBOR of a text of up to 255 bytes.
  function _text(string memory text) private pure returns (bytes memory) {
    uint256 length = bytes(text).length;
    if (length > 255) revert TooLong(text);
    if (length < 24) return bytes.concat(bytes1(uint8(0x60 + length)), bytes(text));
    return bytes.concat(bytes1(0x78), bytes1(uint8(length)), bytes(text));
  }
}
