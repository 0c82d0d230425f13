import { describe, expect, it } from '@jest/globals';
import { getCreateAddress } from 'ethers/address';
import { createAddress } from './create-address.js';

describe('the address of a contract to come', () => {
  it.each([0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, Number.MAX_SAFE_INTEGER])(
    'given the nonce %i, when it is computed, then it is what the chain will choose',
    (nonce) => {
      const from = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
      expect(createAddress(from, nonce)).toBe(getCreateAddress({ from, nonce }).toLowerCase());
    },
  );
});
