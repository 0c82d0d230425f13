import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { parseInput } from './trigger-input.js';

function refusal(given: Readonly<Record<string, unknown>>): PatchbayError {
  try {
    parseInput('token_transfer', given);
  } catch (error) {
    return PatchbayError.from(error);
  }
  throw new Error('It was taken');
}

describe('the fields of a Zap that listens', () => {
  it('given a field that is missing and one that is unknown, when it is switched on, then both are named in words', () => {
    const { code, detail, fix, faults } = refusal({ network: 'local', token: 'usdc' });

    expect(code).toBe('request.invalid');
    expect(detail).toBe('The input contract is missing. Unknown input token.');
    expect(fix).toBe('The trigger token_transfer takes network, contract, from, to, minimum.');
    expect(faults?.map(({ pointer }) => pointer)).toEqual(['#/input/contract', '#/input/token']);
  });
});
