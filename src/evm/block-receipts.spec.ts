import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { findReceiptsInBlock, type BlockReceipts } from './block-receipts.js';
import { findReceipts } from './receipt.js';
import { RpcClient } from './rpc-client.js';
import { DevChain, devAccounts } from './testing/dev-chain.js';
import { FaultProxy, rpcError, rpcResult } from './testing/fault-proxy.js';

const [sender] = devAccounts;

let chain: DevChain;
let proxy: FaultProxy;
let rpc: RpcClient;
let blockNumber: number;
let hashes: string[];

beforeAll(async () => {
  chain = await DevChain.start();
  await chain.call('evm_setAutomine', [false]);
  proxy = await FaultProxy.start(chain.url);
  hashes = [];
  for (let index = 0; index < 20; index += 1) hashes.push(await send({ to: chain.token, data: '0x18160ddd' }));
  await chain.mine();
  blockNumber = await chain.head();
});

afterAll(async () => {
  await proxy.stop();
  await chain.stop();
});

beforeEach(() => {
  rpc = new RpcClient({ urls: [proxy.url], chainId: DevChain.chainId, timeoutMs: 2_000 });
});

afterEach(() => {
  proxy.fault = undefined;
  proxy.calls.length = 0;
});

async function send(transaction: object): Promise<string> {
  return await chain.call<string>('eth_sendTransaction', [{ from: sender.address, gas: '0x30000', ...transaction }]);
}

async function find(
  number: number,
  wanted: readonly string[],
  blockReceipts = true,
): Promise<BlockReceipts | undefined> {
  return await rpc.pass((node) => findReceiptsInBlock(node, number, new Set(wanted), { blockReceipts }));
}

function asked(): string[] {
  return proxy.calls.map(({ method }) => method).filter((method) => method !== 'eth_chainId');
}

describe('the receipts of a block', () => {
  it.each([
    [true, 1],
    [false, 10],
  ])(
    'given a node that gives them at once: %s, when ten are wanted, then these ten come from the block',
    async (blockReceipts, requests) => {
      const wanted = [...hashes.slice(5, 15), `0x${'ab'.repeat(32)}`];
      const found = await find(blockNumber, wanted, blockReceipts);
      expect(found?.block.number).toBe(blockNumber);
      expect(found?.receipts.map(({ place }) => place.hash)).toEqual(hashes.slice(5, 15));
      expect(found?.receipts[0]).toMatchObject({
        isSuccess: true,
        from: sender.address,
        contractAddress: undefined,
        transactionIndex: 5,
        place: { blockNumber, blockHash: found?.block.hash },
      });
      expect(found?.receipts[0]?.effectiveGasPrice).toBeGreaterThan(0n);
      expect(asked()).toHaveLength(1 + requests);
    },
  );

  it('given a block of many, when one is wanted, then only its receipt is asked for', async () => {
    const found = await find(blockNumber, hashes.slice(3, 4));
    expect(found?.receipts.map(({ place }) => place.hash)).toEqual(hashes.slice(3, 4));
    expect(asked()).toEqual(['eth_getBlockByNumber', 'eth_getTransactionReceipt']);
  });

  it('given a block without what is wanted, when it is read, then only its hashes are', async () => {
    expect((await find(blockNumber, [`0x${'cd'.repeat(32)}`]))?.receipts).toEqual([]);
    expect(asked()).toEqual(['eth_getBlockByNumber']);
  });

  it('given a block that is not there yet, when it is read, then there is nothing', async () => {
    expect(await find(blockNumber + 1, hashes)).toBeUndefined();
  });

  it('given a node that lost the method since, when all are wanted, then each is asked for', async () => {
    proxy.fault = async (call, forward) =>
      call.method === 'eth_getBlockReceipts'
        ? rpcError(call, -32_601, 'the method eth_getBlockReceipts does not exist/is not available')
        : await forward();
    expect((await find(blockNumber, hashes))?.receipts).toHaveLength(20);
  });

  it.each([
    ['no receipts yet', true, null],
    ['the receipts of another block', true, 'other'],
    ['no receipt of one', false, null],
    ['a receipt from another block', false, 'other'],
  ])('given a node with %s, when they are read, then nothing is believed', async (_name, blockReceipts, fault) => {
    proxy.fault = async (call, forward) => {
      const answer = (await forward()) as { result: unknown };
      if (!/Receipt/.test(call.method)) return answer;
      if (fault === null) return rpcResult(call, null);
      const hash = /"blockHash":"0x[0-9a-f]{64}"/g;
      return JSON.parse(JSON.stringify(answer).replace(hash, `"blockHash":"0x${'12'.repeat(32)}"`)) as unknown;
    };
    await expect(find(blockNumber, hashes.slice(0, 10), blockReceipts)).rejects.toMatchObject({ kind: 'transport' });
  });

  it('given a second node that knows them, when the first has none yet, then the second is believed', async () => {
    proxy.fault = async (call, forward) =>
      call.method === 'eth_getBlockReceipts' ? rpcResult(call, null) : await forward();
    rpc = new RpcClient({ urls: [proxy.url, chain.url], chainId: DevChain.chainId });
    expect((await find(blockNumber, hashes))?.receipts).toHaveLength(20);
  });
});

describe('receipts by hash', () => {
  it('given transactions of which one is unknown, when asked for together, then they come in order', async () => {
    const [first = '', second = ''] = hashes;
    const receipts = await findReceipts(rpc, [second, `0x${'ee'.repeat(32)}`, first]);
    expect(receipts.map((receipt) => receipt?.place.hash)).toEqual([second, undefined, first]);
    expect(proxy.requestSizes.at(-1)).toBe(3);
  });

  it('given a transaction that deploys, when its receipt is read, then it names the contract', async () => {
    const hash = await send({ data: '0x6001600c60003960016000f300' });
    await chain.mine();
    const [receipt] = await findReceipts(rpc, [hash]);
    expect(receipt?.contractAddress).toMatch(/^0x[0-9a-f]{40}$/);
  });
});
