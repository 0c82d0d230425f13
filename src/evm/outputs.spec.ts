import { describe, expect, it } from '@jest/globals';
import { AbiCoder } from 'ethers';
import { getFragment, type Abi, type AbiFragment } from './abi.js';
import { encodeCall } from './arguments.js';
import { decodeCall, decodeOutputs } from './outputs.js';

const coder = AbiCoder.defaultAbiCoder();
const reserves: AbiFragment = {
  type: 'function',
  name: 'reserves',
  inputs: [{ name: 'pool', type: 'address' }],
  outputs: [{ name: '', type: 'uint112' }, { name: 'second', type: 'int8' }, { type: 'bool' }],
};
const pool = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

describe('the answer of a function', () => {
  it('given several outputs, when decoded, then they have names, and numbers are text', () => {
    const answer = coder.encode(['uint112', 'int8', 'bool'], [2n ** 100n, -3, true]);
    expect(decodeOutputs(reserves, answer)).toEqual({ arg0: (2n ** 100n).toString(), second: '-3', arg2: true });
    expect(decodeOutputs({ ...reserves, outputs: [] }, '0x')).toEqual({});
  });

  it('given a list longer than a log may have, when decoded, then it is read', () => {
    const fragment: AbiFragment = { type: 'function', name: 'all', outputs: [{ name: 'all', type: 'uint256[]' }] };
    const list = Array.from({ length: 20_000 }, (_, index) => index);
    expect(decodeOutputs(fragment, coder.encode(['uint256[]'], [list]))['all']).toHaveLength(20_000);
  });

  it.each([
    ['0x', 'Nothing answered the call of reserves(address)'],
    ['0x01', 'The answer to reserves(address) does not fit the ABI'],
  ])('given %s, when decoded, then the error says to look at the address', (answer, detail) => {
    expect(() => decodeOutputs(reserves, answer)).toThrow(
      expect.objectContaining({ code: 'evm.unknownFunction', detail, fix: expect.stringContaining('address') }),
    );
  });
});

describe('the data of a call', () => {
  const abi: Abi = [reserves, { type: 'function', name: 'reserves', inputs: [{ name: 'id', type: 'uint8' }] }];

  it('given a call of an overload, when decoded, then its function and arguments are found', () => {
    const overload = getFragment(abi, 'function', 'reserves(uint8)');
    expect(decodeCall(abi, encodeCall(overload, [7]))).toEqual({ fragment: overload, args: { id: '7' } });
    expect(decodeCall(abi, encodeCall(reserves, { pool }))).toEqual({ fragment: reserves, args: { pool } });
  });

  it.each([['0x'], ['0x12345678'], [encodeCall(reserves, { pool }).slice(0, 20)]])(
    'given %s, when decoded, then it is no call of the contract',
    (data) => {
      expect(decodeCall(abi, data)).toBeUndefined();
    },
  );
});
