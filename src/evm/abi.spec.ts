import { describe, expect, it } from '@jest/globals';
import { argumentNames, constructorOf, getFragment, selectorOf, signatureOf, type Abi } from './abi.js';

const abi: Abi = [
  { type: 'function', name: 'mint', inputs: [{ type: 'address' }, { type: 'uint' }] },
  { type: 'function', name: 'mint', inputs: [{ type: 'address' }] },
  { type: 'error', name: 'Closed', inputs: [] },
  { type: 'error', name: 'Closed', inputs: [] },
  { type: 'event', name: 'Closed', inputs: [{ type: 'int[]' }] },
];

describe('looking into an ABI', () => {
  it('given an overload, when its signature is given, then it is found; by name alone both are offered', () => {
    expect(getFragment(abi, 'function', 'mint( address )')).toBe(abi[1]);
    expect(() => getFragment(abi, 'function', 'mint')).toThrow(
      expect.objectContaining({
        code: 'evm.unknownFunction',
        fix: 'Write the one you mean with its types: mint(address,uint256) or mint(address)',
      }),
    );
    expect(() => getFragment(abi, 'function', 'mint(bool)')).toThrow(
      expect.objectContaining({ fix: 'It has: mint(address,uint256), mint(address)' }),
    );
  });

  it('given the same error twice, when looked up, then it is one', () => {
    expect(getFragment(abi, 'error', 'Closed')).toBe(abi[2]);
    expect(() => getFragment(abi, 'error', 'Open')).toThrow(expect.objectContaining({ fix: 'It has: Closed' }));
  });

  it('given short names of types, when hashed, then they are spelled out', () => {
    expect(signatureOf(abi[4]!)).toBe('Closed(int256[])');
    expect(selectorOf({ type: 'function', name: 'transfer', inputs: [{ type: 'address' }, { type: 'uint' }] })).toBe(
      '0xa9059cbb',
    );
  });

  it('given no constructor, when asked for, then it takes nothing', () => {
    expect(constructorOf(abi)).toMatchObject({ type: 'constructor', inputs: [] });
  });

  it('given names that are missing, repeated or taken, when named, then no two are the same', () => {
    const names = ['', 'arg0', 'a', 'a', '__proto__', 'arg6', ''].map((name) => ({ name, type: 'uint8' }));
    expect(argumentNames(names)).toEqual(['arg0', 'arg1', 'a', 'arg3', 'arg4', 'arg6', 'arg6_']);
  });
});
