import { describe, expect, it } from '@jest/globals';
import { Interface } from 'ethers';
import type { AbiFragment } from './abi.js';
import { checkArguments, encodeCall } from './arguments.js';

function taking(...types: readonly string[]): AbiFragment {
  return { type: 'function', name: 'f', inputs: types.map((type, index) => ({ name: `p${String(index)}`, type })) };
}

describe('the arguments of a call', () => {
  it('given values by name or in order, when encoded, then the call is what ethers encodes', async () => {
    const fragment: AbiFragment = {
      type: 'function',
      name: 'order',
      inputs: [
        { name: 'to', type: 'address' },
        { name: 'amounts', type: 'uint256[2]' },
        {
          name: 'item',
          type: 'tuple',
          components: [
            { name: 'name', type: 'string' },
            { name: 'isNew', type: 'bool' },
          ],
        },
        { name: 'proof', type: 'bytes32[]' },
      ],
    };
    const to = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
    const proof = [`0x${'ab'.repeat(32)}`];
    const expected = new Interface([fragment]).encodeFunctionData('order', [to, [1n, 2n], ['pen', true], proof]);

    expect(await encodeCall(fragment, { to, amounts: ['1', 2], item: { name: 'pen', isNew: 'true' }, proof })).toBe(
      expected,
    );
    expect(await encodeCall(fragment, [to, ['0x1', 2n], ['pen', true], proof])).toBe(expected);
  });

  it.each([
    ['uint8', '256'],
    ['uint256', '-1'],
    ['uint256', ' 1'],
    ['uint256', '+1'],
    ['uint256', '0b11'],
    ['uint256', '1.0'],
    ['uint256', ''],
    ['uint256', 2 ** 53],
    ['uint256', true],
    ['int8', '-129'],
    ['bool', 'yes'],
    ['bool', 1],
    ['bool', 2],
    ['address', 'vitalik.eth'],
    ['address', 4.7e47],
    ['address', '0x5FBDB2315678afecb367f032d93f642f64180aa3'],
    ['bytes4', '0x1234'],
    ['bytes', '0x123'],
    ['bytes', 'abcd'],
    ['string', 5],
    ['string', '\ud800'],
    ['uint8[2]', ['1']],
    ['uint8[]', '1'],
    ['uint8[]', new Array(10_001).fill('1')],
  ])('given %s %j, when checked, then it is refused with its place', (type, value) => {
    expect(() => checkArguments(taking(type), [value])).toThrow(
      expect.objectContaining({
        code: 'evm.arguments',
        faults: [expect.objectContaining({ pointer: expect.stringMatching(/^\/0/) })],
      }),
    );
  });

  it('given a name that inherits from objects, when looked up, then it is missing', () => {
    const fragment: AbiFragment = { type: 'function', name: 'f', inputs: [{ name: 'toString', type: 'string' }] };
    expect(() => checkArguments(fragment, {})).toThrow('toString must be text, not missing');
  });
});
