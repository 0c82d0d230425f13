import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { currentFee, feeMode, raisedFee, type FeeSettings } from './fees.js';
import { RpcClient } from './rpc-client.js';
import { DevChain } from './testing/dev-chain.js';
import { FaultProxy, rpcResult } from './testing/fault-proxy.js';

const gwei = 1_000_000_000n;
const modern = { baseFee: true, zeroGasPrice: false, tipSuggestion: true };
const old = { baseFee: false, zeroGasPrice: false, tipSuggestion: false };
const free = { baseFee: false, zeroGasPrice: true, tipSuggestion: false };

let chain: DevChain;
let proxy: FaultProxy;
let rpc: RpcClient;
let baseFeePerGas: string | undefined;

beforeAll(async () => {
  chain = await DevChain.start();
  proxy = await FaultProxy.start(chain.url);
  rpc = new RpcClient({ urls: [proxy.url], chainId: DevChain.chainId });
  proxy.fault = async (call, forward) => {
    if (call.method === 'eth_gasPrice') return rpcResult(call, hex(7n * gwei));
    if (call.method === 'eth_maxPriorityFeePerGas') return rpcResult(call, hex(2n * gwei));
    if (call.method !== 'eth_getBlockByNumber') return await forward();
    const { result } = (await forward()) as { result: object };
    return rpcResult(call, { ...result, baseFeePerGas });
  };
});

afterAll(async () => {
  await proxy.stop();
  await chain.stop();
});

afterEach(() => {
  proxy.calls.length = 0;
});

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

describe('what a transaction pays', () => {
  it.each<[string, typeof modern, bigint | undefined, FeeSettings, bigint, bigint | undefined]>([
    ['a chain with base fees', modern, 10n, {}, 22n, 2n],
    ['a multiplier', modern, 10n, { multiplier: 1.5 }, 17n, 2n],
    ['an own tip', modern, 10n, { tip: 3n * gwei }, 23n, 3n],
    ['a node that suggests no tip', { ...modern, tipSuggestion: false }, 10n, {}, 21n, 1n],
    ['a cap below the offer', modern, 10n, { max: 15n * gwei }, 15n, 2n],
    ['a cap below the tip', modern, 10n, { max: gwei }, 1n, 1n],
    ['a chain without base fees', old, undefined, {}, 7n, undefined],
    ['a multiplier of the gas price', old, undefined, { multiplier: 2 }, 14n, undefined],
    ['legacy transactions by choice', modern, 10n, { mode: 'legacy' }, 7n, undefined],
    ['a node that lost its base fee', modern, undefined, {}, 7n, undefined],
    ['a network where gas is free', free, undefined, {}, 0n, undefined],
    ['free gas by choice', modern, 10n, { mode: 'free' }, 0n, undefined],
  ])('given %s, when it is asked for, then it is that', async (_name, traits, baseFee, settings, max, tip) => {
    baseFeePerGas = baseFee === undefined ? undefined : hex(baseFee * gwei);
    expect(await currentFee(rpc, traits, settings)).toEqual({
      max: max * gwei,
      tip: tip === undefined ? undefined : tip * gwei,
    });
  });

  it('given free gas, when a fee is asked for, then the node is not', async () => {
    await currentFee(rpc, free);
    expect(proxy.calls).toEqual([]);
  });

  it('given free gas on a chain with base fees of zero, when the mode is chosen, then it is free', () => {
    expect(feeMode({ ...modern, zeroGasPrice: true })).toBe('free');
  });
});

describe('raising a fee', () => {
  it.each([
    ['both parts by an eighth', { max: 800n, tip: 80n }, { max: 100n, tip: 10n }, {}, { max: 901n, tip: 91n }],
    [
      'to the present fee when that is more',
      { max: 8n, tip: 8n },
      { max: 100n, tip: 10n },
      {},
      { max: 100n, tip: 10n },
    ],
    [
      'by more when wanted',
      { max: 800n, tip: undefined },
      { max: 1n, tip: undefined },
      { raisePercent: 50 },
      { max: 1_201n, tip: undefined },
    ],
    [
      'never by less',
      { max: 800n, tip: undefined },
      { max: 1n, tip: undefined },
      { raisePercent: 1 },
      { max: 901n, tip: undefined },
    ],
    ['up to the cap', { max: 800n, tip: 80n }, { max: 5_000n, tip: 10n }, { max: 950n }, { max: 950n, tip: 91n }],
    ['not above the cap', { max: 800n, tip: 80n }, { max: 5_000n, tip: 10n }, { max: 900n }, undefined],
    [
      'to nothing where it was nothing',
      { max: 0n, tip: undefined },
      { max: 0n, tip: undefined },
      {},
      { max: 0n, tip: undefined },
    ],
    [
      'once the network is not free any more',
      { max: 0n, tip: undefined },
      { max: 7n, tip: 1n },
      {},
      { max: 7n, tip: undefined },
    ],
  ])('%s', (_name, before, now, settings, expected) => {
    expect(raisedFee(before, now, settings)).toEqual(expected);
  });
});
