import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createVault, type Store } from '#platform';
import { openTestStore } from '../../test/environment/postgres.js';
import { RepliesStore } from './replies.store.js';
import { RequestsStore } from './requests.store.js';
import { ResumptionsStore } from './resumptions.store.js';
import { TurnsStore } from './turns.store.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

describe('what adapters were asked', () => {
  it('given the same within the time, then it has the same key, also at once; later, elsewhere or otherwise a new one', async () => {
    const requests = new RequestsStore(store.pool);
    const keys = await Promise.all([1, 2, 3].map(() => requests.keyOf('price', 'a', 60_000)));

    expect(new Set(keys).size).toBe(1);
    expect(await requests.keyOf('price', 'b', 60_000)).not.toBe(keys[0]);
    expect(await requests.keyOf('other', 'a', 60_000)).not.toBe(keys[0]);
    await store.pool.query(`update oracle_request set at = now() - interval '61 s'`);
    const next = await requests.keyOf('price', 'a', 60_000);
    expect(next).not.toBe(keys[0]);
    expect(await requests.keyOf('price', 'a', 60_000)).toBe(next);
  });
});

describe('answers that are owed', () => {
  it('given a reply, when it is added twice and written twice, then it is one, with its first text, and sealed', async () => {
    const replies = new RepliesStore(store.db, createVault(Buffer.alloc(32, 1)));
    const run = crypto.randomUUID();
    const owed = { flow: 'price', run, targetUrl: 'http://node.example/v2/resume/secret', jobRunId: undefined };
    await replies.add(owed);
    await replies.add(owed);
    const { rows } = await store.pool.query<{ id: string; sealed: Buffer }>('select id, sealed from oracle_reply');
    const { id = '', sealed } = rows[0] ?? {};
    await replies.write(id, '{"value":1}');
    await replies.write(id, '{"value":2}');

    expect(rows).toHaveLength(1);
    expect(sealed?.toString('latin1')).not.toContain('secret');
    const [one, other] = await Promise.all([replies.claim(10, 60_000), replies.claim(10, 60_000)]);
    const claimed = [...one, ...other];
    expect(claimed).toMatchObject([{ id, run, body: '{"value":1}', attempts: 0 }]);
    expect(claimed[0]?.openTarget()).toBe(owed.targetUrl);
    expect(await replies.hasWaiting()).toBe(true);
    await replies.sent(id);
    expect(await replies.hasWaiting()).toBe(false);
    // Of a process that slept while another one sent it.
    const error = { code: 'http.rejected', message: 'It was resumed before' };
    await replies.failed(id, { isRefusal: true, isLast: false, retryInMs: 0, error });
    expect(await replies.hasWaiting()).toBe(false);
  });
});

describe('an address for a later answer', () => {
  it('given an address, when it is answered, then it takes the first answer only', async () => {
    const resumptions = new ResumptionsStore(store.db, 'https://hub.example');
    const opened = await resumptions.open('run-1-ask', 60_000);
    const again = await resumptions.open('run-1-ask', 60_000);
    const id = opened.url.slice(opened.url.lastIndexOf('/') + 1);

    expect(opened).toEqual({ url: `https://hub.example/oracle/resume/${id}`, isNew: true, state: 'waiting' });
    expect(again).toEqual({ ...opened, isNew: false });
    await resumptions.answer(id, { value: { result: 'with \\u0000' } });
    await expect(resumptions.answer(id, { value: 2 })).rejects.toMatchObject({ code: 'request.conflict' });
    expect(await resumptions.open('run-1-ask', 60_000)).toMatchObject({
      state: 'answered',
      answer: { value: { result: 'with \\u0000' } },
    });
  });

  it('given an address that has expired, then it takes nothing', async () => {
    const resumptions = new ResumptionsStore(store.db, 'https://hub.example');
    const { url } = await resumptions.open('run-2-ask', -1);

    await expect(resumptions.answer(url.slice(url.lastIndexOf('/') + 1), { value: 1 })).rejects.toMatchObject({
      code: 'request.notFound',
    });
    expect(await resumptions.open('run-2-ask', 60_000)).toMatchObject({ state: 'expired' });
  });
});

describe('a line that is served at a pace', () => {
  it('given several at once, then each has its own place and keeps it', async () => {
    const turns = new TurnsStore(store.db, store.pool);
    const take = (key: string, line = 'workflow a') => turns.take({ line, key, everyMs: 60_000 });
    const waits = await Promise.all(['1', '2', '3'].map((key) => take(key)));

    expect(waits.map((ms) => Math.round(ms / 60_000)).sort()).toEqual([0, 1, 2]);
    for (const [index, key] of ['1', '2', '3'].entries()) {
      expect(Math.abs((await take(key)) - (waits[index] ?? 0))).toBeLessThan(10_000);
    }
    expect(await take('4', 'workflow b')).toBe(0);
  });
});
