import { describe, expect, it } from '@jest/globals';
import { Interface, getAddress, id } from 'ethers';
import { PatchbayError } from '#sdk';
import type { AbiFragment, AbiParameter } from './abi.js';
import { encodeArguments, encodeCall, encodeDeploy } from './arguments.js';

const to = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

const order: AbiFragment = {
  type: 'function',
  name: 'order',
  inputs: [
    { name: 'to', type: 'address' },
    { name: 'amounts', type: 'uint256[2]' },
    {
      name: 'order',
      type: 'tuple',
      components: [
        { name: 'isNew', type: 'bool' },
        {
          name: 'lines',
          type: 'tuple[]',
          components: [
            { name: 'item', type: 'string' },
            { name: 'amount', type: 'uint8' },
          ],
        },
      ],
    },
  ],
};

describe('the arguments of a call', () => {
  it('given values by name or in order, when encoded, then the call is what ethers encodes', () => {
    const expected = new Interface([order]).encodeFunctionData('order', [to, [1n, 2n], [true, [['pen', 7n]]]]);

    expect(
      encodeCall(order, { to, amounts: ['1', 2], order: { isNew: 'true', lines: [{ item: 'pen', amount: '7' }] } }),
    ).toBe(expected);
    expect(encodeCall(order, [to, ['0x1', 2n], [true, [['pen', 7]]]])).toBe(expected);
  });

  it('given several faults, when encoded, then all are told with the place of their input', () => {
    const error = refusalOf(() =>
      encodeCall(order, {
        to: 'vitalik.eth',
        amounts: ['1'],
        order: {
          lines: [
            { item: 'pen', amount: 1 },
            { item: 5, amount: '256', 'a/b~': 1 },
          ],
        },
        memo: 'x',
      }),
    );

    expect(error.faults).toEqual([
      fault('#/args/to', 'to must be an address, 0x and 40 hexadecimal digits in quotes, not "vitalik.eth"'),
      fault('#/args/amounts', 'amounts must be a list of 2, not of 1'),
      fault('#/args/order/isNew', 'order.isNew must be true or false, but is missing'),
      fault('#/args/order/lines/1/item', 'order.lines[1].item must be text, not 5'),
      fault('#/args/order/lines/1/amount', 'order.lines[1].amount must be from 0 to 255 (uint8), not "256"'),
      fault('#/args/order/lines/1/a~1b~0', 'order.lines[1].a/b~ is not known, there is item, amount'),
      fault('#/args/memo', 'memo is not known, there is to, amounts, order'),
    ]);
    expect(error.detail).toBe(
      'order(address,uint256[2],(bool,(string,uint8)[])): to must be an address, 0x and 40 hexadecimal digits in quotes, not "vitalik.eth", and 6 more faults',
    );
    expect(error.fix).toBe('It takes to: address, amounts: uint256[2], order: (bool,(string,uint8)[])');
  });

  it('given values in order, when one does not fit, then its place is a number and its name is told', () => {
    const { faults } = refusalOf(() => encodeCall(order, [to, [1, 2], [true, [['pen', -1]]]], '#/params'));
    expect(faults).toEqual([fault('#/params/2/1/0/1', 'order.lines[0].amount must be from 0 to 255 (uint8), not -1')]);
  });

  it.each([
    ['uint8', '256', 'from 0 to 255 (uint8)'],
    ['uint8', '-1', 'from 0 to 255'],
    ['uint256', '-1', 'from 0 to 2^256-1'],
    ['uint256', 2n ** 256n, 'from 0 to 2^256-1'],
    ['uint256', '9'.repeat(81), 'a whole number'],
    ['int8', '-129', 'from -128 to 127 (int8)'],
    ['int8', '0xff', 'from -128 to 127'],
    ['int8', '-0x81', 'from -128 to 127'],
    ['int256', (2n ** 255n).toString(), 'from -2^255 to 2^255-1'],
    ['uint256', ' 1', 'a whole number'],
    ['uint256', '1 ', 'a whole number'],
    ['uint256', '1\n', 'a whole number'],
    ['uint256', '+1', 'a whole number'],
    ['uint256', '0b11', 'a whole number'],
    ['uint256', '0x', 'a whole number'],
    ['uint256', '1.0', 'a whole number'],
    ['uint256', '1e3', 'a whole number'],
    ['uint256', '', 'a whole number'],
    ['uint256', 1.5, 'a whole number'],
    ['uint256', Number.NaN, 'a whole number'],
    ['uint256', 2 ** 53, 'must be in quotes'],
    ['uint256', true, 'a whole number'],
    ['uint256', null, 'not null'],
    ['uint256', ['1'], 'not a list of 1'],
    ['bool', 'yes', 'true or false'],
    ['bool', 'TRUE', 'true or false'],
    ['bool', 1, 'true or false'],
    ['bool', 2, 'true or false'],
    ['address', 'vitalik.eth', 'an address'],
    ['address', 4.7e47, 'in quotes'],
    ['address', `${to}0`, 'an address'],
    ['address', '0x5FBDB2315678afecb367f032d93f642f64180aa3', 'checksum'],
    ['address', '5FBDB2315678afecb367f032d93f642f64180aa3', 'checksum'],
    ['bytes4', '0x1234', 'must be 4 bytes (bytes4), not 2'],
    ['bytes4', 'AAAA', 'must be 4 bytes (bytes4), not 3'],
    ['bytes4', [1, 2, 3], 'must be 4 bytes (bytes4), not 3'],
    ['bytes', '0x123', 'pairs of hexadecimal digits'],
    ['bytes', 'abc', 'base64'],
    ['bytes', 'YQ', 'base64'],
    ['bytes', 'YR==', 'base64'],
    ['bytes', 'a bc', 'base64'],
    ['bytes', '', 'must be "0x"'],
    ['bytes', [256], 'a list of 0 to 255'],
    ['bytes', [-1], 'a list of 0 to 255'],
    ['bytes', ['1'], 'a list of 0 to 255'],
    ['function', to, 'must be 24 bytes (function), not 20'],
    ['string', 5, 'must be text'],
    ['string', '\ud800', 'whole Unicode characters'],
    ['uint8[2]', ['1'], 'a list of 2, not of 1'],
    ['uint8[]', '1', 'must be a list'],
    ['uint8[]', { 0: '1' }, 'must be a list, not an object'],
    ['uint8[]', new Array(10_001).fill('1'), 'more than 10,000 elements'],
    ['uint8[][]', new Array(200).fill(new Array(100).fill('1')), 'more than 10,000 elements'],
  ])('given %s %p, when encoded, then it is refused with its place', (type, value, words) => {
    const { faults } = refusalOf(() => encodeArguments([{ name: 'p', type }], [value]));
    expect(faults[0]?.pointer).toMatch(/^#\/args\/0/);
    expect(faults[0]?.detail).toContain(words);
  });

  it.each([
    ['uint8', 'ff', '255'],
    ['uint8', 'ff', '0xFF'],
    ['uint8', '07', '007'],
    ['int16', 'f'.repeat(62) + 'fe', '-0x2'],
    ['int16', 'f'.repeat(64), -1],
    ['address', to.slice(2), to.slice(2)],
    ['address', to.slice(2), to.toUpperCase().replace('X', 'x')],
    ['address', to.slice(2), getAddress(to)],
  ])('given %s, when %s is written as %p, then it is accepted', (type, digits, value) => {
    const fill = digits.length === 64 ? digits : digits.padStart(64, '0');
    expect(encodeArguments([{ type }], [value])).toBe(`0x${fill}`);
  });

  it.each([
    ['bytes3', 'abcdef', '0xabcdef'],
    ['bytes3', 'abcdef', 'ABCDEF'],
    ['bytes3', 'abcdef', 'q83v'],
    ['bytes3', '69b71d', 'abcd'],
    ['bytes3', 'abcdef', [0xab, 0xcd, 0xef]],
    ['bytes3', 'abcdef', Buffer.from('abcdef', 'hex')],
    ['bytes3', 'fbfbff', '-_v_'],
    ['bytes', 'abcd', 'abcd'],
    ['bytes', '69b71d', 'base64:abcd'],
    ['bytes', '61', 'YQ=='],
    ['bytes', '', '0x'],
    ['bytes', '', []],
    ['function', 'ab'.repeat(24), 'ab'.repeat(24)],
  ])('given %s, when the bytes %s are written as %p, then they are understood', (type, digits, value) => {
    const content = digits.padEnd(Math.ceil(digits.length / 64) * 64, '0');
    const word = (size: number): string => size.toString(16).padStart(64, '0');
    expect(encodeArguments([{ type }], [value])).toBe(
      type === 'bytes' ? `0x${word(32)}${word(digits.length / 2)}${content}` : `0x${content}`,
    );
  });

  it('given a name that inherits from objects, when looked up, then it is missing', () => {
    expect(() => encodeArguments([{ name: 'toString', type: 'string' }], {})).toThrow(
      'toString must be text, but is missing',
    );
  });

  it('given arguments without names, when given by place or by the name of existing clients, then they are found', () => {
    const unnamed: AbiParameter[] = [{ type: 'uint8' }, { name: '', type: 'uint8' }];
    const expected = encodeArguments(unnamed, [1, 2]);
    expect(encodeArguments(unnamed, { arg0: 1, arg1: 2 })).toBe(expected);
    expect(encodeArguments(unnamed, { input: 1, input1: 2 })).toBe(expected);
    expect(refusalOf(() => encodeArguments(unnamed, { arg0: 1, input: 3, arg1: 2 })).faults).toEqual([
      fault('#/args/input', 'input is not known, there is arg0, arg1'),
    ]);
  });

  it.each([
    [[], [1], 'The arguments must have no values, not 1'],
    [[{ name: 'a', type: 'uint8' }], [], 'The arguments must have 1 value (a), not 0'],
    [[{ name: 'a', type: 'uint8' }], 'x', 'The arguments must be an object with a, or a list, not "x"'],
    [[{ name: 'a', type: 'uint8' }], undefined, 'The arguments must be an object with a, or a list, but is missing'],
  ])('given %j, when %j is given, then it is refused as a whole', (parameters, given, detail) => {
    expect(refusalOf(() => encodeArguments(parameters, given)).faults).toEqual([fault('#/args', detail)]);
  });

  it.each([
    ['fixed128x18', 'fixed-point numbers cannot be passed'],
    ['ufixed[]', 'fixed-point numbers cannot be passed'],
    ['uint7', 'the type uint7, which is not known'],
    ['uint264', 'not known'],
    ['bytes33', 'not known'],
    ['bytes0', 'not known'],
    ['Shop.Order', 'not known'],
    ['uint8[', 'not known'],
    ['uint8[-1]', 'not known'],
    [`uint8${'[]'.repeat(40)}`, 'nests types deeper than 32'],
  ])('given an ABI with %s, when encoded, then the error says so', (type, words) => {
    expect(() => encodeArguments([{ name: 'a', type }], ['1'])).toThrow(words);
  });

  it('given thousands of wrong values, when encoded, then a hundred are told and all are counted', () => {
    const error = refusalOf(() => encodeArguments([{ name: 'a', type: 'uint8[]' }], [new Array(5_000).fill('x')]));
    expect(error.faults).toHaveLength(100);
    expect(error.detail).toContain('and 4999 more faults');
  });
});

describe('what deploys a contract', () => {
  const abi: AbiFragment[] = [{ type: 'constructor', inputs: [{ name: 'cap', type: 'uint256' }] }];

  it('given code and arguments, when encoded, then the arguments follow the code', () => {
    const expected = new Interface(abi).encodeDeploy([5n]).slice(2);
    expect(encodeDeploy(abi, '0x6001', { cap: '5' })).toBe(`0x6001${expected}`);
    expect(encodeDeploy(abi, '6001', ['5'])).toBe(`0x6001${expected}`);
    expect(encodeDeploy([], '0x6001', {})).toBe('0x6001');
  });

  it('given wrong arguments, when encoded, then the constructor is named', () => {
    expect(() => encodeDeploy(abi, '0x6001', {})).toThrow('constructor(uint256): cap must be a whole number');
  });

  it('given code that is not linked, when encoded, then the library is named where it is known', () => {
    const place = `__$${id('src/Maths.sol:Maths').slice(2, 36)}$__`;
    const libraries = ['src/Text.sol:Text', 'src/Maths.sol:Maths'];
    expect(() => encodeDeploy(abi, `0x60${place}01${place}`, ['5'], { libraries })).toThrow(
      'The bytecode needs a library: src/Maths.sol:Maths',
    );
    expect(() => encodeDeploy(abi, `0x60${place}01`, ['5'])).toThrow(`The bytecode needs a library: ${place}`);
    const old = '__Maths.sol:Maths'.padEnd(40, '_');
    expect(() => encodeDeploy(abi, `0x60${old}01${place}`, ['5'])).toThrow(
      `The bytecode needs libraries: Maths.sol:Maths, ${place}`,
    );
  });

  it.each([
    ['0x', 'an interface or an abstract contract cannot be deployed'],
    ['', 'an interface or an abstract contract cannot be deployed'],
    ['0x600', 'not made of pairs of hexadecimal digits'],
    ['0x60zz', 'not made of pairs of hexadecimal digits'],
  ])('given the code %j, when encoded, then it is refused', (code, words) => {
    expect(() => encodeDeploy([], code, {})).toThrow(expect.objectContaining({ code: 'evm.arguments' }));
    expect(() => encodeDeploy([], code, {})).toThrow(words);
  });
});

function refusalOf(encode: () => unknown): PatchbayError {
  try {
    encode();
  } catch (error) {
    if (error instanceof PatchbayError && error.code === 'evm.arguments') return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function fault(pointer: string, detail: string): { pointer: string; detail: string } {
  return { pointer, detail };
}
