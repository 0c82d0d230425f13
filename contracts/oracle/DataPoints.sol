// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IDataPointSubscriber} from "./IDataPointSubscriber.sol";

/// @title Pushes data points to the contracts that subscribed.
/// @notice A subscriber that reverts, or wants more gas than it was given, misses the point and stops nobody else.
contract DataPoints {
    struct Point {
        int256 value;
        uint64 timestamp;
        uint64 sequence;
    }

    uint256 public constant maxSubscribers = 64;
    uint32 public constant maxCallbackGas = 1_000_000;
    /// @notice Seconds that the clock of a publisher may be ahead of the chain.
    uint256 public constant clockTolerance = 60;

    /// @dev What is kept back per subscriber, to tell of its failure.
    uint256 private constant gasForEvent = 12_000;
    uint256 private constant maxReasonBytes = 128;

    uint8 public immutable decimals;
    string public description;
    address public owner;
    address public pendingOwner;
    mapping(address => bool) public isPublisher;
    /// @notice Gas for each callback; 0 for who has not subscribed.
    mapping(address => uint32) public callbackGas;
    Point public latest;

    address[] private _subscribers;
    bool private _isDelivering;

    event PointDelivered(uint64 indexed sequence, int256 value, uint64 timestamp, uint256 delivered, uint256 failed);
    /// @dev `reason` is the revert data, cut off; empty when the gas ran out or the contract is gone.
    event DeliveryFailed(uint64 indexed sequence, address indexed subscriber, bytes reason);
    event Subscribed(address indexed subscriber, uint32 callbackGas);
    event Unsubscribed(address indexed subscriber);
    event PublisherChanged(address indexed publisher, bool isAllowed);
    event OwnershipTransferRequested(address indexed from, address indexed to);
    event OwnershipTransferred(address indexed from, address indexed to);

    error NotOwner(address caller);
    error NotPublisher(address caller);
    error SequenceNotNewer(uint64 sequence, uint64 latest);
    error OlderThanLatest(uint64 timestamp, uint64 latest);
    error FuturePoint(uint64 timestamp, uint256 newestAccepted);
    error NotEnoughGas(address subscriber, uint256 needed);
    error InvalidSubscriber(address subscriber);
    error DeliveringAlready();

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    constructor(uint8 decimals_, string memory description_, address[] memory publishers) {
        decimals = decimals_;
        description = description_;
        owner = msg.sender;
        emit OwnershipTransferred(address(0), msg.sender);
        for (uint256 i = 0; i < publishers.length; i++) _setPublisher(publishers[i], true);
    }

    /// @notice Each subscriber is called with all of its gas, or the whole delivery reverts: what the publisher gives along
    /// decides for all, never for the last ones only.
    function deliver(int256 value, uint64 timestamp, uint64 sequence) external {
        if (!isPublisher[msg.sender]) revert NotPublisher(msg.sender);
        // Those called later would get the inner point before the outer one.
        if (_isDelivering) revert DeliveringAlready();
        if (sequence <= latest.sequence) revert SequenceNotNewer(sequence, latest.sequence);
        if (timestamp < latest.timestamp) revert OlderThanLatest(timestamp, latest.timestamp);
        if (timestamp > block.timestamp + clockTolerance) {
            revert FuturePoint(timestamp, block.timestamp + clockTolerance);
        }
        latest = Point(value, timestamp, sequence);
        _isDelivering = true;

        // A copy: subscribers may leave while they are called.
        address[] memory subscribers_ = _subscribers;
        bytes memory call = abi.encodeCall(IDataPointSubscriber.onDataPoint, (value, timestamp, sequence));
        uint256 failed;
        for (uint256 i = 0; i < subscribers_.length; i++) {
            address subscriber = subscribers_[i];
            uint256 gasFor = callbackGas[subscriber];
            // Removed while the others were called, by an owner that is a subscriber too.
            if (gasFor == 0) {
                failed++;
                continue;
            }
            (bool isDelivered, bytes memory reason) = _call(subscriber, call, gasFor);
            if (isDelivered) continue;
            failed++;
            emit DeliveryFailed(sequence, subscriber, reason);
        }
        _isDelivering = false;
        emit PointDelivered(sequence, value, timestamp, subscribers_.length - failed, failed);
    }

    function subscribers() external view returns (address[] memory) {
        return _subscribers;
    }

    /// @notice Anew, it changes the gas.
    function subscribe(address subscriber, uint32 gasFor) external onlyOwner {
        if (subscriber.code.length == 0 || gasFor == 0 || gasFor > maxCallbackGas) revert InvalidSubscriber(subscriber);
        if (callbackGas[subscriber] == 0) {
            if (_subscribers.length == maxSubscribers) revert InvalidSubscriber(subscriber);
            _subscribers.push(subscriber);
        }
        callbackGas[subscriber] = gasFor;
        emit Subscribed(subscriber, gasFor);
    }

    /// @notice A subscriber may leave by itself.
    function unsubscribe(address subscriber) external {
        if (msg.sender != owner && msg.sender != subscriber) revert NotOwner(msg.sender);
        if (callbackGas[subscriber] == 0) revert InvalidSubscriber(subscriber);
        delete callbackGas[subscriber];
        uint256 last = _subscribers.length - 1;
        for (uint256 i = 0; i < last; i++) {
            if (_subscribers[i] == subscriber) _subscribers[i] = _subscribers[last];
        }
        _subscribers.pop();
        emit Unsubscribed(subscriber);
    }

    function setPublisher(address publisher, bool isAllowed) external onlyOwner {
        _setPublisher(publisher, isAllowed);
    }

    function transferOwnership(address to) external onlyOwner {
        pendingOwner = to;
        emit OwnershipTransferRequested(msg.sender, to);
    }

    function acceptOwnership() external {
        if (msg.sender != pendingOwner) revert NotOwner(msg.sender);
        emit OwnershipTransferred(owner, msg.sender);
        owner = msg.sender;
        pendingOwner = address(0);
    }

    function _setPublisher(address publisher, bool isAllowed) private {
        isPublisher[publisher] = isAllowed;
        emit PublisherChanged(publisher, isAllowed);
    }

    /// @dev Copies no more of the answer than it keeps: a subscriber must not decide how much memory is paid for.
    function _call(address to, bytes memory data, uint256 gasFor) private returns (bool isDelivered, bytes memory reason) {
        if (to.code.length == 0) return (false, "");
        // A call gets 63/64 of what is left at most.
        uint256 needed = gasFor + gasFor / 63 + gasForEvent;
        if (gasleft() < needed) revert NotEnoughGas(to, needed);
        uint256 limit = maxReasonBytes;
        assembly ("memory-safe") {
            isDelivered := call(gasFor, to, 0, add(data, 0x20), mload(data), 0, 0)
            if iszero(isDelivered) {
                let size := returndatasize()
                if gt(size, limit) { size := limit }
                reason := mload(0x40)
                mstore(reason, size)
                returndatacopy(add(reason, 0x20), 0, size)
                mstore(0x40, add(reason, and(add(size, 0x3f), not(0x1f))))
            }
        }
    }
}
