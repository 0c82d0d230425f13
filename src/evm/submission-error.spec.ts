import { describe, expect, it } from '@jest/globals';
import { rpcErrorOf } from './rpc-error.js';
import { classifySubmission, type Submission } from './submission-error.js';

const answers: readonly (readonly [string, number, string, Submission])[] = [
  ['Geth', -32_000, 'already known', 'accepted'],
  ['Geth', -32_000, 'nonce too low: next nonce 7, tx nonce 6', 'nonceTooLow'],
  ['Geth', -32_000, 'nonce too high', 'nonceTooHigh'],
  ['Geth', -32_000, 'future transaction tries to replace pending', 'nonceTooHigh'],
  [
    'Geth',
    -32_000,
    'insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1',
    'insufficientFunds',
  ],
  ['Geth', -32_000, 'replacement transaction underpriced', 'underpriced'],
  ['Geth', -32_000, 'transaction underpriced: gas tip cap 1, minimum needed 1000000', 'underpriced'],
  [
    'Geth',
    -32_000,
    'max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7',
    'underpriced',
  ],
  ['Geth', -32_000, 'max priority fee per gas higher than max fee per gas', 'impossible'],
  ['Geth', -32_000, 'intrinsic gas too low: gas 20999, minimum needed 21000', 'impossible'],
  ['Geth', -32_000, 'exceeds block gas limit', 'impossible'],
  ['Geth', -32_000, 'invalid sender', 'impossible'],
  ['Geth', -32_000, 'tx fee (2.10 ether) exceeds the configured cap (1.00 ether)', 'impossible'],
  ['Geth', -32_000, 'insufficient gas for floor data gas cost: gas 21000, minimum needed 22000', 'impossible'],
  ['Geth', -32_000, 'txpool is full', 'unknown'],
  ['Besu', -32_000, 'Known transaction', 'accepted'],
  ['Besu', -32_001, 'Nonce too low', 'nonceTooLow'],
  ['Besu', -32_000, 'Transaction nonce is too distant from current sender nonce', 'nonceTooHigh'],
  ['Besu', -32_000, 'An invalid transaction with a lower nonce exists', 'nonceTooHigh'],
  ['Besu', -32_004, 'Upfront cost exceeds account balance', 'insufficientFunds'],
  ['Besu', -32_009, 'Gas price below configured minimum gas price', 'underpriced'],
  ['Besu', -32_009, 'Gas price below current base fee', 'underpriced'],
  ['Besu', -32_000, 'Replacement transaction underpriced', 'underpriced'],
  ['Besu', -32_003, 'Intrinsic gas exceeds gas limit', 'impossible'],
  ['Besu', -32_005, 'Transaction gas limit exceeds block gas limit', 'impossible'],
  ['Besu', -32_002, 'Invalid signature', 'impossible'],
  ['Besu', -32_000, 'Wrong chainId', 'impossible'],
  ['Besu', -32_000, 'Transaction fee cap exceeded', 'impossible'],
  ['Besu', -32_000, 'Max priority fee per gas exceeds max fee per gas', 'impossible'],
  ['Besu', -32_008, 'Initial sync is still in progress', 'unknown'],
  ['Besu', -32_007, 'Sender account not authorized to send transactions', 'unknown'],
  ['GoQuorum', -32_000, 'known transaction: 12ab34', 'accepted'],
  ['GoQuorum', -32_000, 'Gas price not 0', 'underpriced'],
  ['Nethermind', -32_010, 'AlreadyKnown', 'accepted'],
  ['Nethermind', -32_010, 'OldNonce, Current nonce: 5, nonce of rejected tx: 4', 'nonceTooLow'],
  ['Nethermind', -32_010, 'FeeTooLow, EffectivePriorityFeePerGas too low', 'underpriced'],
  ['anvil', -32_003, 'transaction already imported', 'accepted'],
  ['Hardhat', -32_000, "Sender doesn't have enough funds to send tx", 'insufficientFunds'],
  ['a provider', -32_005, 'daily request count exceeded, request rate limited', 'unknown'],
  ['a provider', -32_603, 'internal error', 'unknown'],
];

describe('the answer to a broadcast', () => {
  it.each(answers)('given %s with %i %s, when it is read, then it means %s', (_node, code, message, submission) => {
    expect(classifySubmission(rpcErrorOf('eth_sendRawTransaction', { code, message }))).toBe(submission);
  });

  it('given something that is no answer of a node, when it is read, then nothing is known', () => {
    expect(classifySubmission(new Error('nonce too low'))).toBe('unknown');
  });
});

describe('errors of nodes', () => {
  it.each([
    ['eth_sendRawTransaction', -32_005, 'Transaction gas limit exceeds block gas limit', 'rejected'],
    ['eth_call', -32_008, 'Initial sync is still in progress', 'transport'],
    ['eth_call', -32_005, 'limit exceeded', 'throttled'],
    ['eth_getLogs', -32_000, 'Requested range exceeds maximum RPC range limit', 'rangeTooLarge'],
    ['eth_getBlockReceipts', -32_604, 'Method not enabled', 'rejected'],
  ])('given %s answered with %i %s, when it is read, then it is %s', (method, code, message, kind) => {
    expect(rpcErrorOf(method, { code, message }).kind).toBe(kind);
  });
});
