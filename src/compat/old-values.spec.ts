import { describe, expect, it } from '@jest/globals';
import { namedOutputs, readInputs } from './old-values.js';

describe('values as old clients write them', () => {
  it('given inputs without names, when they are read, then they are called by their place, and the body wins', () => {
    const inputs = [{ type: 'uint256' }, { name: 'to', type: 'address' }, { name: '', type: 'bool' }];
    const body = { input: '1', ignored: 5 };
    const query = { input: '2', to: 'ab'.repeat(20), input2: 'true', other: 'x' };

    expect(readInputs(inputs, { body, query })).toEqual({ arg0: '1', to: `0x${'ab'.repeat(20)}`, arg2: 'true' });
  });

  it('given inputs that are missing, when they are read, then all of them are named', () => {
    const inputs = [
      { name: 'constructor', type: 'uint256' },
      { name: 'toString', type: 'uint256' },
    ];

    expect(() => readInputs(inputs, { body: {}, query: {} })).toThrow(
      expect.objectContaining({ detail: 'These inputs are missing: constructor, toString' }),
    );
  });

  it('given bytes and addresses without 0x at any depth, when they are read, then they are what was meant', () => {
    const inputs = [
      { name: 'raw', type: 'bytes' },
      { name: 'list', type: 'bytes2[]' },
      {
        name: 'order',
        type: 'tuple',
        components: [
          { name: 'buyer', type: 'address' },
          { name: 'notes', type: 'bytes32[1][]' },
        ],
      },
    ];
    const note = '11'.repeat(32);
    const body = {
      raw: [1, 2, 255],
      list: ['abcd', '0x0102'],
      order: { buyer: 'cd'.repeat(20), notes: [[note]] },
    };

    expect(readInputs(inputs, { body, query: {} })).toEqual({
      raw: '0x0102ff',
      list: ['0xabcd', '0x0102'],
      order: { buyer: `0x${'cd'.repeat(20)}`, notes: [[`0x${note}`]] },
    });
  });

  it('given outputs without names, when they are shown, then they are called by their place', () => {
    const outputs = [{ type: 'uint256' }, { type: 'bool' }, { name: 'memo', type: 'string' }];

    expect(namedOutputs(outputs, { arg0: '1', arg1: true, memo: 'x' })).toEqual({
      output: '1',
      output1: true,
      memo: 'x',
    });
  });
});
