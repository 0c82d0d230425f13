import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuditLog, createVault, type Caller } from '#platform';
import type { StreamsService } from '#streams';
import { holdNext } from '../../test/builders/hold-next.js';
import { awayOnce } from '../../test/builders/overlaid.js';
import { DeliveryStage } from '../streams/testing/delivery-stage.js';
import { OldStreams } from './event-streams.js';
import { OldStreamsStore } from './event-streams.store.js';
import { OldSubscriptions } from './subscriptions.js';

const operator: Caller = { id: 'operator', name: 'operator', scopes: ['admin'] };
const vault = createVault(Buffer.alloc(32, 7));
const transfer = { name: 'Transfer', inputs: [{ name: 'value', type: 'uint256' }] };

let stage: DeliveryStage;
let service: StreamsService;
let store: OldStreamsStore;

beforeAll(async () => {
  stage = await DeliveryStage.start();
});

beforeEach(async () => {
  ({ service } = await stage.aProcess());
  store = new OldStreamsStore(stage.store.db, vault);
});

afterEach(async () => {
  await stage.clear();
  await stage.store.db.deleteFrom('ethconnect_stream').execute();
});

afterAll(() => stage.close());

function oldStreams(parts: { readonly store?: OldStreamsStore; readonly streams?: StreamsService } = {}): OldStreams {
  return new OldStreams({ store, streams: service, audit: new AuditLog(stage.store.db), ...parts });
}

/** An event stream, and what the streams of its subscriptions are called. */
async function anEventStream(fields: object = {}) {
  const owners = oldStreams();
  const subscriptions = new OldSubscriptions({ owners, streams: service, audit: new AuditLog(stage.store.db) });
  const webhook = { url: stage.receiver.url };
  const { id } = (await owners.create({ type: 'webhook', webhook, ...fields }, operator)) as { id: string };
  const names: string[] = [];
  for (const name of ['one', 'two']) {
    const wish = { stream: id, name, address: stage.chain.token, event: transfer };
    names.push(String((await subscriptions.create(wish, operator))['id']));
  }
  return { id, names };
}

const stateOf = async (name: string) => (await service.get(name)).state;
const batchOf = async (name: string) => (await service.get(name)).definition['batch'];

describe('two changes of one event stream', () => {
  it('given a slow one, when a quick one is made meanwhile, then both are kept', async () => {
    const { id, names } = await anEventStream();
    const slowStore = new OldStreamsStore(stage.store.db, vault);
    const writing = holdNext(slowStore, 'change');
    const changed = oldStreams({ store: slowStore }).change(id, { batchSize: 7 }, operator);
    await writing.asked;
    await oldStreams().change(id, { batchTimeoutMS: 40, webhook: { headers: { 'x-token': 'new' } } }, operator);
    await oldStreams().suspend(id, operator);
    writing.release();

    const expected = { batchSize: 7, batchTimeoutMS: 40, suspended: true, webhook: { headers: { 'x-token': '***' } } };
    expect(await changed).toMatchObject(expected);
    expect(await oldStreams().get(id)).toMatchObject(expected);
    for (const name of names) {
      expect(await batchOf(name)).toEqual({ size: 7, timeout: '40ms' });
      expect(await stateOf(name)).toBe('suspended');
    }
  });

  it('given a slow one that is stored, when a quick one is made before its subscriptions have it, then they get both', async () => {
    const { id, names } = await anEventStream();
    const { service: slowService } = await stage.aProcess();
    const replacing = holdNext(slowService, 'replace');
    const changed = oldStreams({ streams: slowService }).change(id, { batchSize: 7 }, operator);
    await replacing.asked;
    await oldStreams().change(id, { batchTimeoutMS: 40 }, operator);
    replacing.release();
    await changed;

    for (const name of names) expect(await batchOf(name)).toEqual({ size: 7, timeout: '40ms' });
  });

  it('given it is suspended, when a slow resume is under way, then its subscriptions are what it is in the end', async () => {
    const { id, names } = await anEventStream({ suspended: true });
    const { service: slowService } = await stage.aProcess();
    const resuming = holdNext(slowService, 'resume');
    const resumed = oldStreams({ streams: slowService }).resume(id, operator);
    await resuming.asked;
    await oldStreams().suspend(id, operator);
    resuming.release();
    await resumed;

    expect(await oldStreams().get(id)).toMatchObject({ suspended: true });
    for (const name of names) expect(await stateOf(name)).toBe('suspended');
  });

  it('given it is changed all the time, when it cannot be changed between two of those, then that is said', async () => {
    const { id } = await anEventStream();
    const slowStore = new OldStreamsStore(stage.store.db, vault);
    const change = slowStore.change.bind(slowStore);
    let count = 0;
    jest.spyOn(slowStore, 'change').mockImplementation(async (...given) => {
      await oldStreams().change(id, { batchTimeoutMS: (count += 1) }, operator);
      return change(...given);
    });

    const changed = oldStreams({ store: slowStore }).change(id, { batchSize: 7 }, operator);

    await expect(changed).rejects.toMatchObject({ code: 'request.conflict' });
    expect(await oldStreams().get(id)).toMatchObject({ batchSize: 1, batchTimeoutMS: count });
  });
});

describe('an event stream that was resumed half way', () => {
  it.each([
    ['resumed', (owners: OldStreams, id: string) => owners.resume(id, operator)],
    ['changed', (owners: OldStreams, id: string) => owners.change(id, { suspended: false }, operator)],
  ])('given the store went away, when it is %s again, then the rest goes on', async (_how, again) => {
    const { id, names } = await anEventStream({ suspended: true });
    const away = oldStreams({ streams: awayOnce(service, 'resume', (name) => name === names[1]) });
    await expect(again(away, id)).rejects.toMatchObject({ code: 'store.unavailable' });

    await again(oldStreams(), id);

    expect(await Promise.all(names.map(stateOf))).toEqual(['running', 'running']);
    await expect(oldStreams().resume(id, operator)).rejects.toMatchObject({ code: 'request.conflict' });
  });
});
