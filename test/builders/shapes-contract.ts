/** What the contracts of OpenZeppelin do not have: nested tuples, overloads, fixed lists, immutables, panics, odd names. */
export const shapes = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title Shapes
/// @notice Every shape that a value can have.
contract Shapes {
    enum Colour { Red, Green, Blue }

    struct Seed { bytes4 tag; bytes32 salt; Colour favourite; bool isOpen; }
    struct Point { int32 x; int32 y; }
    struct Leaf { string label; bytes data; uint256[] weights; }
    struct Branch { Point[2] ends; Leaf[2] leaves; }
    struct Tree { bytes32 id; Branch trunk; Branch[] branches; Leaf[2][] pairs; Colour[3] colours; bool isAlive; }
    struct Plot { bytes32 id; int64 depth; Colour colour; string name; }

    error Forbidden(address caller, address owner);
    error TooSmall(int256 given, int256 least);
    error BadTree(bytes32 id, Point[2] ends, string[] labels, Colour[3] colours);
    error Nothing();

    event Planted(bytes32 indexed id, Tree tree, address indexed by);
    event Painted(Colour indexed colour, Point indexed spot, string indexed name, int24[3] mix);
    event Painted(Colour indexed colour, bytes5 code);
    event Paid(address indexed from, uint256 value, string memo);
    event Filled(int24[3][2] grid, Colour[] colours);
    event Emptied();
    event Whisper(bytes32 indexed word, uint256 loudness) anonymous;

    address public immutable owner;
    bytes4 public immutable tag;
    bytes32 public immutable salt;
    Colour public immutable favourite;
    bool public immutable isOpen;
    int64 public immutable near;
    int64 public immutable far;

    string public motto;
    int24[3][2] public grid;
    mapping(bytes32 id => Plot) public plots;
    mapping(address from => uint256[]) public payments;

    constructor(Seed memory seed, int64[2] memory range, string memory motto_) payable {
        owner = msg.sender;
        tag = seed.tag;
        salt = seed.salt;
        favourite = seed.favourite;
        isOpen = seed.isOpen;
        near = range[0];
        far = range[1];
        motto = motto_;
    }

    receive() external payable { emit Paid(msg.sender, msg.value, ""); }

    function echo(Tree memory tree) external pure returns (Tree memory) { return tree; }
    function leaves(Leaf[2][3] memory pairs, Point[2][2] memory corners) external pure returns (Leaf[2][3] memory, Point[2][2] memory cornersAgain) { return (pairs, corners); }
    function bits(bytes1 one, bytes3 three, bytes31 most, bytes32 all, bytes calldata any) external pure returns (bytes1, bytes3, bytes31, bytes32, bytes memory) { return (one, three, most, all, any); }
    function signed(int8 a, int24 b, int128 c, int256 d) external pure returns (int8, int24, int128, int256) { return (a, b, c, d); }
    function unsigned(uint8 a, uint40 b, uint128 c, uint256 d) external pure returns (uint8, uint40, uint128, uint256) { return (a, b, c, d); }
    function texts(string[2][] calldata pairs, bool[4] calldata flags) external pure returns (string[2][] memory, bool[4] memory) { return (pairs, flags); }
    function split(int256 value) external pure returns (int256 half, bool, int256 rest) { return (value / 2, value < 0, value % 2); }

    function area() external pure returns (uint256) { return 0; }
    function area(uint256 side) external pure returns (uint256) { return side * side; }
    function area(int256 side) external pure returns (int256) { return -side; }
    function area(Point calldata from, Point calldata block) external pure returns (int32, int32) { return (from.x - block.x, from.y - block.y); }
    function area(Point[2] calldata corners) external pure returns (Point memory) { return corners[1]; }
    function area(address from, uint256 value) external pure returns (address, uint256) { return (from, value); }
    function area(Tree calldata tree) external pure returns (bytes32 id, uint256 branches) { return (tree.id, tree.branches.length); }

    function next(Colour colour) external pure returns (Colour) { return colour == Colour.Blue ? Colour.Red : Colour(uint8(colour) + 1); }
    function colourOf(uint8 number) external pure returns (Colour) { return Colour(number); }
    function reciprocal(int256 value) external pure returns (int256) { return 100 / value; }
    function increment(uint8 value) external pure returns (uint8) { return value + 1; }
    function third(uint256[] calldata values) external pure returns (uint256) { return values[2]; }
    function claim(bool isTrue) external pure returns (bool) { assert(isTrue); return true; }
    function atLeast(int256 given, int256 least) external pure returns (int256) { if (given < least) revert TooSmall(given, least); return given; }
    function inspect(Tree calldata tree) external pure returns (uint256) {
        string[] memory labels = new string[](2);
        labels[0] = tree.trunk.leaves[0].label;
        labels[1] = tree.trunk.leaves[1].label;
        if (!tree.isAlive) revert BadTree(tree.id, tree.trunk.ends, labels, tree.colours);
        return tree.pairs.length;
    }
    function nothing() external pure { revert Nothing(); }
    function silence() external pure { revert(); }
    function say(string calldata text) external pure { require(bytes(text).length == 0, text); }
    function balance() external view returns (uint256) { return address(this).balance; }
    function caller() external view returns (address) { return msg.sender; }

    function verify(bytes32 hash) external pure returns (bool) { return hash != 0; }
    function events() external pure returns (string memory) { return "not a list"; }
    function toString(uint256 value) external pure returns (uint256) { return value; }
    function hasOwnProperty(string calldata constructor_) external pure returns (string memory) { return constructor_; }
    function valueOf(address payable toString_) external pure returns (address payable) { return toString_; }

    function plant(Tree calldata tree) external returns (bytes32 id) {
        plots[tree.id] = Plot(tree.id, int64(int256(tree.branches.length)) * -1, tree.colours[0], tree.trunk.leaves[0].label);
        emit Planted(tree.id, tree, msg.sender);
        return tree.id;
    }
    function plant(Tree[2] calldata trees) external returns (bytes32[2] memory ids) {
        for (uint256 i; i < 2; i++) { emit Planted(trees[i].id, trees[i], msg.sender); ids[i] = trees[i].id; }
    }
    function paint(Colour colour, Point calldata spot, string calldata name, int24[3] calldata mix) external {
        emit Painted(colour, spot, name, mix);
        emit Whisper(keccak256("Emptied()"), 3);
    }
    function paint(Colour colour, bytes5 code) external { emit Painted(colour, code); }
    function fill(int24[3][2] calldata grid_) external returns (int24[3][2] memory before) { before = grid; grid = grid_; emit Filled(grid_, new Colour[](2)); }
    function pay(string calldata memo) external payable returns (uint256) {
        payments[msg.sender].push(msg.value);
        emit Paid(msg.sender, msg.value, memo);
        return payments[msg.sender].length;
    }
    function empty(address payable to) external {
        if (to != owner) revert Forbidden(to, owner);
        emit Emptied();
        (bool isPaid, ) = to.call{value: address(this).balance}("");
        require(isPaid, "not taken");
    }
    function fail(uint256 how) external {
        motto = "never";
        if (how == 0) revert TooSmall(-1, type(int256).min);
        require(how != 1, "it may not be one");
        payments[msg.sender].push(1 / (how - 2));
    }
}
`;
