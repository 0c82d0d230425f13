import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog, type Store } from '#platform';
import { crossing } from '../../test/builders/crossing.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { GatewayCallRetention } from './gateway-call-retention.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});

afterAll(() => store.close());

describe('calls that are old', () => {
  it('given two processes that delete them, when each comes to another one first, then neither is a deadlock', async () => {
    const { db } = store;
    const retention = new GatewayCallRetention({
      db,
      eventDays: 30,
      log: createLog({ level: 'silent', format: 'json' }),
    });
    // Whichever is the one that it comes to first.
    const ids = [randomUUID(), randomUUID()];
    for (const held of [0, 1]) {
      const at = new Date(Date.now() - 31 * 86_400_000);
      await db
        .insertInto('gateway_call')
        .values(ids.map((id) => ({ id, item: '{}', at })))
        .execute();

      const failures = await crossing(store, {
        first: `delete from gateway_call where id = '${ids[held]}'`,
        act: () => retention.clean(),
        second: `delete from gateway_call where id = '${ids[1 - held]}'`,
      });

      expect(failures).toEqual([]);
    }
    expect(await db.selectFrom('gateway_call').select('id').execute()).toEqual([]);
  });
});
