// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @dev The part of LINK that a request needs: ERC-677.
interface ILinkToken {
    function transferAndCall(address to, uint256 value, bytes calldata data) external returns (bool);
}

/// @title Asks any job of any oracle, and keeps whatever is answered.
/// @notice For trying an oracle out. Requests are paid from the LINK that this contract holds, so only its owner may ask.
contract OracleProbe {
    error NotOwner(address sender);
    /// @dev Nothing was asked under this id, or not from this oracle, or it has been answered.
    error NotPending(bytes32 requestId, address sender);
    error NotPaid();

    event Asked(bytes32 indexed requestId, address indexed oracle, bytes32 specId);
    /// @dev As consumers of Chainlink say it: the absence of this event tells that a callback has failed.
    event ChainlinkFulfilled(bytes32 indexed id);

    address public immutable owner = msg.sender;
    ILinkToken public immutable link;

    uint256 private nonce;
    mapping(bytes32 requestId => address oracle) public pending;
    /// @notice What followed the request id in the call that brought the answer: one word, or ABI-encoded values.
    mapping(bytes32 requestId => bytes answer) public answerOf;

    constructor(ILinkToken link_) {
        link = link_;
    }

    /// @param data keys and values as CBOR, one after the other
    function ask(address oracle, bytes32 specId, uint256 payment, bytes calldata data)
        external
        returns (bytes32 requestId)
    {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        nonce += 1;
        requestId = keccak256(abi.encodePacked(address(this), nonce));
        pending[requestId] = oracle;
        emit Asked(requestId, oracle, specId);
        // The oracle puts the true sender and payment in the place of the first two.
        bytes memory request = abi.encodeWithSignature(
            "oracleRequest(address,uint256,bytes32,address,bytes4,uint256,uint256,bytes)",
            address(0),
            0,
            specId,
            address(this),
            this.answered.selector,
            nonce,
            1,
            data
        );
        if (!link.transferAndCall(oracle, payment, request)) revert NotPaid();
    }

    /// @dev Whatever comes behind the id is the answer, so that one word and many can be taken.
    function answered(bytes32 requestId) external {
        if (pending[requestId] != msg.sender) revert NotPending(requestId, msg.sender);
        delete pending[requestId];
        answerOf[requestId] = msg.data[36:];
        emit ChainlinkFulfilled(requestId);
    }
}
