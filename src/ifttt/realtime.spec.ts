import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLeases, joinInstances, type Instance, type Leases, type Store } from '#platform';
import { Secret, type IftttServiceSettings } from '#sdk';
import { IftttStandIn } from '../../sandbox/ifttt/ifttt.js';
import { aHttpClient, silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { inTurns } from '../../test/builders/in-turns.js';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { IdentitiesStore, feedOfSlug } from './identities.store.js';
import { ItemsStore } from './items.store.js';
import { StoredPublishedItems } from './published-items.js';
import { RealtimeService, type RealtimeTimes } from './realtime.service.js';
import type { ServiceAccount } from './service-account.js';

const slugs = ['whale_alert', 'order_paid', 'shrimp_alert'];
const identitiesOfEach = 500;
const quick: RealtimeTimes = { pauseMs: 150, firstBackOffMs: 300 };

let store: Store;
let instance: Instance;
let leases: Leases;
let standIn: IftttStandIn;
let server: StandInServer;
let identities: IdentitiesStore;
let published: StoredPublishedItems;

beforeAll(async () => {
  store = await openTestStore();
  instance = await joinInstances(store, { name: 'spec', roles: ['listener'], log: silentLog });
  leases = createLeases(store, instance, silentLog);
  identities = new IdentitiesStore(store.db);
  published = new StoredPublishedItems(new ItemsStore(store.db));
});

beforeEach(async () => {
  standIn = new IftttStandIn({ makerKey: 'maker', serviceKey: 'right' });
  server = await startStandIn(standIn);
  await store.db.deleteFrom('ifttt_identity').execute();
});

afterAll(async () => {
  await leases.close();
  await instance.leave();
  await store.close();
});

function start({ key = 'right', times }: { key?: string; times?: RealtimeTimes } = {}): RealtimeService {
  const settings: IftttServiceSettings = {
    key: new Secret(key),
    id: undefined,
    realtimeUrl: server.url,
    oauth: undefined,
  };
  const account = { find: () => Promise.resolve(settings) } as unknown as ServiceAccount;
  const service = new RealtimeService({
    account,
    identities,
    http: aHttpClient(),
    leases,
    log: silentLog,
    ...(times && { times }),
  });
  service.start();
  return service;
}

async function see(identity: string, slug = 'whale_alert'): Promise<void> {
  await identities.see({ identity, slug, feed: feedOfSlug(slug), fields: {} });
}

const publish = (id: string, slug = 'whale_alert') =>
  published.publish({ slug, id, time: new Date().toISOString(), ingredients: { amount: '1' } });

const calls = () =>
  server.requests().map(({ at, body, status }) => {
    const { data } = JSON.parse(body) as { data: { trigger_identity: string }[] };
    return { at: Date.parse(at), status, identities: data.map((entry) => entry.trigger_identity) };
  });

const gaps = () =>
  calls()
    .slice(1)
    .map(({ at }, index) => at - calls()[index]!.at);

describe('Realtime', () => {
  it('given 10,000 events for 1,500 identities and an IFTTT that refuses now and then, when they are published, then calls keep their distance, no identity is twice in a call, and everybody is told', async () => {
    for (const slug of slugs) {
      const names = Array.from({ length: identitiesOfEach }, (_, index) => `${slug}-${index}`);
      await inTurns(names, (name) => see(name, slug));
    }
    server.faults.set('ifttt', { status: 500, everyNth: 3, times: 2 });
    const service = start({ times: quick });

    const events = Array.from({ length: 10_000 }, (_, index) => index);
    const publishEach = (some: readonly number[]) =>
      inTurns(some, (index) => publish(`event-${index}`, slugs[index % slugs.length]));
    await publishEach(events.slice(0, -slugs.length));
    const lastAt = Date.now();
    await publishEach(events.slice(-slugs.length));
    await eventually(async () => (await identities.counts()).untold === 0, { withinMs: 40_000 });
    await service.stop();
    await server.stop();

    // A call takes 1,000 identities.
    expect(calls().length).toBeGreaterThanOrEqual(2);
    // From the answer on, while the stand-in notes when a call came: to a millisecond.
    expect(Math.min(...gaps())).toBeGreaterThanOrEqual(quick.pauseMs - 1);
    for (const call of calls()) {
      expect(call.identities.length).toBeLessThanOrEqual(1_000);
      expect(new Set(call.identities).size).toBe(call.identities.length);
    }
    const afterLast = calls().filter(({ at, status }) => at >= lastAt && status === 200);
    expect(new Set(afterLast.flatMap((call) => call.identities)).size).toBe(slugs.length * identitiesOfEach);
    const { count } = await store.db
      .selectFrom('ifttt_item')
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow();
    expect(Number(count)).toBe(10_000);
  });

  it('given an item, when it is published, then IFTTT is told at once, once, and of the next a second later', async () => {
    await see('one');
    const service = start();
    await publish('first');
    const at = Date.now();
    await eventually(() => calls().length > 0);
    await eventually(async () => (await identities.counts()).untold === 0);
    await publish('next');
    await eventually(async () => (await identities.counts()).untold === 0);
    await service.stop();
    await server.stop();

    expect(calls()).toMatchObject([{ identities: ['one'] }, { identities: ['one'] }]);
    expect(calls()[0]!.at - at).toBeLessThan(10_000);
    // Timers and stamps are exact to a millisecond.
    expect(gaps()[0]).toBeGreaterThanOrEqual(998);
  });

  it('given an IFTTT that says when to come again, when it refuses, then nothing is sent before, and nothing is lost', async () => {
    await see('one');
    server.faults.set('ifttt', { status: 429, headers: { 'retry-after': '1' }, times: 1 });
    const service = start({ times: quick });
    await publish('second');
    await eventually(() => calls().length === 2);
    await service.stop();
    await server.stop();

    expect(calls().map(({ status }) => status)).toEqual([429, 200]);
    expect(gaps()[0]).toBeGreaterThanOrEqual(998);
  });

  it('given a hub that stops before IFTTT took the news, when it starts again, then IFTTT is told', async () => {
    await see('one');
    server.faults.set('ifttt', { status: 503 });
    const first = start({ times: quick });
    await publish('third');
    await eventually(() => calls().length === 1);
    await first.stop();
    server.faults.clear();
    const second = start({ times: quick });
    await eventually(() => calls().some(({ status }) => status === 200));
    await second.stop();
    await server.stop();

    expect(calls().at(-1)).toMatchObject({ identities: ['one'] });
  });

  it('given a key that IFTTT refuses, when there is news, then it is dropped: the Applet waits for its next poll', async () => {
    await see('one');
    const service = start({ key: 'wrong', times: quick });
    await publish('fourth');
    await eventually(async () => (await identities.counts()).untold === 0 && calls().length === 1);
    await service.stop();
    await server.stop();

    expect(calls()).toMatchObject([{ status: 401 }]);
  });
});

describe('what IFTTT is yet to be told', () => {
  it('given a process that slept while it told, when another tells of newer news, then those stay noted until it has told them', async () => {
    await see('applet');
    await publish('before it slept');
    const slow = await identities.untold(10);
    await publish('while it slept');
    const other = await identities.untold(10);

    await identities.told(slow);

    expect(await identities.counts()).toMatchObject({ untold: 1 });
    await identities.told(other);
    expect(await identities.counts()).toMatchObject({ untold: 0 });
  });
});
