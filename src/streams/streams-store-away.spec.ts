import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { PatchbayError } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { PositionsStore } from './positions.store.js';
import { DeliveryStage, valuesOf } from './testing/delivery-stage.js';

let stage: DeliveryStage;

beforeAll(async () => {
  stage = await DeliveryStage.start();
});

afterEach(() => stage.clear());

afterAll(() => stage.close());

/** The store as it is, except that the first statement that is `refused` finds it away. */
function awayOnce({ db, pool, ...rest }: Store, isRefused: (what: string) => boolean): Store & { wasAway: boolean } {
  const refuse = (what: string) => {
    if (store.wasAway || !isRefused(what)) return;
    store.wasAway = true;
    throw new PatchbayError('store.unavailable');
  };
  const store = {
    ...rest,
    wasAway: false,
    db: new Proxy(db, {
      get: (target, key) => {
        refuse(String(key));
        return (Reflect.get(target, key) as () => unknown).bind(target);
      },
    }),
    pool: new Proxy(pool, {
      get: (target, key) =>
        key === 'query'
          ? async (statement: { readonly text?: string }, ...values: never[]) => {
              refuse(statement.text ?? '');
              return target.query(statement as never, ...values);
            }
          : (Reflect.get(target, key) as unknown),
    }),
  };
  return store;
}

describe('a store that is away for a moment', () => {
  it('given events that a reorganisation took while nobody listened, when that cannot be noted at once, then they are taken back all the same', async () => {
    const first = await stage.aProcess();
    await first.service.create(stage.aStream(), 'test');
    stage.receiver.answer = (count) => (count <= 1 ? 200 : undefined);
    await stage.chain.transferMany(60, 5n);
    await eventually(() => stage.receiver.received.length === 2);
    await stage.stop(first);
    await stage.chain.call('anvil_reorg', [1, []]);
    stage.receiver.answer = () => 200;

    const store = awayOnce(stage.store, (statement) => statement.includes('update stream_delivered set final_at = $5'));
    await stage.aProcess({ store });
    await stage.transferOf(stage.chain.token, 201);
    await eventually(() => store.wasAway && stage.receiver.events.length >= 51);
    await stage.chain.mine(16);
    await eventually(() => stage.receiver.events.length >= 101);

    expect(valuesOf(stage.receiver.events.slice(50, 51))).toEqual([201]);
    expect(stage.receiver.events.filter(({ type }) => type.endsWith('.reverted'))).toHaveLength(50);
  });

  it('given a reorganisation while nobody listened, when it is long over by the time somebody does, then its events are taken back', async () => {
    const first = await stage.aProcess({ revertedAfter: 5 });
    await first.service.create(stage.aStream(), 'test');
    stage.receiver.answer = (count) => (count <= 1 ? 200 : undefined);
    await stage.chain.transferMany(60, 5n);
    await eventually(() => stage.receiver.received.length === 2);
    await stage.stop(first);
    await stage.chain.call('anvil_reorg', [1, []]);
    await stage.chain.mine(30);
    stage.receiver.answer = () => 200;

    await stage.aProcess({ revertedAfter: 5 });
    await stage.transferOf(stage.chain.token, 201);
    await eventually(() => valuesOf(stage.receiver.events.slice(50)).includes(201));
    await stage.chain.mine(6);
    await eventually(() => stage.receiver.events.length >= 101);

    expect(stage.receiver.events.filter(({ type }) => type.endsWith('.reverted'))).toHaveLength(50);
  });

  it('given a consumer that wants no more, when that cannot be noted at once, then it is noted later', async () => {
    const store = awayOnce(stage.store, (what) => what === 'updateTable');
    const { service } = await stage.aProcess({ store });
    stage.receiver.answer = () => 410;
    await service.create(stage.aStream(), 'test');
    await stage.transferOf(stage.chain.token, 13);

    const view = await eventually(async () => {
      const found = await service.get('transfers');
      return found.state === 'suspended' ? found : undefined;
    });

    expect(store.wasAway).toBe(true);
    expect(view.reason).toContain('answered 410');
  });
});

describe('a process that slept', () => {
  it('given another one that has its stream now, when it notes what is missing, then nothing is noted', async () => {
    const { service } = await stage.aProcess({ revertedAfter: 5 });
    await service.create(stage.aStream(), 'test');
    await stage.transferOf(stage.chain.token, 14);
    const ids = async (where = 'true') =>
      (await stage.store.pool.query<{ id: string }>(`select event_id as id from stream_delivered where ${where}`)).rows;
    const [delivered] = await eventually(async () => ((await ids()).length > 0 ? ids() : undefined));
    const { id: stream } = await service.get('transfers');

    const positions = new PositionsStore(stage.store.pool);
    await positions.markRemoved({ stream, consumer: '', epoch: '0' }, [delivered!.id], '').catch(() => undefined);

    expect(await ids('final_at is not null')).toEqual([]);
  });
});
