import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { Receiver } from '../../src/streams/testing/receiver.js';
import { eventually } from '../builders/eventually.js';
import { ChainTraffic } from '../environment/chain-traffic.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { silentLog } from '../environment/silent-log.js';

const downMs = 60_000;
const kills = 10;
const batchSize = 20;

describe('a stream whose consumer and hub go away', () => {
  let database: TestDatabase;
  let sandbox: Sandbox;
  let receiver: Receiver;
  let hub: HubProcess;

  beforeAll(async () => {
    [database, sandbox, receiver] = await Promise.all([
      createTestDatabase(),
      startSandbox({ port: 0, chainPort: 0, blockTimeSeconds: 1, log: silentLog }),
      Receiver.start(),
    ]);
    hub = await HubProcess.create({
      databaseUrl: database.url,
      flows: {},
      configuration: `networks:\n  local: { rpcUrl: "${sandbox.chain.url}", chainId: 31337, confirmations: 0 }\n`,
    });
    await hub.start();
  }, 120_000);

  afterAll(async () => {
    await hub.remove();
    await Promise.all([sandbox.stop(), receiver.stop()]);
    await database.drop();
  }, 60_000);

  it(`given a consumer that is down for ${String(downMs / 1_000)} s and a hub that is killed ${String(kills)} times, when both are back, then every event has come in order, and at most a batch a kill twice`, async () => {
    await hub.post('/api/streams', {
      name: 'transfers',
      contracts: ['usdc'],
      events: [{ event: 'Transfer' }],
      batch: { size: batchSize, timeout: '100ms' },
      retry: { delay: '100ms', maxDelay: '1s' },
      target: { type: 'webhook', url: receiver.url },
    });
    await eventually(async () => {
      const { positions } = await hub.get<{ positions: { cursor: string | null }[] }>('/api/streams/transfers');
      return positions.some(({ cursor }) => cursor !== null);
    });
    const traffic = new ChainTraffic(sandbox.chain.rpc, 15);
    await eventually(() => receiver.events.length > 50, { what: 'the first events' });

    receiver.answer = (count, response) => {
      // Refused, left alone and cut off, each in its turn.
      if (count % 3 === 0) response.destroy();
      return count % 3 === 1 ? 503 : undefined;
    };
    await delay(downMs);
    receiver.answer = () => 200;
    for (let kill = 0; kill < kills; kill++) {
      await delay(randomInt(100, 1_500));
      await hub.kill();
      await hub.start();
    }
    const sent = await traffic.stop();

    const ids = (): Set<string> => new Set(receiver.events.map(({ id }) => id));
    await eventually(() => ids().size >= sent, { withinMs: 60_000, what: 'every event' });
    const events = receiver.events;
    expect(ids().size).toBe(sent);
    expect(events.length - sent).toBeLessThanOrEqual(kills * batchSize);
    const firsts = [...new Map(events.toReversed().map((event) => [event.id, event])).values()].toReversed();
    const places = firsts.map(({ data }) => {
      const { block, log } = data as { block: { number: number }; log: { index: number } };
      return block.number * 100_000 + log.index;
    });
    expect(places).toEqual([...places].sort((one, other) => one - other));
  }, 400_000);
});
