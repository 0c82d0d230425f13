import { describe, expect, it } from '@jest/globals';
import { toQuantity, type BlockHeader } from './block.js';
import { InFlightWindow } from './in-flight.js';
import { Outcomes } from './outcomes.js';
import type { RpcCall, RpcClient } from './rpc-client.js';
import { findMined } from './receipt.js';
import { silent } from './testing/heard-logs.js';
import type { StatusChange, TransactionRecord, TransactionStore } from './transaction-store.js';

const hash = `0x${'7e'.repeat(32)}`;
const blockHash = (branch: string, number: number): string =>
  `0x${branch.repeat(62)}${String(number).padStart(2, '0')}`;

/** A block of a branch; both have the first two blocks. */
function block(branch: string, number: number): BlockHeader & { readonly parentHash: string } {
  const of = (at: number): string => blockHash(at < 2 ? 'c' : branch, at);
  const rest = { timestamp: number, logsBloom: '0x', baseFeePerGas: undefined };
  return { number, hash: of(number), parentHash: of(number - 1), ...rest };
}

/** Of the branch that answers; the transaction is in block 2 of branch a. */
function answerOf(branch: string, { method, params = [] }: RpcCall): unknown {
  if (method === 'eth_getTransactionReceipt') {
    if (branch !== 'a') return null;
    const place = { blockHash: blockHash('a', 2), blockNumber: '0x2', transactionHash: hash, gasUsed: '0x5208' };
    return { ...place, from: `0x${'f'.repeat(40)}`, status: '0x1', logs: [], transactionIndex: '0x0' };
  }
  const { number, timestamp, ...header } = block(branch, Number(params[0]));
  return { ...header, baseFeePerGas: null, number: toQuantity(number), timestamp: toQuantity(timestamp) };
}

describe('ending transactions', () => {
  const record = {
    id: 't1',
    status: 'broadcast',
    finality: 3,
    nonce: 0,
    attempts: [{ number: 1, kind: 'payload', hash, raw: '0x', maxFee: '1' }],
  } as unknown as TransactionRecord;

  /** It was mined on branch a, whose node answers. */
  const stage = async () => {
    const node = { branch: 'a' };
    const answer = async (call: RpcCall) => Promise.resolve(answerOf(node.branch, call));
    const rpc = {
      request: (method: string, params: readonly unknown[]) => answer({ method, params }),
      requestMany: (calls: readonly RpcCall[]) => Promise.allSettled(calls.map(answer)),
    } as unknown as RpcClient;
    const statuses: string[] = [];
    const store = {
      setStatus: (changes: readonly StatusChange[]) =>
        Promise.resolve(void statuses.push(...changes.map(({ status }) => status))),
    } as unknown as TransactionStore;
    const outcomes = new Outcomes({ rpc, store, log: silent, explain: () => Promise.resolve(undefined) });
    const window = new InFlightWindow();
    window.add(record);
    await outcomes.mined(window, await findMined(rpc, [hash]));
    return { node, outcomes, window, statuses };
  };

  it.each([4, 5, 60, 2_000])(
    'given a head %d that has its block below it, then what was mined is confirmed',
    async (head) => {
      const { outcomes, window, statuses } = await stage();

      expect(await outcomes.confirm(window, block('a', head))).toBe(true);

      expect(statuses).toEqual(head < 5 ? ['mined'] : ['mined', 'confirmed']);
    },
  );

  it('given a head of another branch, and a node that still answers from the one that lost, then nothing is confirmed, and it is taken back', async () => {
    const { node, outcomes, window, statuses } = await stage();

    expect(await outcomes.confirm(window, block('b', 6))).toBe(false);
    expect(statuses).toEqual(['mined']);

    node.branch = 'b';
    expect(await outcomes.confirm(window, block('b', 7))).toBe(false);
    expect(statuses).toEqual(['mined', 'broadcast']);
  });
});
