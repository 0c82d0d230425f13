import { describe, expect, it } from '@jest/globals';
import { Interface } from 'ethers';
import type { Abi } from './abi.js';
import { asRevert, describeRevert } from './revert-reason.js';
import { RpcError } from './rpc-error.js';

const abi: Abi = [
  {
    type: 'error',
    name: 'TooMuch',
    inputs: [
      { name: 'wanted', type: 'uint256' },
      {
        name: 'by',
        type: 'tuple',
        components: [
          { name: 'who', type: 'address' },
          { name: 'note', type: 'string' },
        ],
      },
    ],
  },
  { type: 'error', name: 'Closed', inputs: [] },
];
const ethers = new Interface([
  ...abi,
  { type: 'error', name: 'Error', inputs: [{ type: 'string' }] },
  { type: 'error', name: 'Panic', inputs: [{ type: 'uint256' }] },
]);
const who = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';

describe('the reason of a revert', () => {
  it('given words, when described, then they are the reason', () => {
    const data = ethers.encodeErrorResult('Error', ['not the owner']);
    expect(describeRevert([], data)).toEqual({
      kind: 'error',
      message: 'not the owner',
      error: { name: 'Error', signature: 'Error(string)', args: { reason: 'not the owner' } },
      data,
    });
    expect(describeRevert([], ethers.encodeErrorResult('Error', [''])).message).toBe('no reason was given');
  });

  it.each([
    [0x00, 'a panic of the compiler'],
    [0x01, 'an assertion failed'],
    [0x11, 'an arithmetic operation overflowed'],
    [0x12, 'a division by zero'],
    [0x21, 'a value is no member of its enum'],
    [0x22, 'an array of bytes in the storage is encoded wrongly'],
    [0x31, 'pop() on an empty array'],
    [0x32, 'an index is out of bounds'],
    [0x41, 'too much memory was asked for'],
    [0x51, 'a function was called that was never assigned'],
    [0x99, 'panic 153'],
  ])('given the panic %i, when described, then it is explained', (code, message) => {
    const data = ethers.encodeErrorResult('Panic', [code]);
    expect(describeRevert([], data)).toEqual({
      kind: 'panic',
      message,
      error: { name: 'Panic', signature: 'Panic(uint256)', args: { code: String(code) } },
      data,
    });
  });

  it('given an error of the contract, when described, then it has its name and arguments', () => {
    const data = ethers.encodeErrorResult('TooMuch', [5n, [who, 'no']]);
    expect(describeRevert(abi, data)).toEqual({
      kind: 'custom',
      error: {
        name: 'TooMuch',
        signature: 'TooMuch(uint256,(address,string))',
        args: { wanted: '5', by: { who, note: 'no' } },
      },
      message: `TooMuch(wanted: "5", by: {"who":"${who}","note":"no"})`,
      data,
    });
    expect(describeRevert(abi, ethers.encodeErrorResult('Closed', []))).toMatchObject({ message: 'Closed()' });
  });

  it.each([
    ['0x', 'no reason was given'],
    ['0x1234', 'no reason was given'],
    ['0x12345678abcd', 'unknown error 0x12345678'],
    ['0x08c379a0ff', 'unknown error 0x08c379a0'],
    [ethers.encodeErrorResult('TooMuch', [5n, [who, 'no']]).slice(0, 80), 'unknown error 0x1c6b8ad8'],
  ])('given %s, when described, then it is kept as it is', (data, message) => {
    const { selector } = ethers.getError('TooMuch')!;
    expect(describeRevert(abi, data)).toEqual({
      kind: 'unknown',
      message: message.replace('0x1c6b8ad8', selector),
      data,
    });
  });
});

describe('an answer of a node', () => {
  const data = ethers.encodeErrorResult('Closed', []);

  it.each([
    ['geth', new RpcError('rejected', 'execution reverted', { rpcCode: 3, data }), 'Closed()'],
    ['data in data', new RpcError('rejected', 'execution reverted', { data: { data } }), 'Closed()'],
    [
      'data behind a word',
      new RpcError('rejected', 'VM execution error', { rpcCode: 3, data: `Reverted ${data}` }),
      'Closed()',
    ],
    ['only words', new RpcError('rejected', 'execution reverted: not now'), 'not now'],
    ['nothing', new RpcError('rejected', 'execution reverted'), 'no reason was given'],
    ['Besu', new RpcError('rejected', 'Execution reverted', { rpcCode: -32_000 }), 'no reason was given'],
    [
      'an error that is not in the ABI',
      new RpcError('rejected', 'execution reverted', { rpcCode: 3, data: '0x12345678' }),
      'unknown error 0x12345678',
    ],
  ])('given %s, when it is a revert, then the error has the reason', (_, error, reason) => {
    expect(asRevert(error, abi)).toMatchObject({
      code: 'evm.reverted',
      detail: `The contract reverted the call: ${reason}`,
      cause: error,
    });
  });

  it.each([
    [new RpcError('rejected', 'insufficient funds for gas')],
    [new RpcError('transport', 'execution reverted')],
    [new Error('execution reverted')],
  ])('given %s, when looked at, then it is no revert', (error) => {
    expect(asRevert(error, abi)).toBeUndefined();
  });
});
