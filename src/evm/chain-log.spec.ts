import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { findBlock, type BlockHeader } from './block.js';
import { readLogsOfReceipts, type ChainLog } from './chain-log.js';
import { RpcClient } from './rpc-client.js';
import { DevChain } from './testing/dev-chain.js';
import { FaultProxy, rpcError, rpcResult } from './testing/fault-proxy.js';

let chain: DevChain;
let proxy: FaultProxy;
let rpc: RpcClient;
let block: BlockHeader | undefined;

beforeAll(async () => {
  chain = await DevChain.start();
  proxy = await FaultProxy.start(chain.url);
  rpc = new RpcClient({ urls: [proxy.url], chainId: DevChain.chainId });
  await chain.call('evm_setAutomine', [false]);
  for (const amount of [1n, 2n, 3n]) await chain.transfer(amount);
  await chain.mine();
  block = await findBlock(rpc, 'latest');
});

afterAll(async () => {
  await proxy.stop();
  await chain.stop();
});

afterEach(() => {
  proxy.fault = undefined;
});

async function readBlock(): Promise<readonly ChainLog[]> {
  if (!block) throw new Error('The chain has no block');
  return await readLogsOfReceipts(rpc, { addresses: [chain.token], topics: [] }, block);
}

describe('the logs of a block from its receipts', () => {
  it.each([
    [-32_601, 'the method eth_getBlockReceipts does not exist/is not available'],
    [-32_604, 'Method not enabled'],
  ])('given a node that answers %i %s, when they are read, then they are the same', async (code, message) => {
    const whole = await readBlock();
    proxy.fault = async (call, forward) =>
      call.method === 'eth_getBlockReceipts' ? rpcError(call, code, message) : await forward();
    expect(whole).toHaveLength(3);
    expect(await readBlock()).toEqual(whole);
  });

  it('given such a node that lacks a receipt, when they are read, then nothing is believed', async () => {
    proxy.fault = async (call, forward) => {
      if (call.method === 'eth_getBlockReceipts') return rpcError(call, -32_601, 'Method not found');
      return call.method === 'eth_getTransactionReceipt' ? rpcResult(call, null) : await forward();
    };
    await expect(readBlock()).rejects.toMatchObject({ kind: 'transport' });
  });
});
