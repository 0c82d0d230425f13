// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title Shares of amounts, in hundredths of a percent
library Percent {
    uint256 internal constant WHOLE = 10_000;

    error MoreThanWhole(uint256 basisPoints);

    /// @dev Rounded down, so that parts never exceed their whole.
    function share(uint16 basisPoints, uint256 amount) internal pure returns (uint256) {
        if (basisPoints > WHOLE) revert MoreThanWhole(basisPoints);
        return (amount * basisPoints) / WHOLE;
    }
}
