import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { PatchbayError } from '#sdk';
import type { BlockMemory, KnownBlock } from './block-window.js';
import type { DevChain } from './testing/dev-chain.js';
import { type FaultProxy, rpcError, rpcResult } from './testing/fault-proxy.js';
import { WatchStage } from './testing/watch-stage.js';
import { HeardLogs, until } from './testing/heard-logs.js';

let stage: WatchStage;
let chain: DevChain;
let proxy: FaultProxy;

beforeAll(async () => {
  stage = await WatchStage.start();
  ({ chain, proxy } = stage);
});
afterAll(() => stage.stop());
afterEach(() => stage.clear());

describe('watching the logs of a network', () => {
  it('given a watch, when transfers are mined, then they are heard in order with cursor and time', async () => {
    const heard = await stage.listening(stage.aWatcher());

    for (const amount of [1n, 2n, 3n]) await chain.transfer(amount);
    await until(() => heard.values.length === 3, 'three transfers');

    expect(heard.values).toEqual([1n, 2n, 3n]);
    const [log] = heard.batches.flatMap((batch) => batch.logs);
    expect(heard.cursor! > String(log!.blockNumber).padStart(12, '0')).toBe(true);
    expect(log!.timestamp).toBeGreaterThan(1_600_000_000);
  });

  it('given announced heads, when a transfer is mined, then it is heard without waiting for the next poll', async () => {
    const heard = await stage.listening(stage.aWatcher({ wsUrl: chain.wsUrl, pollMs: 60_000 }));
    await chain.mine();
    await until(() => heard.batches.length > 0, 'the socket is open');

    await chain.transfer(7n);

    await until(() => heard.values.includes(7n), 'the transfer');
  });

  it('given a websocket that breaks again and again, when a transfer is mined, then polling hears it and the socket is opened anew', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    let connections = 0;
    server.on('connection', (socket) => {
      connections += 1;
      socket.terminate();
    });
    const { port } = server.address() as { port: number };
    const heard = await stage.listening(stage.aWatcher({ wsUrl: `ws://127.0.0.1:${String(port)}` }));
    await until(() => connections > 1, 'another connection');

    await chain.transfer(8n);

    await until(() => heard.values.includes(8n), 'the transfer');
    await heard.stop();
    server.close();
  });

  it('given finality by the chain, when a block becomes final, then its transfer is heard', async () => {
    const heard = await stage.listening(stage.aWatcher(), { finality: 'finalized' });
    await chain.transfer(9n);
    await chain.mine(3);
    const before = heard.values.length;

    await chain.mine(70);

    await until(() => heard.values.includes(9n), 'the final transfer');
    expect(before).toBe(0);
  });

  it('given confirmations, when a transfer is mined, then it is heard only with that many blocks on top', async () => {
    const watcher = stage.aWatcher();
    const atOnce = await stage.listening(watcher);
    const confirmed = await stage.listening(watcher, { finality: 2 });

    await chain.transfer(5n);
    await until(() => atOnce.values.includes(5n), 'the unconfirmed transfer');
    await chain.mine();
    const head = await chain.head();
    await until(() => (watcher.status.head ?? 0) >= head, 'the next block');
    expect(confirmed.values).toEqual([]);

    await chain.mine();
    await until(() => confirmed.values.includes(5n), 'the confirmed transfer');
  });

  it('given a slow and a broken subscription, when transfers are mined, then the others hear them', async () => {
    const watcher = stage.aWatcher();
    const slow = await stage.listening(watcher);
    const broken = new HeardLogs();
    let release: () => void = () => undefined;
    slow.hook = (batch) =>
      batch.logs.length === 0
        ? undefined
        : new Promise((resolve) => {
            release = resolve;
          });
    broken.hook = (batch) => {
      if (batch.logs.length > 0) throw new Error('the store refused');
    };
    const failure = broken.listen(watcher, { filter: { addresses: [chain.token], topics: [] } });
    await until(() => broken.cursor !== undefined, 'the broken watch has begun');
    const well = await stage.listening(watcher);

    await chain.transfer(11n);
    await chain.transfer(12n);
    await until(() => well.values.length === 2, 'two transfers');

    await expect(failure).rejects.toThrow('the store refused');
    expect(slow.values).toEqual([]);
    slow.hook = undefined;
    release();
    await until(() => slow.values.length === 2, 'the slow one has caught up');
  });

  it('given a cursor from the past, when the watch begins, then everything since is heard and then what follows', async () => {
    const from = (await chain.head()) + 1;
    await chain.transferMany(300, 4n);
    await chain.mine(200);
    await chain.transferMany(300, 5n);
    const heard = new HeardLogs();
    void heard.listen(stage.aWatcher(), { filter: { addresses: [chain.token], topics: [] }, fromBlock: from });
    stage.onClear(() => heard.stop());

    await until(() => heard.values.length === 600, 'the past');
    await chain.transfer(6n);
    await until(() => heard.values.length === 601, 'the present');

    expect(heard.values.at(-1)).toBe(6n);
    expect(heard.batches.flatMap((batch) => batch.logs)).toHaveLength(601);
  });
});

describe('a reorganisation', () => {
  it('given five blocks that are replaced, when the watcher sees it, then they are withdrawn and what is mined again is the same event', async () => {
    const heard = await stage.listening(stage.aWatcher());
    const kept = (await chain.head()) + 1;
    for (const amount of [21n, 22n, 23n, 24n, 25n]) await chain.transfer(amount);
    await until(() => heard.values.length === 5, 'five transfers');
    const ids = [...heard.events.keys()];

    // The first two transfers are mined again, the others are not.
    const again = await Promise.all([kept, kept + 1].map((number) => rawTransaction(number)));
    await chain.call('anvil_reorg', [5, again.map((raw) => [raw, 0])]);

    await until(() => heard.retractions.length > 0 && heard.values.length === 2, 'the withdrawal');
    expect(heard.retractions[0]!.from).toBe(String(kept).padStart(12, '0'));
    expect(heard.retractions[0]!.finalAt).toBe(String(kept + 4 + 12).padStart(12, '0'));
    expect(heard.values).toEqual([21n, 22n]);
    expect([...heard.events.keys()]).toEqual(ids);
  });

  it('given a listener that was away during a reorganisation, when it returns, then it withdraws and hears the new chain', async () => {
    const remembered: KnownBlock[] = [];
    const memory: BlockMemory = {
      load: () => Promise.resolve(remembered),
      save: (_chainId, blocks) => {
        remembered.push(...blocks);
        return Promise.resolve();
      },
    };
    const first = stage.aWatcher({ memory });
    const heard = await stage.listening(first);
    const lost = (await chain.head()) + 1;
    await chain.transfer(31n);
    await until(() => heard.values.includes(31n), 'the transfer');
    await heard.stop();
    await first.close();

    await chain.call('anvil_reorg', [1, []]);
    await chain.transfer(32n);
    await chain.mine(3);
    void heard.listen(stage.aWatcher({ memory }), { filter: { addresses: [chain.token], topics: [] } });

    await until(() => heard.values.includes(32n), 'the new chain');
    expect(heard.retractions[0]!.from).toBe(String(lost).padStart(12, '0'));
    expect(heard.values).toEqual([32n]);
  });

  it('given a memory that is away for a moment, when further blocks come, then it has those from before too', async () => {
    const remembered = new Set<number>();
    let wasAway = false;
    const memory: BlockMemory = {
      load: () => Promise.resolve([]),
      save: (_chainId, blocks) => {
        const isAway = !wasAway && blocks.length > 0;
        wasAway ||= isAway;
        if (isAway) return Promise.reject(new PatchbayError('store.unavailable'));
        for (const { number } of blocks) remembered.add(number);
        return Promise.resolve();
      },
    };
    await stage.listening(stage.aWatcher({ memory }));
    const first = await chain.head();
    await until(() => wasAway, 'the memory is away');

    await chain.mine(2);
    await until(() => remembered.has(first + 2), 'it remembers the newest block');

    expect([first, first + 1].filter((number) => !remembered.has(number))).toEqual([]);
  });

  it('given no memory of the abandoned blocks, when the listener returns, then it reads a whole window again', async () => {
    const first = stage.aWatcher();
    const heard = await stage.listening(first);
    await chain.transfer(33n);
    await until(() => heard.values.includes(33n), 'the transfer');
    await heard.stop();
    await first.close();

    await chain.call('anvil_reorg', [1, []]);
    await chain.transfer(34n);
    void heard.listen(stage.aWatcher({ windowSize: 8 }), { filter: { addresses: [chain.token], topics: [] } });

    await until(() => heard.values.includes(34n), 'the new chain');
    expect(heard.values).not.toContain(33n);
  });

  it('given a reorganisation deeper than the window, when the watcher sees it, then the watch ends with evm.reorgTooDeep', async () => {
    const watcher = stage.aWatcher({ windowSize: 4 });
    const heard = new HeardLogs();
    const failure = heard.listen(watcher);
    await until(() => heard.cursor !== undefined, 'the watch has begun');
    for (let block = 0; block < 6; block++) {
      // Not empty, so that the blocks which replace these cannot be the same.
      await chain.transfer(1n);
      const head = await chain.head();
      await until(() => watcher.status.head === head, 'the block');
    }

    await chain.call('anvil_reorg', [6, []]);

    await expect(failure).rejects.toMatchObject({ code: 'evm.reorgTooDeep' });
  });
});

describe('a node that misbehaves', () => {
  it('given a node that lets the newest block look empty, when a transfer is mined, then the receipts reveal it', async () => {
    const watcher = stage.aWatcher({}, [proxy.url]);
    const heard = await stage.listening(watcher);
    proxy.fault = async (call, forward) => (call.method === 'eth_getLogs' ? rpcResult(call, []) : await forward());

    await chain.transfer(41n);

    await until(() => heard.values.includes(41n), 'the transfer');
    expect(watcher.status.missedLogs).toBeGreaterThan(0);
  });

  it('given empty answers and no useful bloom, when the next blocks come, then the second look finds the log', async () => {
    const heard = await stage.listening(stage.aWatcher({}, [proxy.url]));
    let isLate = true;
    proxy.fault = async (call, forward) => {
      if (call.method === 'eth_getLogs' && isLate) return rpcResult(call, []);
      const answer = (await forward()) as { result?: { logsBloom?: string } };
      if (call.method.startsWith('eth_getBlockBy')) answer.result!.logsBloom = `0x${'0'.repeat(512)}`;
      return answer;
    };
    await chain.transfer(42n);
    const head = await chain.head();
    await until(() => proxy.calls.some((call) => asksUpTo(call, head)), 'the empty answer');
    isLate = false;

    await chain.mine();

    await until(() => heard.values.includes(42n), 'the late log');
  });

  it('given a limit on the range, when the past is read, then ranges shrink until they fit', async () => {
    const from = (await chain.head()) + 1;
    await chain.transfer(43n);
    await chain.mine(150);
    await chain.transfer(44n);
    proxy.fault = async (call, forward) => {
      const [query] = call.params as [{ fromBlock?: string; toBlock?: string }];
      const isWide = call.method === 'eth_getLogs' && Number(query.toBlock) - Number(query.fromBlock) >= 20;
      return isWide ? rpcError(call, -32_005, 'query exceeds max block range 20') : await forward();
    };
    const heard = await stage.listening(stage.aWatcher({}, [proxy.url]), { fromBlock: from });

    await until(() => heard.values.length === 2, 'both transfers');
    expect(heard.values).toEqual([43n, 44n]);
  });

  it('given throttling, garbage and broken connections, when the node recovers, then nothing was lost', async () => {
    const heard = await stage.listening(stage.aWatcher({}, [proxy.url]));
    let count = 0;
    proxy.fault = async (call, forward, response) => {
      count += 1;
      if (count % 4 === 1) {
        response.writeHead(429).end();
        return undefined;
      }
      if (count % 4 === 2) {
        response.destroy();
        return undefined;
      }
      return count % 4 === 3 ? { ...((await forward()) as object), id: 999_999 } : await forward();
    };
    await chain.transfer(45n);
    await chain.transfer(46n);
    await until(() => count > 6, 'some faults');
    proxy.fault = undefined;

    await until(() => heard.values.length === 2, 'both transfers');
    expect(heard.values).toEqual([45n, 46n]);
  });

  it('given a head that goes backwards, when it returns, then nothing was withdrawn', async () => {
    const watcher = stage.aWatcher({}, [proxy.url]);
    const heard = await stage.listening(watcher);
    await chain.transfer(47n);
    await until(() => heard.values.includes(47n), 'the transfer');
    const head = await chain.head();
    const before = proxy.calls.length;
    proxy.fault = async (call, forward) => {
      if (call.method !== 'eth_getBlockByNumber' || call.params[0] !== 'latest') return await forward();
      return rpcResult(call, await chain.call('eth_getBlockByNumber', [`0x${(head - 2).toString(16)}`, false]));
    };
    await until(() => proxy.calls.length > before + 4, 'some stale heads');
    proxy.fault = undefined;
    await chain.transfer(48n);

    await until(() => heard.values.includes(48n), 'the next transfer');
    expect(heard.retractions).toEqual([]);
  });

  it('given two nodes of which one is dead, when a transfer is mined, then it is heard through the other', async () => {
    const heard = await stage.listening(stage.aWatcher({}, ['http://127.0.0.1:9', chain.url]));

    await chain.transfer(49n);

    await until(() => heard.values.includes(49n), 'the transfer');
  });

  it('given a node of another chain, when the watch begins, then it is not believed and the status says so', async () => {
    proxy.fault = async (call, forward) => (call.method === 'eth_chainId' ? rpcResult(call, '0x1') : await forward());
    const watcher = stage.aWatcher({}, [proxy.url]);
    const heard = new HeardLogs();
    void heard.listen(watcher);
    stage.onClear(() => heard.stop());

    await until(() => watcher.status.state === 'troubled', 'the trouble');

    expect(watcher.status.error).toContain('is on chain 1, expected 31337');
    expect(heard.batches).toEqual([]);
  });
});

function asksUpTo(call: { method: string; params: readonly unknown[] }, block: number): boolean {
  return call.method === 'eth_getLogs' && Number((call.params[0] as { toBlock: string }).toBlock) >= block;
}

async function rawTransaction(block: number): Promise<string> {
  const { transactions } = await chain.call<{ transactions: string[] }>('eth_getBlockByNumber', [
    `0x${block.toString(16)}`,
    false,
  ]);
  return await chain.call('eth_getRawTransactionByHash', [transactions[0]]);
}
