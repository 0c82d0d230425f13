import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createVault, type Store } from '#platform';
import { crossing } from '../../test/builders/crossing.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { PositionsStore } from './positions.store.js';
import { StreamsStore } from './streams.store.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});

afterAll(() => store.close());

describe('the place of a consumer', () => {
  it('given a stream that is being deleted, when a batch is noted that may yet vanish, then the stream is gone and neither is a deadlock', async () => {
    const streams = new StreamsStore(store.db, createVault(Buffer.alloc(32, 1)));
    const target = { type: 'webhook', url: 'https://example.com/' };
    const document = { name: 'transfers', contracts: ['token'], events: [{ event: 'Transfer' }], target };
    await streams.create(document, { createdBy: 'spec', cursor: '0', state: 'running' });
    const { id } = (await streams.find('transfers'))!;
    const event = { specversion: '1.0', id: 'one', source: 'chain', type: 'evm.contractEvent', data: {} } as const;
    const noted = {
      cursor: '1',
      delivered: null,
      tracedFrom: '',
      batchNumber: 1,
      events: 1,
      young: [{ event, position: '1', place: 'block', isYoung: true }],
      again: [],
      withdrawn: [],
      forgetBefore: undefined,
      deadLetter: undefined,
    };
    const positions = new PositionsStore(store.pool);

    const failures = await crossing(store, {
      // A deletion locks the stream, and then everything that hangs on it.
      first: `select from stream where id = '${id}' for update`,
      act: () => positions.checkpoint({ stream: id, consumer: '', epoch: '1' }, noted),
      second: `delete from stream where id = '${id}'`,
    });

    expect(failures).toEqual(['Another process serves this stream now, or it was reset or deleted.']);
    expect(await streams.find('transfers')).toBeUndefined();
  });
});
