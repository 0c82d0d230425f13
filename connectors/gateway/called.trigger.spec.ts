import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GatewayCall } from '#evm';
import { GatewayCallRetention, KyselyGatewayCallFeed } from '#gateway';
import { Signals, createLog, type Store } from '#platform';
import type { Heard, ServiceToken } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { called } from './called.trigger.js';

const log = createLog({ level: 'silent', format: 'json' });
const address = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
let store: Store;
let signals: Signals;
let feed: KyselyGatewayCallFeed;

beforeAll(async () => {
  store = await openTestStore();
  signals = new Signals({ connection: store.connection, pool: store.pool, name: 'spec', log });
  await signals.start();
  feed = new KyselyGatewayCallFeed(store.db, signals);
});

afterAll(async () => {
  await signals.close();
  await store.close();
});

function aCall(overrides: Partial<GatewayCall> = {}): GatewayCall {
  return {
    id: randomUUID(),
    time: '2026-01-01T00:00:00.000Z',
    caller: 'shop',
    network: 'local',
    chainId: 31_337,
    contract: { name: 'escrow', address },
    function: 'release(uint256)',
    kind: 'send',
    args: { id: '7' },
    transaction: randomUUID(),
    ...overrides,
  };
}

interface Listening {
  readonly heard: Heard<unknown>[];
  readonly cursor: () => string | undefined;
  stop(): Promise<void>;
}

/** Runs the trigger as the hub would, until it has begun. */
async function listening(input: object, from?: string): Promise<Listening> {
  const heard: Heard<unknown>[] = [];
  const stop = new AbortController();
  let cursor = from;
  const ended = called.listen!({
    input: called.input.parse(input),
    client: undefined,
    cursor: from,
    signal: stop.signal,
    log,
    use: <T>(_token: ServiceToken<T>) => feed as T,
    emit: (events, options) => {
      heard.push(...(Array.isArray(events) ? events : [events as Heard]));
      cursor = options?.cursor ?? cursor;
      return Promise.resolve();
    },
    retract: () => Promise.resolve(),
    recall: () => Promise.resolve(new Map()),
    report: () => Promise.resolve(),
  });
  await eventually(() => cursor);
  return {
    heard,
    cursor: () => cursor,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

describe('gateway.called', () => {
  it('given calls, when they come in, then those that are asked for are heard, once and in order', async () => {
    const beginning = await feed.tail();
    await feed.add(aCall({ function: 'before()' }));
    // Another transaction of the same server may keep a call from being passed over for a moment.
    await eventually(async () => (await feed.read(beginning, 10)).length > 0);
    const all = await listening({ kind: 'any' });
    const some = await listening({ contract: address.toUpperCase().replace('X', 'x'), function: 'release' });
    const calls = [
      aCall(),
      aCall({ kind: 'read', function: 'total()', args: {}, result: '5' }),
      aCall({ function: 'release(uint256)', contract: { address: `0x${'11'.repeat(20)}` } }),
    ];
    for (const call of [...calls, calls[0]!]) await feed.add(call);
    await eventually(() => all.heard.length >= 3);
    await eventually(() => some.heard.length >= 1);

    expect(all.heard.map(({ id }) => id)).toEqual(calls.map(({ id }) => id));
    expect(some.heard).toMatchObject([{ id: calls[0]!.id, subject: address, event: { args: { id: '7' } } }]);
    for (const { event } of all.heard) expect(called.event.safeParse(event).success).toBe(true);
    await Promise.all([all.stop(), some.stop()]);
  });

  it('given a listener that stopped, when it goes on at its cursor, then it hears what came meanwhile', async () => {
    const first = await listening({});
    await feed.add(aCall({ function: 'one()' }));
    await eventually(() => first.heard.length === 1);
    await first.stop();
    await feed.add(aCall({ function: 'two()' }));

    const second = await listening({}, first.cursor());
    await eventually(() => second.heard.length === 1);

    expect(second.heard).toMatchObject([{ event: { function: 'two()' } }]);
    await second.stop();
  });

  it('given a call that is committed after a later one, when the feed is read, then neither is passed over', async () => {
    const after = await feed.tail();
    const [early, late] = [aCall({ function: 'early()' }), aCall({ function: 'late()' })];
    const client = await store.pool.connect();
    await client.query('begin');
    await client.query('insert into gateway_call (id, item) values ($1, $2)', [early.id, JSON.stringify(early)]);
    await feed.add(late);
    const meanwhile = await feed.read(after, 10);
    await client.query('commit');
    client.release();

    expect(meanwhile).toEqual([]);
    // Specs beside this one write in the same server, which holds the feed up until they are done.
    const entries = await eventually(async () => {
      const read = await feed.read(after, 10);
      return read.length === 2 && read;
    });
    expect(entries.map(({ item }) => item.function)).toEqual(['early()', 'late()']);
    expect(entries.map(({ cursor }) => cursor)).toEqual(entries.map(({ cursor }) => cursor).toSorted());
  });

  it('given old calls, when the store is cleaned, then only they are deleted', async () => {
    const [old, young] = [aCall(), aCall()];
    await feed.add(old);
    await feed.add(young);
    await store.db
      .updateTable('gateway_call')
      .set({ at: new Date(Date.now() - 40 * 86_400_000) })
      .where('id', '=', old.id)
      .execute();

    expect(await new GatewayCallRetention({ db: store.db, eventDays: 30, log }).clean()).toBe(1);
    const left = await store.db.selectFrom('gateway_call').select('id').where('id', 'in', [old.id, young.id]).execute();
    expect(left).toEqual([{ id: young.id }]);
  });
});
