// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IMarket} from "./IMarket.sol";
import {Points} from "./Points.sol";
import {Percent} from "./libraries/Percent.sol";

/// @title A market that keeps a fee and thanks buyers with points
contract Market is IMarket {
    using Percent for uint16;

    address public immutable owner = msg.sender;
    Points public immutable points = new Points();

    /// @notice The fee in hundredths of a percent.
    uint16 public immutable feeBasisPoints;

    Article[] private articles_;
    address payable[] private sellers_;

    /// @param basisPoints Kept of each sale, in hundredths of a percent
    constructor(uint16 basisPoints) {
        if (basisPoints > Percent.WHOLE) revert Percent.MoreThanWhole(basisPoints);
        feeBasisPoints = basisPoints;
    }

    /// @inheritdoc IMarket
    function offer(Article[] calldata articles) external returns (uint256 firstId) {
        firstId = articles_.length;
        for (uint256 i = 0; i < articles.length; i++) {
            Article calldata one = articles[i];
            articles_.push(one);
            sellers_.push(payable(msg.sender));
            emit Offered(firstId + i, msg.sender, one.title, one.price, one.stock);
        }
    }

    /// @inheritdoc IMarket
    function buy(uint256 id, uint32 count) external payable {
        uint256 price = priceOf(id, count);
        if (msg.value != price) revert WrongPayment(price, msg.value);
        Article storage wanted = articles_[id];
        if (wanted.stock < count) revert NotEnough(id, count, wanted.stock);
        wanted.stock -= count;
        points.mint(msg.sender, count);
        emit Sold(id, msg.sender, count, price);
        pay(sellers_[id], price - feeBasisPoints.share(price));
    }

    /// @notice Sends the fees that have gathered to the owner.
    function withdraw() external {
        pay(payable(owner), address(this).balance);
    }

    /// @inheritdoc IMarket
    function article(uint256 id) public view returns (Article memory) {
        if (id >= articles_.length) revert UnknownArticle(id);
        return articles_[id];
    }

    /// @inheritdoc IMarket
    function priceOf(uint256 id, uint32 count) public view returns (uint256) {
        return article(id).price * count;
    }

    function pay(address payable to, uint256 amount) private {
        (bool isPaid, ) = to.call{value: amount}("");
        if (!isPaid) revert NotPaidOut(to);
    }
}
