/** Those that behave, and those that do not. */
export const subscribersSource = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {IDataPointSubscriber} from "contracts/oracle/IDataPointSubscriber.sol";

interface IDataPoints {
    function deliver(int256 value, uint64 timestamp, uint64 sequence) external;
    function unsubscribe(address subscriber) external;
}

contract Keeper is IDataPointSubscriber {
    struct Point { int256 value; uint64 timestamp; uint64 sequence; }
    Point public last;
    function onDataPoint(int256 value, uint64 timestamp, uint64 sequence) external virtual {
        last = Point(value, timestamp, sequence);
    }
}

contract Refuser is IDataPointSubscriber {
    function onDataPoint(int256, uint64, uint64) external pure { revert("not today"); }
}

contract Burner is IDataPointSubscriber {
    function onDataPoint(int256, uint64, uint64) external pure { while (true) {} }
}

/// Answers, and refuses with, more than its caller should pay for.
contract Bomber is IDataPointSubscriber {
    function onDataPoint(int256, uint64, uint64) external pure { assembly { revert(0, 50000) } }
}

contract Hungry is Keeper {
    function onDataPoint(int256 value, uint64 timestamp, uint64 sequence) external override {
        uint256 before = gasleft();
        while (before - gasleft() < 300000) {}
        last = Point(value, timestamp, sequence);
    }
}

contract Leaver is Keeper {
    function onDataPoint(int256 value, uint64 timestamp, uint64 sequence) external override {
        last = Point(value, timestamp, sequence);
        IDataPoints(msg.sender).unsubscribe(address(this));
    }
}

contract Looper is IDataPointSubscriber {
    function onDataPoint(int256 value, uint64 timestamp, uint64 sequence) external {
        if (sequence < 2) IDataPoints(msg.sender).deliver(value, timestamp, sequence + 1);
    }
}
`;
