import { describe, expect, it } from '@jest/globals';
import { Interface, id, keccak256 } from 'ethers';
import { encodeEventTopics, type Abi as ViemAbi } from 'viem';
import { topicOf, type AbiFragment, type AbiParameter } from './abi.js';
import { filterTopics } from './event-topics.js';

const from = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const to = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

const transfer: AbiFragment = {
  type: 'event',
  name: 'Transfer',
  inputs: [
    { name: 'from', type: 'address', indexed: true },
    { name: 'to', type: 'address', indexed: true },
    { name: 'value', type: 'uint256' },
  ],
};

const line: AbiParameter = {
  name: 'line',
  type: 'tuple',
  components: [
    { name: 'item', type: 'string' },
    { name: 'amount', type: 'uint8' },
  ],
};

const long = 'a text that is longer than thirty-two bytes, so that it needs two words';

describe('the topics of a filter', () => {
  it('given wishes for indexed arguments, when asked for, then ethers and viem give the same topics', () => {
    const ethers = new Interface([transfer]);
    const viem = { abi: [transfer] as unknown as ViemAbi, eventName: 'Transfer' };
    expect(filterTopics(transfer, {})).toEqual([topicOf(transfer)]);
    expect(filterTopics(transfer, { from })).toEqual(ethers.encodeFilterTopics('Transfer', [from]));
    expect(filterTopics(transfer, { to })).toEqual(ethers.encodeFilterTopics('Transfer', [null, to]));
    expect(filterTopics(transfer, { to: [from, to] })).toEqual(
      ethers.encodeFilterTopics('Transfer', [null, [from, to]]),
    );
    expect(filterTopics(transfer, { from: [from], to })).toEqual(
      encodeEventTopics({ ...viem, args: { from: [from], to } }),
    );
  });

  it('given text and bytes, when asked for, then their hash is', () => {
    const event = emitting({ name: 'text', type: 'string' }, { name: 'data', type: 'bytes' });
    expect(filterTopics(event, { text: long, data: ['0x', '0xabcd'] }).slice(1)).toEqual([
      id(long),
      [keccak256('0x'), keccak256('0xabcd')],
    ]);
    expect(filterTopics(event, { text: { hash: id('b').toUpperCase().replace('X', 'x') } })[1]).toBe(id('b'));
  });

  // The topics are what a contract compiled with solc 0.8.37 emitted on anvil for these values.
  it.each<[AbiParameter, unknown, string]>([
    [{ type: 'string' }, long, '0x1570e7272cc2e298d6201c9dd7110364a4da0a22fbba80fbdc0761faf675697b'],
    [{ type: 'bytes' }, '0xabcdef', '0x800d501693feda2226878e1ec7869eef8919dbc5bd10c2bcd031b94d73492860'],
    [{ type: 'string[]' }, ['a', long], '0x3eb499f0bef27374fa0afe9eb171cbf0b4fecc5eeb1b310ab9e67f2bca9fe355'],
    [{ type: 'uint8[]' }, [1, 2], '0xe90b7bceb6e7df5418fb78d8ee546e97c83a08bbccc01a0644d599ccd2a7c2e0'],
    [{ type: 'int16[2]' }, [-1, 5], '0x2e8de2577e7c560a9913fd732cd5ba1f61f809b10c283800da9499091ac562a5'],
    [
      { type: 'bytes[2]' },
      ['0xab', Buffer.from(long)],
      '0xda77c4bb9181b877fcb19c954518e94b4c0ab35709792745b1240158bbe437ce',
    ],
    [line, { item: long, amount: 1 }, '0xf931b8e87c659a11cb1ec3524d6ff6fb7b73d1ffedbbb69000a0cf15bd358c8a'],
    [
      {
        type: 'tuple',
        components: [
          { name: 'to', type: 'address' },
          { ...line, name: 'lines', type: 'tuple[]' },
          { name: 'tags', type: 'bytes3[2]' },
        ],
      },
      {
        to,
        lines: [
          ['pen', 7],
          [long, 1],
        ],
        tags: ['0x010203', '0x040506'],
      },
      '0x1fa030f3c21e20342c9a24f1852e87d3d4f180e0f8d827f6fbba37ed203e2f2f',
    ],
    [
      { ...line, type: 'tuple[]' },
      [
        ['pen', 7],
        [long, 1],
      ],
      '0x794e36222427548bda6df861b379af71afb4a44292e4deee52fd6add56f81e63',
    ],
    [{ type: 'int8' }, -2, `0x${'f'.repeat(63)}e`],
    [{ type: 'bytes3' }, '0x010203', `0x010203${'0'.repeat(58)}`],
    [{ type: 'bool' }, true, `0x${'0'.repeat(63)}1`],
  ])('given an indexed %j, when %j is wished for, then it is the topic that the chain has', (type, value, topic) => {
    expect(filterTopics(emitting({ ...type, name: 'p' }), { p: [value] }).slice(1)).toEqual([[topic]]);
  });

  it('given an anonymous event, when asked for, then its arguments come first', () => {
    const event = { ...transfer, anonymous: true };
    expect(filterTopics(event, {})).toEqual([]);
    expect(filterTopics(event, { from })).toEqual([`0x${'0'.repeat(24)}${from.slice(2)}`]);
  });

  it('given wishes that cannot be, when asked for, then every one is told', () => {
    const wishes = { from: 'x', to: [to, '0x12', null], value: '1', amount: '1' };
    expect(() => filterTopics(transfer, wishes)).toThrow(
      expect.objectContaining({
        code: 'evm.arguments',
        faults: [
          { pointer: '#/where/from', detail: expect.stringContaining('from must be an address') },
          { pointer: '#/where/to/1', detail: expect.stringContaining('to[1] must be an address') },
          { pointer: '#/where/to/2', detail: expect.stringContaining('not null') },
          { pointer: '#/where/value', detail: 'value is not indexed; indexed are: from, to' },
          { pointer: '#/where/amount', detail: 'amount is no argument; indexed are: from, to' },
        ],
      }),
    );
    expect(() => filterTopics(transfer, { from: [] })).toThrow('leave it out to accept any');
    expect(() => filterTopics(emitting({ name: 'list', type: 'uint8[]' }), { list: [1, 2] })).toThrow(
      'list[0] must be a list, not 1',
    );
  });
});

function emitting(...parameters: readonly AbiParameter[]): AbiFragment {
  return { type: 'event', name: 'E', inputs: parameters.map((parameter) => ({ ...parameter, indexed: true })) };
}
