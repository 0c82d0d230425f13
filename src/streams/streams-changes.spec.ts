import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '../../test/builders/eventually.js';
import { holdNext } from '../../test/builders/hold-next.js';
import { ChangeFeed } from './testing/change-feed.js';
import { DeliveryStage, valuesOf } from './testing/delivery-stage.js';
import type { StreamBatch } from './stream.js';

let stage: DeliveryStage;

beforeAll(async () => {
  stage = await DeliveryStage.start();
});

afterEach(() => stage.clear());

afterAll(() => stage.close());

/** Holds back what the receiver answers under the address that it was started with; elsewhere it accepts. */
function holdAnswer() {
  const asked = new Promise<ServerResponse>((resolve) => {
    stage.receiver.answer = (_, response) => {
      if (response.req.url !== '/events') return 200;
      resolve(response);
      return undefined;
    };
  });
  return { asked, answer: async (status: number) => void (await asked).writeHead(status).end() };
}

describe('a stream that is deleted', () => {
  it('given its consumer is slow to answer, when somebody listens to a new stream meanwhile, then that one is served', async () => {
    const { service, pumps, store } = await stage.aProcess();
    const held = holdAnswer();
    await service.create(stage.aStream({ name: 'old' }), 'test');
    await stage.transferOf(stage.chain.token, 1);
    await held.asked;
    await service.delete('old');
    await eventually(() => pumps.status().length === 0, { what: 'the end of the old stream' });

    await service.create(stage.aStream({ name: 'new', target: { type: 'websocket' } }), 'test');
    let deliver: (batch: StreamBatch) => void;
    const delivered = new Promise<StreamBatch>((resolve) => (deliver = resolve));
    const { finished, close } = await pumps.attach('new', undefined, { deliver: async (batch) => deliver(batch) });
    const nextLook = holdNext(store, 'list');
    await held.answer(200);
    await nextLook.asked;
    await stage.transferOf(stage.chain.token, 2);

    const batch = await Promise.race([delivered, finished]).finally(nextLook.release);
    expect(valuesOf(batch?.events ?? [])).toEqual([2]);
    await close();
  });
});

describe('a consumer that wants no more', () => {
  it('given the stream has another address by then, when the old one says so, then the new one gets the batch', async () => {
    const { service } = await stage.aProcess();
    const held = holdAnswer();
    await service.create(stage.aStream(), 'test');
    await stage.transferOf(stage.chain.token, 3);
    await held.asked;
    await service.change('transfers', { target: { url: `${stage.receiver.url}/moved` } });
    await held.answer(410);

    const { state } = await eventually(async () => {
      const stream = await service.get('transfers');
      return stream.state === 'suspended' || stage.receiver.accepted.length > 0 ? stream : undefined;
    });

    expect(state).toBe('running');
    expect(valuesOf(stage.receiver.events)).toEqual([3]);
  });
});

describe('two changes of one stream', () => {
  it('given a slow one, when a quick one is made meanwhile, then both are kept, secrets included', async () => {
    const [slow, quick] = [await stage.aProcess(), await stage.aProcess()];
    const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
    const { id } = await slow.service.create(
      stage.aStream({ target: { type: 'webhook', url: stage.receiver.url, secret: secretOf(1) } }),
      'test',
    );
    const writing = holdNext(slow.store, 'change');
    const changed = slow.service.change('transfers', { batch: { size: 7 } });
    await writing.asked;
    await quick.service.change('transfers', { target: { secret: secretOf(2) } });
    writing.release();
    await changed;

    expect((await slow.store.definition(id)).document).toMatchObject({
      batch: { size: 7 },
      target: { secret: secretOf(2) },
    });
  });

  it('given a reset, when the source is another one before it is written, then the place is one of the new source', async () => {
    const { service, store } = await stage.aProcess({ feed: new ChangeFeed() });
    const { id } = await service.create(stage.aStream(), 'test', 'suspended');
    const writing = holdNext(store, 'reset');
    const reset = service.reset('transfers', 'earliest');
    await writing.asked;
    await service.change(
      'transfers',
      { source: 'transactions', contracts: null, events: null, target: { type: 'websocket' } },
      'now',
    );
    writing.release();
    await reset;

    const { definition } = await store.definition(id);
    expect(definition.source).toBe('transactions');
    expect(await store.positions([id])).toMatchObject([{ cursor: '' }]);
  });

  it('given it is changed all the time, when it cannot be changed between two of those, then that is said', async () => {
    const [one, other] = [await stage.aProcess(), await stage.aProcess()];
    await one.service.create(stage.aStream(), 'test');
    const change = one.store.change.bind(one.store);
    let count = 0;
    jest.spyOn(one.store, 'change').mockImplementation(async (...given) => {
      await other.service.change('transfers', { labels: { count: String((count += 1)) } });
      return change(...given);
    });

    await expect(one.service.change('transfers', { batch: { size: 7 } })).rejects.toMatchObject({
      code: 'request.conflict',
    });
    expect((await other.service.get('transfers')).definition).toMatchObject({
      batch: { size: 50 },
      labels: { count: String(count) },
    });
  });
});
