import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { eventually } from '../builders/eventually.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { Target } from '../environment/target.js';

interface Run {
  readonly id: string;
  readonly state: string;
  readonly error: { code: string; message: string } | null;
}

let database: TestDatabase;
let target: Target;
let hub: HubProcess;

const postFlow = (name: string, more = ''): string => `
name: ${name}
trigger:
  uses: webhook.received
steps:
  - id: post
    uses: http.request
    with:
      method: POST
      url: ${target.url}/${name}
      body: { order: "{{event.body.order}}" }
    retry: { attempts: 2, backoff: fixed, delay: 50ms }
${more}`;

beforeAll(async () => {
  [database, target] = await Promise.all([createTestDatabase(), Target.start()]);
  hub = await HubProcess.create({
    databaseUrl: database.url,
    flows: {
      'orders.yaml': postFlow('orders'),
      'lanes.yaml': postFlow('lanes', 'orderingKey: "{{event.body.customer}}"'),
      'limited.yaml': postFlow('limited', 'concurrency: 2'),
    },
  });
  await hub.start();
});

afterAll(async () => {
  await hub.remove();
  await target.stop();
  await database.drop();
});

beforeEach(() => {
  target.deliveries.length = 0;
  target.answer = () => 200;
});

const send = (flow: string, body: unknown, headers: Record<string, string> = {}) =>
  hub.post<{ runs: string[]; duplicates: number }>(`/hooks/${flow}`, body, headers);
const runOf = (id: string) => hub.get<Run>(`/api/runs/${id}`);
const ended = (id: string, state: string) =>
  eventually(async () => ((await runOf(id)).state === state ? runOf(id) : undefined), { what: `${id} ${state}` });

describe('a webhook that becomes a call', () => {
  it('given a flow, when its webhook is called, then the call is made once and the run is completed', async () => {
    const { runs } = await send('orders', { order: 1 });

    await ended(runs[0] ?? '', 'completed');

    expect(target.deliveries.map(({ body }) => body)).toEqual([{ order: 1 }]);
  });

  it('given a request that was sent before, when it is sent again under its key, then nothing new is started', async () => {
    const first = await send('orders', { order: 2 }, { 'idempotency-key': 'order-2' });
    await ended(first.runs[0] ?? '', 'completed');

    const second = await send('orders', { order: 2 }, { 'idempotency-key': 'order-2' });

    expect(second).toMatchObject({ runs: first.runs, duplicates: 1 });
    expect(target.deliveries).toHaveLength(1);
  });

  it('given two customers, when their orders arrive, then each is served in order and neither waits for the other', async () => {
    let open = (): void => undefined;
    const gate = new Promise<number>((resolve) => (open = () => resolve(200)));
    target.answer = ({ body }) => ((body as { order: string }).order === 'a1' ? gate : 200);
    const sent = [];
    for (const order of ['a1', 'a2', 'b1', 'a3']) {
      sent.push(await send('lanes', { order, customer: order.charAt(0) }));
    }
    await ended(sent[2]?.runs[0] ?? '', 'completed');
    await eventually(() => target.deliveries.some(({ body }) => (body as { order: string }).order === 'a1'));
    const whileFirstWaits = target.deliveries.map(({ body }) => (body as { order: string }).order);
    open();
    await ended(sent[3]?.runs[0] ?? '', 'completed');

    expect(whileFirstWaits.sort()).toEqual(['a1', 'b1']);
    const ofA = target.deliveries
      .map(({ body }) => (body as { order: string }).order)
      .filter((id) => id.startsWith('a'));
    expect(ofA).toEqual(['a1', 'a2', 'a3']);
  });

  it('given a flow with concurrency 2, when six events arrive, then never more than two calls are under way', async () => {
    let now = 0;
    let most = 0;
    let open = (): void => undefined;
    const areTwo = new Promise<void>((resolve) => (open = resolve));
    target.answer = async () => {
      most = Math.max(most, ++now);
      if (now === 2) open();
      // The first is held until there is a second, and all a little while, so that a third would be seen.
      await Promise.all([areTwo, new Promise((resolve) => setTimeout(resolve, 30))]);
      now -= 1;
      return 200;
    };
    const sent = await Promise.all(Array.from({ length: 6 }, (_, order) => send('limited', { order })));

    await Promise.all(sent.map(({ runs }) => ended(runs[0] ?? '', 'completed')));

    expect(most).toBe(2);
  });
});

describe('a call that fails', () => {
  it('given a target that fails once, when the step is tried again, then it carries the same key and the run completes', async () => {
    let calls = 0;
    target.answer = () => (++calls === 1 ? 503 : 200);

    const { runs } = await send('orders', { order: 3 });
    await ended(runs[0] ?? '', 'completed');

    expect(target.deliveries).toHaveLength(2);
    expect(new Set(target.deliveries.map(({ key }) => key)).size).toBe(1);
  });

  it('given a dead letter, when its event is edited and it is retried, then the run completes with the edited event', async () => {
    target.answer = ({ body }) => ((body as { order: unknown }).order === 'wrong' ? 422 : 200);
    const { runs } = await send('orders', { order: 'wrong' });
    const id = runs[0] ?? '';
    const failed = await ended(id, 'failed');
    const { items } = await hub.get<{ items: Run[] }>('/api/dead-letters?flow=orders');

    await hub.post(`/api/dead-letters/${id}/retry`, { event: { body: { order: 'right' } } });
    await ended(id, 'completed');

    expect(failed.error?.code).toBe('http.rejected');
    expect(items.map((run) => run.id)).toContain(id);
    expect(target.deliveries.at(-1)?.body).toEqual({ order: 'right' });
  });

  it('given a completed run, when it is replayed, then a new run makes the call under a new key', async () => {
    const { runs } = await send('orders', { order: 4 });
    await ended(runs[0] ?? '', 'completed');

    const dry = await hub.post<{ runs: string[]; calls: object }>(`/api/runs/${runs[0]}/replay`, { dryRun: true });
    const real = await hub.post<{ runs: string[] }>(`/api/runs/${runs[0]}/replay`, {});
    await ended(real.runs[0] ?? '', 'completed');

    expect(dry).toMatchObject({ runs: [], calls: { 'http.request': 1 } });
    expect(new Set(target.deliveries.map(({ key }) => key)).size).toBe(2);
  });

  it('given a run under way, when it is cancelled, then its step is not tried again', async () => {
    let open = (): void => undefined;
    const gate = new Promise<number>((resolve) => (open = () => resolve(503)));
    target.answer = () => gate;
    const { runs } = await send('orders', { order: 5 });
    await eventually(() => target.deliveries.length > 0);

    await hub.post(`/api/runs/${runs[0]}/cancel`, {});
    open();

    expect((await runOf(runs[0] ?? '')).state).toBe('cancelled');
  });
});

describe('what a caller gets wrong', () => {
  const answer = async (path: string, init: RequestInit) => {
    const response = await fetch(hub.url + path, { method: 'POST', ...init });
    return { status: response.status, ...((await response.json()) as { code: string; detail: string }) };
  };
  const auth = () => ({ authorization: `Bearer ${hub.key}`, 'content-type': 'application/json' });

  it('given a body over the limit, then 413', async () => {
    const body = JSON.stringify({ text: 'x'.repeat(1_100_000) });
    expect(await answer('/hooks/orders', { headers: auth(), body })).toMatchObject({
      status: 413,
      code: 'request.tooLarge',
    });
  });

  it('given a body that is no JSON, then 400', async () => {
    expect(await answer('/hooks/orders', { headers: auth(), body: '{' })).toMatchObject({
      status: 400,
      code: 'request.invalid',
    });
  });

  it('given an unknown flow, then 404', async () => {
    expect(await answer('/hooks/nothing', { headers: auth(), body: '{}' })).toMatchObject({
      status: 404,
      code: 'flow.notFound',
    });
  });

  it('given no key, then 401', async () => {
    expect(
      await answer('/hooks/orders', { headers: { 'content-type': 'application/json' }, body: '{}' }),
    ).toMatchObject({
      status: 401,
      code: 'auth.missing',
    });
  });

  it('given an id that is none, then 404 and no error of the database', async () => {
    const response = await fetch(`${hub.url}/api/runs/'--`, { headers: auth() });
    expect(response.status).toBe(404);
  });
});

describe('a flow file that changes', () => {
  it('given a fault in the new text, when it is saved, then every fault is told and the last good version runs on', async () => {
    await hub.writeFlow(
      'orders.yaml',
      'name: orders\ntrigger: { uses: nothing.known }\nsteps: [{ uses: http.reqest }]\n',
    );
    const faults = await eventually(async () => {
      const { flows } = await hub.get<{ flows: { name: string; faults: unknown[] }[] }>('/api/flows');
      const found = flows.find((flow) => flow.name === 'orders')?.faults ?? [];
      return found.length > 0 ? found : undefined;
    });

    const { runs } = await send('orders', { order: 6 });
    await ended(runs[0] ?? '', 'completed');
    await hub.writeFlow('orders.yaml', postFlow('orders'));

    expect(faults.length).toBeGreaterThanOrEqual(2);
  });

  it('given a paused flow, when its webhook is called, then the caller is told and nothing is kept', async () => {
    await hub.post('/api/flows/limited/pause', {});
    const response = await fetch(`${hub.url}/hooks/limited`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hub.key}`, 'content-type': 'application/json' },
      body: '{}',
    });
    await hub.post('/api/flows/limited/resume', {});

    expect(response.status).toBe(409);
  });
});

describe('live progress', () => {
  it('given a socket with a key, when a run goes on, then its states arrive', async () => {
    const socket = io(`${hub.url}/runs`, { auth: { key: hub.key }, transports: ['websocket'] });
    const states: string[] = [];
    socket.on('progress', (items: { state?: string }[]) => states.push(...items.flatMap(({ state }) => state ?? [])));
    await new Promise<void>((resolve, reject) => {
      socket.on('connect', resolve);
      socket.on('connect_error', reject);
    });

    await eventually(async () => {
      await send('orders', { order: 7 });
      return states.includes('running') && states.includes('completed');
    });
    socket.disconnect();
  });

  it('given a socket without a key, then it is refused', async () => {
    const socket = io(`${hub.url}/runs`, { auth: {}, transports: ['websocket'], reconnection: false });
    const message = await new Promise<string>((resolve) =>
      socket.on('connect_error', (error) => resolve(error.message)),
    );
    socket.disconnect();

    expect(message).toMatch(/auth/);
  });
});

describe('stopping and starting', () => {
  it('given work under way, when the hub is stopped and started, then it ends in order and the work is done', async () => {
    let open = (): void => undefined;
    const gate = new Promise<number>((resolve) => (open = () => resolve(200)));
    target.answer = () => gate;
    const { runs } = await send('orders', { order: 8 });
    // A run of an earlier story may still be at it.
    const own = () => target.deliveries.filter(({ key }) => key.startsWith(runs[0] ?? 'none'));
    await eventually(() => own().length > 0);

    const stopping = hub.stop();
    open();
    const code = await stopping;
    await hub.start();
    await ended(runs[0] ?? '', 'completed');

    expect(code).toBe(0);
    expect(new Set(own().map(({ key }) => key)).size).toBe(1);
  });

  it('given a port that something else listens on, when a hub starts, then it says so, and what to do', async () => {
    const second = await HubProcess.create({ databaseUrl: database.url, flows: {} });
    const other = createServer((socket) => socket.destroy()).listen(second.port, '127.0.0.1');
    await once(other, 'listening');

    await expect(second.start()).rejects.toThrow(
      new RegExp(`Port ${second.port} is taken.*PATCHBAY_PORT=${second.port + 1}`, 's'),
    );

    await second.remove();
    await new Promise((resolve) => other.close(resolve));
  });
});
