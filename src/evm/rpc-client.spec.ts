import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RpcClient } from './rpc-client.js';
import { DevChain } from './testing/dev-chain.js';
import { FaultProxy, rpcError } from './testing/fault-proxy.js';

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
  proxy.calls.length = 0;
});

function aClient(urls: readonly string[] = [proxy.url], timeoutMs = 10_000): RpcClient {
  return new RpcClient({ urls, chainId: DevChain.chainId, timeoutMs });
}

describe('asking a node', () => {
  it.each([
    ['a status 429', 'evm.rpcThrottled', 'throttled', { status: 429 }],
    ['a status 500', 'evm.rpc', 'transport', { status: 500 }],
    ['HTML', 'evm.rpc', 'transport', { body: '<html>' }],
    ['an answer to another question', 'evm.rpc', 'transport', { body: '{"jsonrpc":"2.0","id":77,"result":"0x1"}' }],
  ])(
    'given %s, when it is asked, then the error is %s',
    async (_name, code, kind, { status, body }: { status?: number; body?: string }) => {
      proxy.fault = (_call, _forward, response) => {
        response.writeHead(status ?? 200).end(body ?? '');
        return Promise.resolve(undefined);
      };
      await expect(aClient().request('eth_blockNumber')).rejects.toMatchObject({ code, kind });
    },
  );

  it.each([
    [-32_005, 'query returned more than 10000 results', 'rangeTooLarge'],
    [-32_602, 'block range is too wide', 'rangeTooLarge'],
    [-32_614, 'eth_getLogs is limited to a 10,000 range', 'rangeTooLarge'],
    [-32_005, 'daily request count exceeded, request rate limited', 'throttled'],
    [-32_000, 'unknown block', 'rejected'],
  ])('given the error %i %s, when logs are searched, then it is understood as %s', async (code, message, kind) => {
    proxy.fault = async (call, forward) =>
      call.method === 'eth_getLogs' ? rpcError(call, code, message) : await forward();
    await expect(aClient().request('eth_getLogs', [{}])).rejects.toMatchObject({ kind });
  });

  it('given a node that hangs, when it is asked, then the deadline ends it and the next node answers', async () => {
    proxy.fault = () => new Promise(() => undefined);
    expect(await aClient([proxy.url, chain.url], 2_000).request('eth_chainId')).toBe('0x7a69');
  });

  it('given a node that failed, when asked again, then it is left alone for a while', async () => {
    proxy.fault = (_call, _forward, response) => {
      response.writeHead(429, { 'retry-after': '30' }).end();
      return Promise.resolve(undefined);
    };
    const client = aClient([proxy.url, chain.url]);
    await client.request('eth_blockNumber');
    const asked = proxy.calls.length;
    await client.request('eth_blockNumber');
    expect(proxy.calls.length).toBe(asked);
  });

  it('given a node of another chain, when it is asked, then only its chain id is', async () => {
    proxy.fault = (call) => Promise.resolve({ jsonrpc: '2.0', id: call.id, result: '0x1' });
    await expect(aClient().request('eth_blockNumber')).rejects.toMatchObject({ code: 'evm.wrongChain' });
    expect(proxy.calls.map(({ method }) => method)).toEqual(['eth_chainId']);
  });

  it('given a key in the address of a node, when the node fails, then no error shows it', async () => {
    const error = await aClient(['http://127.0.0.1:9/v2/secret-key'])
      .request('eth_blockNumber')
      .catch((thrown: unknown) => thrown);
    expect(String(error) + JSON.stringify(error)).not.toContain('secret-key');
  });
});
