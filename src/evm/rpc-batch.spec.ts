import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RpcClient, type RpcCall } from './rpc-client.js';
import { DevChain } from './testing/dev-chain.js';
import { FaultProxy, rpcError, type BatchFault, type Fault } from './testing/fault-proxy.js';

let chain: DevChain;
let proxy: FaultProxy;

beforeAll(async () => {
  chain = await DevChain.start();
  await chain.mine(30);
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

function aClient(urls: readonly string[] = [proxy.url], requestsPerSecond?: number): RpcClient {
  return new RpcClient({ urls, chainId: DevChain.chainId, timeoutMs: 2_000, requestsPerSecond });
}

function blocks(count: number): RpcCall[] {
  return Array.from({ length: count }, (_, index) => ({
    method: 'eth_getBlockByNumber',
    params: [`0x${(index % 30).toString(16)}`, false],
  }));
}

/** What each call got: the number of its block, or the kind of its error. */
async function ask(rpc: Pick<RpcClient, 'requestMany'>, calls: readonly RpcCall[]): Promise<unknown[]> {
  return (await rpc.requestMany(calls)).map((result) =>
    result.status === 'fulfilled'
      ? Number((result.value as { number: string }).number)
      : (result.reason as { kind: string }).kind,
  );
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index % 30);

describe('asking many things at once', () => {
  it('given 250 calls, when they are asked, then three requests carry them and each gets its answer', async () => {
    expect(await ask(aClient(), blocks(250))).toEqual(numbers(250));
    expect(proxy.requestSizes).toEqual([1, 100, 100, 50]);
  });

  it('given calls of more than a megabyte, when they are asked, then they are shared out', async () => {
    const big = { method: 'web3_sha3', params: [`0x${'00'.repeat(300_000)}`] };
    const results = await aClient().requestMany([big, big, big]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(proxy.requestSizes).toEqual([1, 1, 1, 1]);
  });

  it('given answers in another order, when they arrive, then each call gets its own', async () => {
    proxy.batchFault = (calls) =>
      calls.toReversed().map(({ id, params }) => ({ jsonrpc: '2.0', id, result: { number: params[0] } }));
    expect(await ask(aClient(), blocks(10))).toEqual(numbers(10));
  });

  it('given one call without an answer and one with a foreign id, when they are asked, then only these are unanswered', async () => {
    proxy.fault = async (call, forward) => {
      if (call.params[0] === '0x2') return undefined;
      const answer = (await forward()) as object;
      return call.params[0] === '0x4' ? { ...answer, id: 9_999 } : answer;
    };
    expect(await ask(aClient(), blocks(6))).toEqual([0, 1, 'transport', 3, 'transport', 5]);
  });

  it('given unanswered calls and a second node, when they are asked, then only they are asked of it', async () => {
    proxy.fault = async (call, forward) => (call.params[0] === '0x2' ? undefined : await forward());
    const second = await FaultProxy.start(chain.url);
    try {
      expect(await ask(aClient([proxy.url, second.url]), blocks(5))).toEqual(numbers(5));
      expect(second.calls.map(({ method }) => method)).toEqual(['eth_chainId', 'eth_getBlockByNumber']);
    } finally {
      await second.stop();
    }
  });

  it('given an error for one call, when they are asked, then it is understood as that of a single call', async () => {
    proxy.fault = async (call, forward) =>
      call.params[0] === '0x1' ? rpcError(call, -32_000, 'unknown block') : await forward();
    expect(await ask(aClient(), blocks(3))).toEqual([0, 'rejected', 2]);
  });

  const refusals: readonly (readonly [string, BatchFault])[] = [
    ['a status 400', (_calls, response) => void response.writeHead(400).end('no batches')],
    ['a status 405 with HTML', (_calls, response) => void response.writeHead(405).end('<html>')],
    ['one error for all', () => ({ jsonrpc: '2.0', id: null, error: { code: -32_600, message: 'Invalid Request' } })],
    [
      'an unknown error for all',
      () => ({ jsonrpc: '2.0', id: null, error: { code: -32_700, message: 'expected map' } }),
    ],
    ['the same error for each', (calls) => calls.map((call) => rpcError(call as never, -32_600, 'Invalid request'))],
  ];
  it.each(refusals)(
    'given a node that answers batches with %s, when asked, then one by one, and at once the next time',
    async (_name, refuse) => {
      proxy.batchFault = refuse;
      const client = aClient();
      expect(await ask(client, blocks(20))).toEqual(numbers(20));
      expect(client.batchLimit).toBe(1);
      proxy.requestSizes.length = 0;
      expect(await ask(client, blocks(20))).toEqual(numbers(20));
      expect(proxy.requestSizes).toEqual(Array.from({ length: 20 }, () => 1));
    },
  );

  it('given one stray refusal, when minutes have passed, then batches go again, and a refusal then counts at once', async () => {
    const refuse: BatchFault = (_calls, response) => void response.writeHead(405).end('<html>');
    proxy.batchFault = refuse;
    const client = aClient();
    await ask(client, blocks(20));
    expect(client.batchLimit).toBe(1);
    const now = performance.now.bind(performance);
    let passedMs = 6 * 60_000;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + passedMs);
    try {
      proxy.batchFault = undefined;
      proxy.requestSizes.length = 0;
      expect(await ask(client, blocks(20))).toEqual(numbers(20));
      expect(proxy.requestSizes).toEqual([1, 20]);

      proxy.batchFault = refuse;
      proxy.requestSizes.length = 0;
      expect(await ask(client, blocks(3))).toEqual(numbers(3));
      expect(await ask(client, blocks(3))).toEqual(numbers(3));
      expect(proxy.requestSizes).toEqual([3, 1, 1, 1, 1, 1, 1]);

      passedMs *= 2;
      proxy.requestSizes.length = 0;
      expect(await ask(client, blocks(3))).toEqual(numbers(3));
      expect(proxy.requestSizes).toEqual([1, 3, 1, 1, 1]);
    } finally {
      clock.mockRestore();
    }
  });

  it.each([
    ['Besu', -32_005, 'Number of requests in batch exceeds limit'],
    ['Geth', -32_600, 'batch too large'],
  ])(
    'given %s with a smaller limit, when asked, then batches are as large as it takes',
    async (_name, code, message) => {
      proxy.batchFault = (calls) => {
        const [first] = calls;
        return calls.length > 30 && first ? [rpcError(first, code, message)] : undefined;
      };
      const client = aClient();
      expect(await ask(client, blocks(120))).toEqual(numbers(120));
      expect(client.batchLimit).toBe(25);
    },
  );

  const outages: readonly (readonly [string, string, Fault])[] = [
    ['a status 401', 'transport', (_call, _forward, response) => Promise.resolve(void response.writeHead(401).end())],
    ['a status 500', 'transport', (_call, _forward, response) => Promise.resolve(void response.writeHead(500).end())],
    ['a broken connection', 'transport', (_call, _forward, response) => Promise.resolve(void response.destroy())],
    ['a status 429', 'throttled', (_call, _forward, response) => Promise.resolve(void response.writeHead(429).end())],
  ];
  it.each(outages)(
    'given %s, when asked, then everything fails once, and batches are not given up',
    async (_name, kind, fault) => {
      const client = aClient();
      await client.request('eth_blockNumber');
      proxy.requestSizes.length = 0;
      proxy.fault = fault;
      expect(new Set(await ask(client, blocks(150)))).toEqual(new Set([kind]));
      expect(proxy.requestSizes).toEqual([100]);
      expect(client.batchLimit).toBe(100);
    },
  );

  it('given a pass, when the first node refuses to answer, then the second does all of it', async () => {
    proxy.batchFault = (_calls, response) => void response.writeHead(502).end();
    const client = aClient([proxy.url, chain.url]);
    const found = await client.pass(async (rpc) => {
      const results = await rpc.requestMany(blocks(4));
      return results.map((result) => {
        if (result.status === 'rejected') throw result.reason as Error;
        return Number((result.value as { number: string }).number);
      });
    });
    expect(found).toEqual(numbers(4));
  });
});

describe('the pace of requests', () => {
  it('given 200 calls a second, when 500 are asked at once, then those beyond the first second wait', async () => {
    const client = aClient([proxy.url], 200);
    const begin = performance.now();
    const one = client.requestMany(blocks(500));
    const other = client.request('eth_blockNumber');
    await Promise.all([one, other]);
    expect(performance.now() - begin).toBeGreaterThan(900);
  });

  it('given a node that says when to come again, when asked before, then it is not bothered', async () => {
    proxy.fault = (_call, _forward, response) =>
      Promise.resolve(void response.writeHead(429, { 'retry-after': '30' }).end());
    const client = aClient();
    await expect(client.request('eth_blockNumber')).rejects.toMatchObject({ code: 'evm.rpcThrottled' });
    const asked = proxy.calls.length;
    const error = await client.request('eth_blockNumber').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'throttled' });
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(25_000);
    expect(proxy.calls.length).toBe(asked);
  });
});
