import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RpcClient } from './rpc-client.js';
import { DevChain } from './testing/dev-chain.js';
import { FaultProxy, rpcError, rpcResult, type RpcCall } from './testing/fault-proxy.js';

let chain: DevChain;
let proxy: FaultProxy;

beforeAll(async () => {
  chain = await DevChain.start();
  proxy = await FaultProxy.start(chain.url);
});

afterAll(async () => {
  await proxy.stop();
  await chain.stop();
});

afterEach(() => {
  proxy.fault = undefined;
  proxy.batchFault = undefined;
  proxy.calls.length = 0;
  proxy.requestSizes.length = 0;
});

function aClient(): RpcClient {
  return new RpcClient({ urls: [proxy.url], chainId: DevChain.chainId, timeoutMs: 2_000 });
}

interface Emulation {
  readonly client: string;
  readonly lacks: readonly string[];
  readonly error: readonly [number, (method: string) => string];
  /** How it answers for a tag that it does not know. */
  readonly tag: 'null' | readonly [number, string];
  readonly gasPrice: string;
  readonly baseFee: string | undefined;
}

const modern = { blockReceipts: true, baseFee: true, tipSuggestion: true, finalizedTag: true, safeTag: true };
const old = { blockReceipts: false, baseFee: false, tipSuggestion: false, finalizedTag: false, safeTag: false };

const emulations: readonly (readonly [string, Emulation, object])[] = [
  [
    'GoQuorum',
    {
      client: 'Geth/v1.9.25-stable-919800f0(quorum-v24.4.0)/linux-amd64/go1.21',
      lacks: ['eth_getBlockReceipts', 'eth_maxPriorityFeePerGas'],
      error: [-32_601, (method) => `the method ${method} does not exist/is not available`],
      tag: [-32_602, 'invalid argument 0: hex string without 0x prefix'],
      gasPrice: '0x0',
      baseFee: undefined,
    },
    { ...old, zeroGasPrice: true, batch: true },
  ],
  [
    'Besu with free gas',
    {
      client: 'besu/v24.1.2/linux-x86_64/openjdk-java-17',
      lacks: ['eth_maxPriorityFeePerGas', 'eth_getBlockReceipts'],
      error: [-32_604, () => 'Method not enabled'],
      tag: [-39_001, 'Unknown block'],
      gasPrice: '0x0',
      baseFee: '0x0',
    },
    { ...old, baseFee: true, zeroGasPrice: true, batch: true },
  ],
  [
    'a chain before base fees whose tags are null',
    {
      client: 'Geth/v1.10.1',
      lacks: ['eth_getBlockReceipts', 'eth_maxPriorityFeePerGas', 'web3_clientVersion'],
      error: [-32_000, (method) => `Unsupported method: ${method}`],
      tag: 'null',
      gasPrice: '0x3b9aca00',
      baseFee: undefined,
    },
    { ...old, client: '', zeroGasPrice: false, batch: true },
  ],
];

function emulate(node: Emulation): void {
  proxy.fault = async (call, forward) => {
    const [code, words] = node.error;
    if (node.lacks.includes(call.method)) return rpcError(call, code, words(call.method));
    if (call.method === 'web3_clientVersion') return rpcResult(call, node.client);
    if (call.method === 'eth_gasPrice') return rpcResult(call, node.gasPrice);
    const isTag = call.params[0] === 'finalized' || call.params[0] === 'safe';
    if (isTag) return node.tag === 'null' ? rpcResult(call, null) : rpcError(call, ...node.tag);
    if (call.method !== 'eth_getBlockByNumber') return await forward();
    return withBaseFee(await forward(), node.baseFee);
  };
}

function withBaseFee(answer: unknown, baseFeePerGas: string | undefined): unknown {
  const { result, ...rest } = answer as { result: object };
  return { ...rest, result: { ...result, baseFeePerGas } };
}

describe('what a node can do', () => {
  it('given a modern node, when it is asked, then one request finds out', async () => {
    const traits = await aClient().traits();
    expect(traits).toMatchObject({ ...modern, zeroGasPrice: false, batch: true });
    expect(traits.client).toMatch(/^anvil/);
    expect(proxy.requestSizes).toEqual([1, 7]);
  });

  it.each(emulations)('given %s, when it is asked, then what it lacks is known', async (_name, node, expected) => {
    emulate(node);
    expect(await aClient().traits()).toMatchObject({ client: node.client, ...expected });
  });

  it('given a node that refuses batches, when it is asked, then the same is found out one by one', async () => {
    proxy.batchFault = (_calls, response) => void response.writeHead(400).end();
    expect(await aClient().traits()).toMatchObject({ ...modern, zeroGasPrice: false, batch: false });
  });

  it('given many that want to know, when they ask, then the node is asked once', async () => {
    const client = aClient();
    await Promise.all([client.traits(), client.traits()]);
    await client.traits();
    expect(proxy.requestSizes).toEqual([1, 7]);
  });

  it('given a node that fails while it is asked, when asked later, then it is asked again', async () => {
    const client = aClient();
    proxy.fault = (_call, _forward, response) => Promise.resolve(void response.writeHead(500).end());
    await expect(client.traits()).rejects.toMatchObject({ code: 'evm.rpc' });
    proxy.fault = undefined;
    expect(await client.traits()).toMatchObject(modern);
  });

  it('given a throttled answer, when it is asked, then nothing is concluded from it', async () => {
    proxy.fault = async (call: RpcCall, forward) =>
      call.method === 'eth_getBlockReceipts' ? rpcError(call, 429, 'too many requests') : await forward();
    await expect(aClient().traits()).rejects.toMatchObject({ code: 'evm.rpcThrottled' });
  });
});
