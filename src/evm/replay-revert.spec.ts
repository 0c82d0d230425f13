import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Abi } from './abi.js';
import { replayRevert, type FailedTransaction } from './replay-revert.js';
import type { Rpc as FullRpc } from './rpc-client.js';
import { RpcError, rpcErrorOf } from './rpc-error.js';
import { DevChain, artefact, devAccounts } from './testing/dev-chain.js';

const [owner, poor] = [devAccounts[0].address, devAccounts[1].address];
const abi = artefact('DemoToken').abi as Abi;
type Rpc = Pick<FullRpc, 'request'>;

let chain: DevChain;
let rpc: Rpc;

beforeAll(async () => {
  chain = await DevChain.start();
  rpc = { request: async <T>(method: string, params: readonly unknown[] = []) => await ask<T>(method, params) };
});

afterAll(async () => {
  await chain.stop();
});

describe('why a mined transaction failed', () => {
  it('given a transfer of what is not there, when it was mined, then the error of the contract is the reason', async () => {
    const failed = await mined({ from: poor, data: transferOf(owner, 10n ** 30n) });
    const args = { from: poor, balance: '0', needed: String(10n ** 30n) };
    expect(await replayRevert(rpc, failed, abi)).toEqual({
      words: `InsufficientBalance(from: "${poor}", balance: "0", needed: "${args.needed}")`,
      error: { name: 'InsufficientBalance', signature: 'InsufficientBalance(address,uint256,uint256)', args },
    });
  });

  it('given what only failed because of the block before it, when asked, then the block itself is asked too', async () => {
    const failed = await mined({ from: poor, data: transferOf(owner, 1n) });
    const asked: unknown[] = [];
    const late: Rpc = {
      request: (_method, params = []) => {
        asked.push(params[1]);
        if (asked.length === 1) return Promise.resolve('0x' as never);
        return Promise.reject(new RpcError('rejected', 'execution reverted: too late', { rpcCode: 3 }));
      },
    };
    expect(await replayRevert(late, failed, abi)).toEqual({ words: 'too late' });
    expect(asked).toEqual([hex(failed.blockNumber - 1), hex(failed.blockNumber)]);
  });

  it.each(['0x6000', '0x7000'])('given the gas limit %s, when it was too low, then that is the reason', async (gas) => {
    const failed = await mined({ from: owner, data: transferOf(poor, 1n), gas });
    expect(await replayRevert(rpc, failed, abi)).toEqual({ words: 'it ran out of gas' });
  });

  it.each([
    ['has no state that old', new RpcError('rejected', 'missing trie node')],
    ['does not answer', new RpcError('transport', 'socket hang up')],
  ])('given a node that %s, when asked, then there is no reason and no error', async (_, error) => {
    const silent: Rpc = { request: () => Promise.reject(error) };
    const failed = await mined({ from: owner, data: transferOf(poor, 1n) });
    expect(await replayRevert(silent, failed, abi)).toBeUndefined();
  });

  it('given a transaction that succeeds when it is called again, when asked, then there is no reason', async () => {
    const fine = await mined({ from: owner, data: transferOf(poor, 1n) });
    expect(await replayRevert(rpc, fine, abi)).toBeUndefined();
  });
});

async function mined(call: { from: string; data: string; gas?: string }): Promise<FailedTransaction> {
  const gas = call.gas ?? '0x30d40';
  await chain.send({ to: chain.token, gas, ...call });
  await chain.mine();
  return {
    from: call.from,
    to: chain.token,
    data: call.data,
    value: '0',
    gasLimit: BigInt(gas).toString(),
    blockNumber: await chain.head(),
  };
}

async function ask<T>(method: string, params: readonly unknown[]): Promise<T> {
  const response = await fetch(chain.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const answer = (await response.json()) as { result: T; error?: { code: number; message: string; data?: unknown } };
  if (answer.error) throw rpcErrorOf(method, answer.error);
  return answer.result;
}

function transferOf(to: string, amount: bigint): string {
  return `0xa9059cbb${to.slice(2).padStart(64, '0')}${amount.toString(16).padStart(64, '0')}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
