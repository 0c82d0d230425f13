import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RpcClient, type FeeSettings, type Network } from '#evm';
import { DevChain } from '../evm/testing/dev-chain.js';
import { FaultProxy, rpcError, rpcResult } from '../evm/testing/fault-proxy.js';
import { networkStatusAnswer, readNetworkStatus, type NetworkStatus } from './network-status.js';

let chain: DevChain;
let proxy: FaultProxy;

beforeAll(async () => {
  chain = await DevChain.start();
});

afterAll(async () => {
  await chain.stop();
});

beforeEach(async () => {
  proxy = await FaultProxy.start(chain.url);
});

afterEach(async () => {
  await proxy.stop();
});

/** Only what the status reads of a network. */
function aNetwork(with_: { fees?: FeeSettings; isDevelopment?: boolean } = {}): Network {
  return {
    name: 'main',
    chainId: DevChain.chainId,
    rpc: new RpcClient({ urls: [proxy.url], chainId: DevChain.chainId }),
    finality: 12,
    finalityOf: () => 'finalized',
    fees: with_.fees ?? {},
    isDevelopment: with_.isDevelopment ?? false,
  } as unknown as Network;
}

/** A Besu of a private network: free gas, no receipts by block, no tags, no batches. */
function beBesu(): void {
  proxy.batchFault = (_calls, response) => void response.writeHead(400).end();
  proxy.fault = async (call, forward) => {
    if (call.method === 'web3_clientVersion') return rpcResult(call, 'besu/v24.1.2/linux-x86_64/openjdk-java-17');
    if (call.method === 'eth_getBlockReceipts' || call.method === 'eth_maxPriorityFeePerGas') {
      return rpcError(call, -32_601, 'Method not found');
    }
    if (call.method === 'eth_gasPrice') return rpcResult(call, '0x0');
    if (call.params[0] === 'finalized' || call.params[0] === 'safe') return rpcError(call, -39_001, 'Unknown block');
    if (call.method !== 'eth_getBlockByNumber') return await forward();
    const { result } = (await forward()) as { result: object };
    return rpcResult(call, { ...result, baseFeePerGas: undefined });
  };
}

function details({ hints }: NetworkStatus): string {
  return hints.map(({ detail }) => detail).join('\n');
}

describe('the status of a network', () => {
  it('given a development chain, when it is asked for, then everything is used and nothing is weak', async () => {
    const status = await readNetworkStatus(aNetwork({ isDevelopment: true }));
    expect(networkStatusAnswer.parse(status)).toEqual(status);
    expect(status.client).toMatch(/^anvil/);
    expect(status.head.number).toBe(await chain.head());
    expect(status.head.ageSeconds).toBeLessThan(600);
    expect(status.uses).toEqual({
      receipts: 'byBlock',
      requests: 'batched',
      fees: 'eip1559',
      finalized: 'tag',
      safe: 'tag',
      blocksOnTop: 64,
      confirmations: 12,
      finality: 'finalized',
    });
    expect(status.hints).toEqual([]);
  });

  it('given a Besu of a private network, when it is asked for, then it says what is done instead, and what is weak', async () => {
    beBesu();
    const status = await readNetworkStatus(aNetwork());
    expect(status.uses).toMatchObject({
      receipts: 'byTransaction',
      requests: 'single',
      fees: 'free',
      finalized: 'blocksOnTop',
    });
    expect(details(status)).toContain('takes no batches and gives no receipts by block');
    expect(details(status)).toContain('hangs on one node');
    expect(status.hints.map(({ fix }) => fix).join()).toContain('confirmations: 0');
  });

  it.each<[string, FeeSettings, string]>([
    ['free gas where it is not', { mode: 'free' }, 'names a gas price above zero'],
    ['a cap below the price', { max: 7n }, 'which the cap of 0.000000007 gwei does not allow'],
  ])('given %s, when it is asked for, then it is said', async (_name, fees, hint) => {
    expect(details(await readNetworkStatus(aNetwork({ fees })))).toContain(hint);
  });

  it('given a node that does not answer, when it is asked for, then the error says so', async () => {
    proxy.fault = (_call, _forward, response) => Promise.resolve(void response.writeHead(500).end());
    await expect(readNetworkStatus(aNetwork())).rejects.toMatchObject({ code: 'evm.rpc' });
  });
});
