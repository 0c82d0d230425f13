import { asIs, people, type ContractStory } from './contract-story.js';

const { treasury, other } = people;
const max = (bits: bigint): bigint => 2n ** (bits - 1n) - 1n;
const min = (bits: bigint): bigint => -(2n ** (bits - 1n));
const id = `0x${'5e'.repeat(32)}`;

const corner = { x: min(32n), y: max(32n) };
const origin = { x: 0n, y: -1n };
const leaf = { label: 'oak 🌳', data: '0x00ff', weights: [0n, 2n ** 256n - 1n] };
const bareLeaf = { label: '', data: '0x', weights: [] };
const branch = { ends: [corner, origin], leaves: [leaf, bareLeaf] };
const tree = {
  id,
  trunk: branch,
  branches: [branch, { ends: [origin, corner], leaves: [bareLeaf, bareLeaf] }],
  pairs: [
    [leaf, bareLeaf],
    [bareLeaf, leaf],
  ],
  colours: [2n, 0n, 1n],
  isAlive: true,
};
const bareTree = { ...tree, branches: [], pairs: [], isAlive: false };
const grid = [
  [min(24n), -1n, 0n],
  [1n, 2n, max(24n)],
];

const point = '(int32,int32)';
const leafType = '(string,bytes,uint256[])';
const branchType = `(${point}[2],${leafType}[2])`;
const treeType = `(bytes32,${branchType},${branchType}[],${leafType}[2][],uint8[3],bool)`;

export const shapesStory: ContractStory = {
  name: 'shapes',
  contract: 'Shapes',
  source: 'contracts/Shapes.sol',
  alwaysRefuses: ['nothing()', 'silence()'],
  deployedWith: () => [
    { tag: '0xcafe0000', salt: id, favourite: 2n, isOpen: true },
    [min(64n), max(64n)],
    'shapes, “all” of them',
  ],
  async tell({ send, give }) {
    await send(`plant(${treeType})`, [tree]);
    await send(`plant(${treeType}[2])`, [[bareTree, tree]]);
    await send(`paint(uint8,${point},string,int24[3])`, [1n, corner, 'brown', grid[0]]);
    await send('paint(uint8,bytes5)', [2n, '0x0102030405']);
    await send('fill(int24[3][2])', [grid]);
    await send('pay(string)', ['for ever'], 7n);
    await give(3n);
    await send('empty(address)', [treasury]);
    await send('pay(string)', [''], 2n ** 70n);
  },
  cases: async (at) => ({
    [`area(${point},${point})`]: [
      [origin, { x: 3n, y: 4n }],
      [corner, { x: 1n, y: 0n }],
    ],
    [`area(${point}[2])`]: [[[origin, corner]]],
    [`area(${treeType})`]: [[tree]],
    'area()': asIs,
    'area(address,uint256)': [[at['shapes'], 2n ** 255n]],
    'area(int256)': [[max(256n)], [min(256n)]],
    'area(uint256)': [[2n ** 100n], [2n ** 200n]],
    'atLeast(int256,int256)': [
      [-1n, -2n],
      [min(256n), -1n],
    ],
    'balance()': asIs,
    'bits(bytes1,bytes3,bytes31,bytes32,bytes)': [
      ['0xff', '0x000001', `0x${'ab'.repeat(31)}`, id, '0x'],
      ['0x00', '0xabcdef', `0x${'00'.repeat(31)}`, id, `0x${'9f'.repeat(100)}`],
    ],
    'caller()': asIs,
    'claim(bool)': [[true], [false]],
    'colourOf(uint8)': [[2n], [3n]],
    [`echo(${treeType})`]: [[tree], [bareTree]],
    'empty(address)': [[treasury], [other]],
    'events()': asIs,
    'fail(uint256)': [[0n], [1n], [2n], [3n]],
    'far()': asIs,
    'favourite()': asIs,
    'fill(int24[3][2])': [[grid]],
    'grid(uint256,uint256)': [
      [0n, 0n],
      [1n, 2n],
      [2n, 0n],
    ],
    'hasOwnProperty(string)': [['__proto__'], [' a&b=c%20"\n']],
    'increment(uint8)': [[254n], [255n]],
    [`inspect(${treeType})`]: [[tree], [bareTree]],
    'isOpen()': asIs,
    [`leaves(${leafType}[2][3],${point}[2][2])`]: [
      [
        [
          [leaf, leaf],
          [bareLeaf, leaf],
          [bareLeaf, bareLeaf],
        ],
        [
          [corner, origin],
          [origin, origin],
        ],
      ],
    ],
    'motto()': asIs,
    'near()': asIs,
    'next(uint8)': [[1n], [2n], [3n]],
    'nothing()': asIs,
    'owner()': asIs,
    [`paint(uint8,${point},string,int24[3])`]: [[0n, origin, '', grid[1]]],
    'paint(uint8,bytes5)': [
      [0n, '0x0000000000'],
      [9n, '0x0000000000'],
    ],
    'pay(string)': [['nothing'], { args: ['something'], value: 10n ** 18n }],
    'payments(address,uint256)': [
      [treasury, 0n],
      [treasury, 1n],
      [other, 0n],
    ],
    [`plant(${treeType})`]: [[tree], [bareTree]],
    [`plant(${treeType}[2])`]: [[[tree, bareTree]]],
    'plots(bytes32)': [[id], [`0x${'00'.repeat(32)}`]],
    'reciprocal(int256)': [[-3n], [0n]],
    'salt()': asIs,
    'say(string)': [[''], ['out, “loud”: Error(string)']],
    'signed(int8,int24,int128,int256)': [
      [min(8n), min(24n), min(128n), min(256n)],
      [max(8n), max(24n), max(128n), max(256n)],
      [-1n, -1n, -1n, -1n],
    ],
    'silence()': asIs,
    'split(int256)': [[-7n], [7n]],
    'tag()': asIs,
    'texts(string[2][],bool[4])': [
      [
        [
          ['a', ''],
          ['ä€𝄞', 'd'],
        ],
        [true, false, false, true],
      ],
      [[], [false, false, false, false]],
    ],
    'third(uint256[])': [[[1n, 2n, 3n]], [[1n]]],
    'toString(uint256)': [[5n]],
    'unsigned(uint8,uint40,uint128,uint256)': [
      [255n, 2n ** 40n - 1n, 2n ** 128n - 1n, 2n ** 256n - 1n],
      [0n, 0n, 0n, 0n],
    ],
    'valueOf(address)': [[other]],
    'verify(bytes32)': [[id]],
  }),
};
