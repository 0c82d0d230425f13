// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title Members of a programme with their tier and points; what a sync with Salesforce is shown with.
contract MemberRegistry {
    struct Member {
        string name;
        string tier;
        uint256 points;
        bool active;
    }

    address public immutable owner;
    /// @notice Who may change members, beside the owner.
    mapping(address => bool) public isEditor;
    mapping(address => Member) private members;

    event MemberSet(address indexed member, string name, string tier, uint256 points);
    event MemberRemoved(address indexed member);

    event EditorSet(address indexed editor, bool isAllowed);

    error NotOwner(address caller);
    error NotAnEditor(address caller);
    error NotAMember(address account);

    constructor() {
        owner = msg.sender;
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier onlyEditor() {
        if (msg.sender != owner && !isEditor[msg.sender]) revert NotAnEditor(msg.sender);
        _;
    }

    function setEditor(address editor, bool isAllowed) external onlyOwner {
        isEditor[editor] = isAllowed;
        emit EditorSet(editor, isAllowed);
    }

    /// @notice Makes a member, or changes all that is kept of one.
    function setMember(address member, string calldata name, string calldata tier, uint256 points) external onlyEditor {
        members[member] = Member(name, tier, points, true);
        emit MemberSet(member, name, tier, points);
    }

    /// @notice Takes a member out. One who is none is refused.
    function removeMember(address member) external onlyEditor {
        if (!members[member].active) revert NotAMember(member);
        delete members[member];
        emit MemberRemoved(member);
    }

    /// @notice What is kept of a member; of anybody else nothing, and active is false.
    function memberOf(address member)
        external
        view
        returns (string memory name, string memory tier, uint256 points, bool active)
    {
        Member storage found = members[member];
        return (found.name, found.tier, found.points, found.active);
    }
}
