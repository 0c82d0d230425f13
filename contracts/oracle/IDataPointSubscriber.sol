// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title What a contract implements to be handed data points.
interface IDataPointSubscriber {
    /// @notice Check that `msg.sender` is the DataPoints contract that you trust.
    /// @param timestamp Unix time in seconds at which the value was seen.
    /// @param sequence Rises with every point; a gap means that this subscriber failed at, or missed, what lies between.
    function onDataPoint(int256 value, uint64 timestamp, uint64 sequence) external;
}
