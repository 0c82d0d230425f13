import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../test/builders/eventually.js';
import { openTestStore } from '../../../test/environment/postgres.js';
import { hasRedis, startTestRedis, type TestRedis } from '../../../test/environment/redis.js';
import { loadConfig } from '../config/config.loader.js';
import { createLog } from '../log/log.js';
import type { Store } from '../store/store.js';
import { createQueues, type Queues } from './queues.js';
import { rareErrors } from './rare-errors.js';

const log = createLog({ level: 'silent', format: 'json' });
let redis: TestRedis | undefined;
let store: Store;

beforeAll(async () => {
  [store, redis] = await Promise.all([openTestStore(), hasRedis ? startTestRedis() : undefined]);
});

afterAll(async () => {
  await store.close();
  await redis?.stop();
});

describe.each([
  { backend: 'postgres' as const, env: () => ({}) },
  ...(hasRedis ? [{ backend: 'redis' as const, env: () => ({ REDIS_URL: redis?.url }) }] : []),
])('queues on $backend', ({ backend, env }) => {
  const opened: Queues[] = [];
  const open = async (more: Record<string, string> = {}): Promise<Queues> => {
    const queues = await createQueues({ config: loadConfig({ ...env(), ...more }), store, log });
    opened.push(queues);
    return queues;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queues) => queues.close()));
  });

  it('given a worker, when jobs are added, then it gets each once and nothing of them is kept', async () => {
    const queues = await open();
    const got: number[] = [];
    queues.worker<{ n: number }>('many', async ({ data }) => void got.push(data.n), { concurrency: 5 });

    await queues.queue<{ n: number }>('many').add([1, 2, 3, 4].map((n) => ({ name: 'count', data: { n } })));

    await eventually(() => got.length === 4);
    expect(queues.backend).toBe(backend);
    expect(got.sort()).toEqual([1, 2, 3, 4]);
    await eventually(async () => (await queues.counts('many')).active === 0);
    expect(await queues.counts('many')).toEqual({ waiting: 0, active: 0, delayed: 0 });
  });

  it('given a job that waits, when one with the same id is added, then there is still one', async () => {
    const queues = await open();

    await queues.queue('same').add([{ name: 'run', id: 'r-1', data: {} }]);
    await queues.queue('same').add([{ name: 'run', id: 'r-1', data: {} }]);
    await queues.queue('same').add([{ name: 'run', id: 'r-2', data: {}, delayMs: 60_000 }]);

    expect(await queues.counts('same')).toEqual({ waiting: 1, active: 0, delayed: 1 });
  });

  it('given a job under way, when the queues close, then they wait for it', async () => {
    const queues = await open();
    let state = 'waiting';
    queues.worker(
      'slow',
      async () => {
        state = 'active';
        await delay(300);
        state = 'done';
      },
      { concurrency: 1 },
    );
    await queues.queue('slow').add([{ name: 'run', data: {} }]);
    await eventually(() => state === 'active');

    await queues.close();

    expect(state).toBe('done');
    opened.length = 0;
  });

  it('given a job that does not end, when the queues close, then they wait no longer than they may', async () => {
    const queues = await open({ PATCHBAY_SHUTDOWN_SECONDS: '1' });
    let isUnderWay = false;
    const workForEver = () => new Promise<void>(() => (isUnderWay = true));
    queues.worker('stuck', workForEver, { concurrency: 1 });
    await queues.queue('stuck').add([{ name: 'run', data: {} }]);
    await eventually(() => isUnderWay);
    const started = Date.now();

    await queues.close();

    expect(Date.now() - started).toBeLessThan(30_000);
    opened.length = 0;
  });

  it('given a schedule, when its time comes, then a job is there, and none once it is removed', async () => {
    const queues = await open();
    const got: unknown[] = [];
    queues.worker('clock', async ({ data }) => void got.push(data), { concurrency: 1 });

    await queues.schedule('clock', 'each-second', { pattern: '* * * * * *', tz: 'UTC' }, { source: 's1' });
    await eventually(() => got.length > 0);
    await queues.unschedule('clock', 'each-second');

    expect(got[0]).toEqual({ source: 's1' });
    expect((await queues.counts('clock')).delayed).toBe(0);
  });

  it('given a schedule whose time has come while nobody worked, when it is set up once more, then what was due is still due', async () => {
    const queues = await open();
    const got: string[] = [];
    const setUp = () =>
      queues.schedule('kept', 'each-second', { pattern: '* * * * * *', tz: 'UTC' }, { a: 1, bc: 's1' });

    await setUp();
    const dueBy = Date.now() + 1_000;
    await eventually(() => Date.now() > dueBy);
    await setUp();
    queues.worker('kept', async ({ id }) => void got.push(id), { concurrency: 1 });
    await eventually(() => got.length > 1);
    await queues.unschedule('kept', 'each-second');

    expect(Number(got[0]?.split(':')[2])).toBeLessThanOrEqual(dueBy);
  });

  it('given a schedule that is taken away or another one, when it is set up once more, then it is as it was asked for', async () => {
    const queues = await open();
    const got: unknown[] = [];
    const setUp = (pattern: string, source: string) =>
      queues.schedule('renewed', 'each-second', { pattern, tz: 'UTC' }, { source });

    await setUp('0 0 1 1 *', 's1');
    await queues.unschedule('renewed', 'each-second');
    await setUp('0 0 1 1 *', 's1');
    expect((await queues.counts('renewed')).delayed).toBe(1);
    await setUp('* * * * * *', 's1');
    await setUp('* * * * * *', 's2');
    queues.worker('renewed', async ({ data }) => void got.push(data), { concurrency: 1 });
    await eventually(() => got.length > 0);
    await queues.unschedule('renewed', 'each-second');

    expect(got[0]).toEqual({ source: 's2' });
  });

  it('given a handler that throws, when a job is added, then the next jobs are still worked on', async () => {
    const queues = await open();
    const got: string[] = [];
    queues.worker(
      'faulty',
      async ({ name }) => {
        if (name === 'bad') throw new Error('a fault of ours');
        got.push(name);
      },
      { concurrency: 1 },
    );

    await queues.queue('faulty').add([
      { name: 'bad', data: {} },
      { name: 'good', data: {} },
    ]);

    await eventually(() => got.length === 1);
  });
});

if (!hasRedis) it.skip('queues on redis: redis-server is not installed', () => undefined);

describe('a queue that cannot be reached', () => {
  it('given no Redis at the address, when a job is added, then it fails within seconds and says so', async () => {
    const queues = await createQueues({
      config: loadConfig({ REDIS_URL: '/does/not/exist.sock' }),
      store,
      log,
      answerMs: 500,
    });

    const adding = queues.queue('any').add([{ name: 'run', data: {} }]);

    await expect(adding).rejects.toMatchObject({ code: 'hub.busy' });
    await queues.close();
  });

  it('given a database that lets nobody in at first, when it does, then workers work and jobs are added', async () => {
    const { connectionString = '' } = store.connection;
    const url = new URL(connectionString.replace('@/', '@unix/'));
    const socket = `${url.searchParams.get('host') ?? ''}/.s.PGSQL.${url.searchParams.get('port') ?? ''}`;
    let isOpen = false;
    let turnedAway = 0;
    const door = createServer((caller) => {
      caller.on('error', () => caller.destroy());
      if (isOpen) return void pipeline(caller, connect(socket), caller, () => undefined);
      turnedAway += 1;
      caller.destroy();
    }).listen(0, '127.0.0.1');
    await once(door, 'listening');
    url.search = '';
    url.host = `127.0.0.1:${String((door.address() as AddressInfo).port)}`;
    let errors = 0;
    const counting = createLog({ level: 'debug', format: 'json' }, { write: () => void (errors += 1) });
    const queues = await createQueues({
      config: loadConfig({}),
      store: { connection: { connectionString: url.href } },
      log: counting,
    });
    const got: string[] = [];
    queues.worker('late', async ({ name }) => void got.push(name), { concurrency: 1 });
    const add = () => queues.queue('late').add([{ name: 'run', id: 'one', data: {} }]);

    await eventually(() => turnedAway > 0);
    await expect(add()).rejects.toMatchObject({ code: 'hub.busy' });
    expect(errors).toBeLessThan(10);
    isOpen = true;
    await eventually(() =>
      add().then(
        () => true,
        () => false,
      ),
    );
    await eventually(() => got.length > 0);

    await queues.close();
    door.close();
  });

  it('given thousands of errors, when they come at once, then the log gets one and later the number', () => {
    const lines: string[] = [];
    const loud = createLog({ level: 'warn', format: 'json' }, { write: (line) => void lines.push(line) });
    let now = 0;
    const onError = rareErrors(loud, 'The job queue has failed', () => now);

    for (let i = 0; i < 5000; i++) onError(new Error('gone'));
    now = 11_000;
    onError(new Error('gone'));

    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ unlogged: 4999 });
  });
});
