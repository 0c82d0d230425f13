import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { DevChain } from '../../src/evm/testing/dev-chain.js';
import { Receiver } from '../../src/streams/testing/receiver.js';
import { eventually } from '../builders/eventually.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { Target } from '../environment/target.js';

interface Position {
  readonly lag: { readonly blocks: number } | null;
}

let database: TestDatabase;
let chain: DevChain;
let target: Target;
let receiver: Receiver;
let hub: HubProcess;

beforeAll(async () => {
  [database, chain, target, receiver] = await Promise.all([
    createTestDatabase(),
    DevChain.start(),
    Target.start(),
    Receiver.start(),
  ]);
  hub = await HubProcess.create({
    databaseUrl: database.url,
    flows: {
      'told.yaml': `
name: told
trigger: { uses: webhook.received }
steps: [{ uses: http.request, with: { method: POST, url: "${target.url}/told", body: { value: "{{event.body.data.args.value}}" } } }]
onReverted: [{ uses: http.request, with: { method: POST, url: "${target.url}/undone", body: { value: "{{event.body.data.args.value}}" } } }]
`,
    },
  });
  const book = join(hub.folder, 'book.yaml');
  await writeFile(book, `contracts: { token: { address: '${chain.token}', abi: DemoToken } }`);
  await writeFile(
    join(hub.folder, 'patchbay.yaml'),
    `networks: { local: { rpcUrl: "${chain.url}", chainId: 31337, addressBook: "${book}" } }`,
  );
  await hub.start();
});

afterAll(async () => {
  await hub.remove();
  await Promise.all([chain.stop(), target.stop(), receiver.stop()]);
  await database.drop();
});

const aStream = (
  name: string,
  to: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
) => ({
  name,
  contracts: ['token'],
  events: [{ event: 'Transfer' }],
  batch: { size: 10, timeout: '20ms' },
  retry: { delay: '50ms', maxDelay: '200ms' },
  target: to,
  ...more,
});

const told = (path: string) =>
  target.deliveries.filter((one) => one.path === path).map(({ body }) => String((body as { value: unknown }).value));

describe('event streams of a hub', () => {
  it('given a definition with faults, when it is created, then each is named and nothing is kept', async () => {
    const broken = { ...aStream('broken', { type: 'webhook', url: 'nowhere' }), batch: { size: 0 }, colour: 'red' };
    await expect(hub.post('/api/streams', broken)).rejects.toThrow(/400.*target\/url.*/s);
    const unknown = aStream('unknown', { type: 'webhook', url: receiver.url }, { events: [{ event: 'Nothing' }] });
    await expect(hub.post('/api/streams', unknown)).rejects.toThrow(/404.*no event Nothing/s);
    expect(await hub.get('/api/streams')).toEqual({ items: [] });
  });

  it('given the target flow, when events happen, then each starts one run; when one is taken back, its run is reverted', async () => {
    await hub.post('/api/streams', aStream('to-flow', { type: 'flow', flow: 'told' }));
    await chain.transfer(11n);
    await chain.transfer(12n);
    await eventually(() => told('/told').length === 2);
    expect(told('/told').sort()).toEqual(['11', '12']);

    await chain.call('anvil_reorg', [1, []]);
    await chain.transfer(13n);
    await chain.mine(16);

    await eventually(() => told('/undone').length === 1 && told('/told').length === 3);
    expect(told('/undone')).toEqual(['12']);
    expect(told('/told').sort()).toEqual(['11', '12', '13']);
  });

  it('given the target websocket, when a client listens over socket.io, then it gets numbered batches until it has acknowledged them', async () => {
    await hub.post('/api/streams', aStream('to-socket', { type: 'websocket' }));
    const socket = io(`${hub.url}/streams`, { auth: { key: hub.key }, transports: ['websocket'] });
    const got: { batch: number; events: { data: { args: { value: string } } }[] }[] = [];
    socket.on('batch', (message: (typeof got)[number]) => {
      got.push(message);
      if (got.length > 1) socket.emit('ack', { stream: 'to-socket', batch: message.batch });
      else socket.emit('error', { stream: 'to-socket', batch: message.batch, message: 'not yet' });
    });
    socket.emit('listen', { stream: 'to-socket' });
    await chain.transfer(21n);
    await eventually(() => got.length === 2);
    await chain.transfer(22n);
    await eventually(() => got.length === 3);
    socket.close();

    expect(got.map(({ batch }) => batch)).toEqual([1, 1, 2]);
    expect(got.map(({ events }) => events.map(({ data }) => data.args.value))).toEqual([['21'], ['21'], ['22']]);
  });

  it('given a hub that is killed again and again, when it delivers, then every event arrives in order and hardly one twice', async () => {
    await hub.post('/api/streams', aStream('to-webhook', { type: 'webhook', url: receiver.url }));
    for (let round = 1; round <= 3; round++) {
      const before = receiver.events.length;
      await chain.transferMany(60, BigInt(1_000 + round));
      await eventually(() => receiver.events.length >= before + 20);
      await hub.kill();
      await hub.start();
    }
    const distinct = () => [...new Set(receiver.events.map(({ id }) => id))];
    await eventually(() => distinct().length >= 180, { withinMs: 90_000 });

    expect(distinct()).toHaveLength(180);
    // A batch comes again only when the kill fell between its acceptance and the note of it.
    expect(receiver.events.length - 180).toBeLessThanOrEqual(30);
    const order = distinct().map((id) => {
      const event = receiver.events.find((one) => one.id === id);
      return Number((event?.data['args'] as { value: string }).value);
    });
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    // The receiver has the last batch before the hub has noted that.
    const [position, ...others] = await eventually(async () => {
      const { positions } = await hub.get<{ positions: Position[] }>('/api/streams/to-webhook');
      return positions[0]?.lag?.blocks === 0 && positions;
    });
    expect(position).toMatchObject({ failures: 0, error: null, lag: { blocks: 0, seconds: 0 } });
    expect(others).toEqual([]);
    await eventually(
      async () => {
        const metrics = await fetch(`${hub.url}/metrics`, { headers: { authorization: `Bearer ${hub.key}` } });
        return (await metrics.text()).includes('patchbay_stream_lag_blocks{stream="to-webhook"} 0\n');
      },
      { what: 'The metric that says so' },
    );
  }, 300_000);
});
