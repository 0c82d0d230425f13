import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { crossing } from '../../test/builders/crossing.js';
import { ZapierStage } from '../../test/builders/zapier-stage.js';

const days = { kept: 30, tried: 7 };

let stage: ZapierStage;

beforeEach(async () => {
  stage = await ZapierStage.start();
});
afterEach(() => stage.close());

const deliver = (subscription: string, ...keys: string[]) =>
  stage.deliveries.add(keys.map((key) => ({ subscription, key, item: { id: key }, position: null })));

const age = (byDays: number) =>
  stage.store.pool.query(`update zapier_delivery set created_at = now() - interval '${byDays} days'`);

describe('the ledger of Zapier', () => {
  it('given what a step waited for in vain, when it is noted as sent while it is given up, then neither is a deadlock', async () => {
    const subscription = await stage.subscribe('1001/a', { trigger: 'run_finished', awaits: crypto.randomUUID() });
    await deliver(subscription, 'run');
    await age(8);

    const failures = await crossing(stage.store, {
      // As noting does: the subscription, then what was sent.
      first: `select from zapier_subscription where id = '${subscription}' for no key update`,
      act: () => stage.deliveries.clean(days),
      second: `update zapier_delivery set state = 'sent' where subscription_id = '${subscription}'`,
    });

    expect(failures).toEqual([]);
  });

  it('given a hook that is unsubscribed, when what is old is given up and forgotten meanwhile, then neither is a deadlock', async () => {
    const old = [
      ['waiting', 8],
      ['sent', 31],
    ] as const;
    // Whichever is the one that cleaning comes to first.
    for (const [state, byDays] of old) {
      for (const held of ['one', 'two']) {
        const subscription = await stage.subscribe(`1001/${state}-${held}`);
        await deliver(subscription, 'one', 'two');
        await stage.store.db.updateTable('zapier_delivery').set({ state }).execute();
        await age(byDays);

        const failures = await crossing(stage.store, {
          first: `select from zapier_delivery where key = '${held}' for update`,
          act: () => stage.deliveries.clean(days),
          second: `delete from zapier_subscription where id = '${subscription}'`,
        });

        expect(failures).toEqual([]);
      }
    }
  });

  it('given a page that is heard again, with more, when its hook is unsubscribed meanwhile, then neither is a deadlock', async () => {
    const subscription = await stage.subscribe('1001/a', { trigger: 'transaction_status' });
    await deliver(subscription, 'one');

    const failures = await crossing(stage.store, {
      first: `select from zapier_subscription where id = '${subscription}' for update`,
      act: () => deliver(subscription, 'one', 'two'),
      second: `delete from zapier_subscription where id = '${subscription}'`,
    });

    expect(failures).toEqual([]);
  });

  it('given a page that is heard again, when it is noted as sent meanwhile, then neither is a deadlock', async () => {
    const subscription = await stage.subscribe('1001/a', { trigger: 'transaction_status', inBatch: true });
    await deliver(subscription, 'one', 'two');

    const failures = await crossing(stage.store, {
      first: `select from zapier_subscription where id = '${subscription}' for no key update;
        update zapier_delivery set state = 'sent' where key = 'one'`,
      act: () => deliver(subscription, 'two', 'one'),
      second: `update zapier_delivery set state = 'sent' where key = 'two'`,
    });

    expect(failures).toEqual([]);
  });

  it('given two processes that hear the same page, when they ask for the subscriptions in different orders, then neither is a deadlock', async () => {
    const [low, high] = [await stage.subscribe('1001/a'), await stage.subscribe('1001/b')].sort() as [string, string];
    const row = (subscription: string) =>
      `select from zapier_subscription where id = '${subscription}' for no key update;
        insert into zapier_delivery (subscription_id, key, item_id, item) values ('${subscription}', 'one', 'one', '{}')`;

    const failures = await crossing(stage.store, {
      first: row(low),
      act: () =>
        stage.deliveries.add(
          [high, low].map((subscription) => ({ subscription, key: 'one', item: { id: 'one' }, position: null })),
        ),
      second: row(high),
    });

    expect(failures).toEqual([]);
  });
});
