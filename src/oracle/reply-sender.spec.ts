import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHttpClient, createVault, parseEgress, type Store } from '#platform';
import { PatchbayError } from '#sdk';
import { eventually } from '../../test/builders/eventually.js';
import { ResumingNode } from '../../test/builders/resuming-node.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { silent } from '../evm/testing/heard-logs.js';
import { RepliesStore } from './replies.store.js';
import { ReplySender } from './reply-sender.js';

let store: Store;
let node: ResumingNode;
let sender: ReplySender | undefined;

beforeAll(async () => {
  [store, node] = await Promise.all([openTestStore(), ResumingNode.start()]);
});

afterEach(() => sender?.stop());

afterAll(async () => {
  await node.stop();
  await store.close();
});

describe('answers that come later', () => {
  it('given a store that is away when one was sent, when it is back, then it is known as sent, and was sent once', async () => {
    const replies = new RepliesStore(store.db, createVault(Buffer.alloc(32, 1)));
    await replies.add({ flow: 'price', run: randomUUID(), targetUrl: node.resumeUrl('task'), jobRunId: undefined });
    const [reply] = await store.db.selectFrom('oracle_reply').select('id').execute();
    await replies.write(reply!.id, '{"value":1}');
    const markSent = replies.sent.bind(replies);
    let wasAway = false;
    replies.sent = async (id) => {
      if (wasAway) return await markSent(id);
      wasAway = true;
      throw new PatchbayError('store.unavailable');
    };

    sender = aSender(replies);
    await eventually(async () => !(await replies.hasWaiting()));

    expect(wasAway).toBe(true);
    expect(await store.db.selectFrom('oracle_reply').select(['state', 'attempts']).execute()).toEqual([
      { state: 'sent', attempts: 1 },
    ]);
    expect(node.patched).toHaveLength(1);
  });

  it('given one whose address cannot be read, when others are due, then they are sent all the same', async () => {
    const replies = new RepliesStore(store.db, createVault(Buffer.alloc(32, 1)));
    const runs = [randomUUID(), randomUUID()];
    for (const [index, run] of runs.entries()) {
      const ofOtherKey = new RepliesStore(store.db, createVault(Buffer.alloc(32, 2)));
      const ledger = index === 0 ? ofOtherKey : replies;
      await ledger.add({ flow: 'price', run, targetUrl: node.resumeUrl(run), jobRunId: undefined });
    }
    for (const { id } of await store.db.selectFrom('oracle_reply').select('id').where('run', 'in', runs).execute()) {
      await replies.write(id, '{"value":1}');
    }

    sender = aSender(replies);
    await eventually(() => node.patched.some(({ path }) => path.endsWith(runs[1]!)));

    const unreadable = store.db.selectFrom('oracle_reply').select(['state', 'error']).where('run', '=', runs[0]!);
    expect(await eventually(() => unreadable.where('error', 'is not', null).executeTakeFirst())).toMatchObject({
      state: 'waiting',
      error: { code: 'vault.unreadable' },
    });
  });
});

function aSender(replies: RepliesStore): ReplySender {
  const sender = new ReplySender({
    replies,
    answerOf: () => Promise.resolve(undefined),
    http: createHttpClient({ egress: parseEgress([node.host]) }),
    signals: { setInterest: () => undefined, on: () => () => undefined },
    log: silent,
  });
  sender.start();
  return sender;
}
