// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title Articles with a fixed price, paid in the coin of the chain
interface IMarket {
    struct Article {
        string title;
        uint256 price;
        uint32 stock;
    }

    /// @notice Something is for sale.
    event Offered(uint256 indexed id, address indexed seller, string title, uint256 price, uint32 stock);

    /// @notice Somebody bought; `paid` is what the seller got and the fee together.
    event Sold(uint256 indexed id, address indexed buyer, uint32 count, uint256 paid);

    error UnknownArticle(uint256 id);
    error NotEnough(uint256 id, uint32 wanted, uint32 left);
    error WrongPayment(uint256 expected, uint256 given);
    error NotPaidOut(address to);

    /// @notice Puts articles up for sale; the caller is their seller.
    /// @param articles What there is, each with its price in wei and how many there are
    /// @return firstId Id of the first; the others follow it
    function offer(Article[] calldata articles) external returns (uint256 firstId);

    /// @notice Buys articles. Exactly their price must be sent along.
    /// @param id Which article
    /// @param count How many of it
    function buy(uint256 id, uint32 count) external payable;

    /// @notice An article as it is now.
    function article(uint256 id) external view returns (Article memory);

    /// @notice What `count` of an article cost, in wei.
    function priceOf(uint256 id, uint32 count) external view returns (uint256);
}
