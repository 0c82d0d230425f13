import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import type { HookFault } from '../../sandbox/zapier/rest-hook.js';
import { eventually } from '../../test/builders/eventually.js';
import { inTurns } from '../../test/builders/in-turns.js';
import { awayOnce, overlaid } from '../../test/builders/overlaid.js';
import { ZapierStage, type Sending } from '../../test/builders/zapier-stage.js';

const times = { timeoutMs: 10_000, firstAgainMs: 20, longestAgainMs: 300, lookEveryMs: 50 };
const nothingWrong = { doubled: 0, after410: 0, beforeRetryAfter: 0 };

let stage: ZapierStage;
let sending: Sending | undefined;

beforeEach(async () => {
  stage = await ZapierStage.start();
});
afterEach(async () => {
  await sending?.stop();
  sending = undefined;
  await stage.close();
});

const idle = () => eventually(async () => (await stage.waiting()) === 0, { withinMs: 100_000 });
const reportOf = (hook: string) => stage.zapier.hook(hook).report();
const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `e${index + from}`);

describe('sending to Zapier', () => {
  it('given 1,000 events and answers of every bad kind, when they are sent, then each arrives once and every answer is heeded', async () => {
    const hooks = ['1001/a', '1001/b', '1002/c', '1002/d'];
    const faults: HookFault[] = [
      { kind: '500' },
      { kind: 'reset' },
      { kind: 'reset-after' },
      { kind: 'slow', delayMs: 6_000 },
      { kind: '429', retryAfterSeconds: 1 },
      { kind: '500' },
      { kind: '500' },
      { kind: '500' },
      { kind: '429', retryAfterSeconds: 1, asDate: true },
      { kind: 'reset-after' },
    ];
    for (const hook of hooks) {
      await stage.subscribe(hook);
      stage.zapier.hook(hook).fail(faults);
    }
    const dead = await stage.subscribe('1003/dead');
    stage.zapier.hook('1003/dead').fail([{ kind: '500' }, { kind: '410' }]);
    await inTurns(numbered(250), (id) => stage.publish(id));

    sending = await stage.send({ times: { ...times, timeoutMs: 3_000 } });
    await idle();

    for (const hook of hooks) {
      expect(reportOf(hook)).toMatchObject({ ...nothingWrong, distinct: 250 });
      expect(new Set(stage.zapier.hook(hook).ids())).toEqual(new Set(numbered(250)));
    }
    expect(sending.gone).toEqual([dead]);
    expect(reportOf('1003/dead')).toMatchObject({ ...nothingWrong, distinct: 0, isOff: true });
  });

  it('given an event that is published twice, when it is sent, then a Zap gets it once', async () => {
    await stage.subscribe('1001/a');

    expect(await stage.publish('same')).toBe(true);
    expect(await stage.publish('same')).toBe(false);
    sending = await stage.send({ times });
    await idle();

    expect(reportOf('1001/a')).toMatchObject({ items: 1, distinct: 1 });
    expect(stage.zapier.hook('1001/a').newest()).toEqual([
      { id: 'same', event: 'tick', of: 'same', time: expect.any(String) },
    ]);
  });

  it('given a burst that may be batched, when it is sent, then few requests carry it', async () => {
    await stage.subscribe('1001/batched', { inBatch: true });
    await stage.subscribe('1001/single');
    await inTurns(numbered(300), (id) => stage.publish(id));

    sending = await stage.send({ times });
    await idle();

    expect(reportOf('1001/batched')).toMatchObject({ ...nothingWrong, requests: 3, items: 300, distinct: 300 });
    expect(reportOf('1001/single')).toMatchObject({ requests: 300, distinct: 300 });
  });

  it('given a limit for each second, when a burst is sent, then it is spread', async () => {
    await stage.subscribe('1001/a');
    await inTurns(numbered(45), (id) => stage.publish(id));

    sending = await stage.send({ times, pace: { perSecond: 27, perFiveMinutes: 19_000 } });
    await idle();

    expect(reportOf('1001/a')).toMatchObject({ distinct: 45, ...nothingWrong });
    expect(reportOf('1001/a').mostPerSecond).toBeLessThanOrEqual(30);
  });

  it('given a hook that fails for long, when another is healthy, then that one does not wait', async () => {
    await stage.subscribe('1001/sick');
    await stage.subscribe('1001/well');
    stage.zapier.hook('1001/sick').fail(Array.from({ length: 500 }, () => ({ kind: '500' as const })));
    await inTurns(numbered(50), (id) => stage.publish(id));

    sending = await stage.send({ times: { ...times, longestAgainMs: 60_000 } });
    await eventually(() => reportOf('1001/well').distinct === 50);
    const failing = () =>
      stage.subscriptions.list(10).then((all) => all.find(({ waiting, error }) => waiting === 50 && error));
    const { error } = await eventually(failing);

    expect(reportOf('1001/sick').distinct).toBe(0);
    // It is the hook that fails: not everything that waits for it is tried.
    expect(reportOf('1001/sick').requests).toBeLessThan(25);
    expect(error).toMatchObject({ code: 'http.failed' });
  });

  it('given two processes, when one stops in the middle, then the other goes on and nothing is lost or doubled', async () => {
    await stage.subscribe('1001/a');
    await inTurns(numbered(200), (id) => stage.publish(id));
    const first = await stage.send({ times });
    sending = await stage.send({ times });
    await eventually(() => reportOf('1001/a').distinct > 20);

    await first.stop();
    await idle();

    expect(reportOf('1001/a')).toMatchObject({ ...nothingWrong, distinct: 200 });
  });

  it('given what was withdrawn before it was sent, when it is heard again elsewhere, then it keeps its id', async () => {
    const subscription = await stage.subscribe('1001/a', { trigger: 'contract_event' });
    const heard = (id: string, position: string) => [
      { subscription, key: 'log', position, item: { id, block_number: Number(position) } },
    ];
    await stage.deliveries.hear(subscription, heard('1:0xa:3', '000000000007'), { cursor: '8', epoch: '1' });
    await stage.deliveries.retract(subscription, { from: '000000000006', cursor: '6', epoch: '1' });
    expect(await stage.waiting()).toBe(0);

    await stage.deliveries.hear(subscription, heard('1:0xa:9', '000000000008'), { cursor: '9', epoch: '1' });
    sending = await stage.send({ times });
    await idle();

    expect(stage.zapier.hook('1001/a').newest()).toEqual([{ id: '1:0xa:3', block_number: 8 }]);
    await expect(stage.deliveries.hear(subscription, [], { cursor: '1', epoch: '0' })).rejects.toMatchObject({
      code: 'lease.lost',
    });
  });

  it('given a step that waits and was told, when the store is away right after, then it is not told again later', async () => {
    const subscription = await stage.subscribe('1001/waits', { trigger: 'run_finished' });
    await stage.deliveries.add([deliveryTo(subscription)]);
    const subscriptions = awayOnce(stage.subscriptions, 'end');

    sending = await stage.send({ times, subscriptions });
    await idle();
    await eventually(() => reportOf('1001/waits').requests > 0);
    await sending.stop();
    sending = undefined;

    const { rows } = await stage.store.pool.query('select ended_at from zapier_subscription');
    expect(rows).toEqual([{ ended_at: expect.any(Date) }]);
    expect(reportOf('1001/waits')).toMatchObject({ requests: 1 });
  });

  it('given a step that waits and could not be told for a week, when what is old is forgotten, then it is not told again', async () => {
    const waits = await stage.subscribe('1001/waits', { trigger: 'run_finished', awaits: randomUUID() });
    const goesOn = await stage.subscribe('1001/goes-on');
    await stage.deliveries.add([waits, goesOn].map((subscription) => deliveryTo(subscription)));
    await stage.store.pool.query(`update zapier_delivery set created_at = now() - interval '8 days'`);

    expect(await stage.deliveries.clean({ kept: 30, tried: 7 })).toBe(2);

    const { rows } = await stage.store.pool.query('select id from zapier_subscription where ended_at is null');
    expect(rows).toEqual([{ id: goesOn }]);
  });

  it('given a store that is away when the lease is taken, when it is back, then what another process sent counts', async () => {
    const subscription = await stage.subscribe('1001/a');
    await inTurns(numbered(20), (id) => stage.publish(id));
    await stage.deliveries.markSent(subscription, numbered(20), false);
    await stage.publish('next');

    let asked = 0;
    const deliveries = overlaid(stage.deliveries, {
      sentLately: (minutes) =>
        (asked += 1) === 1
          ? Promise.reject(new PatchbayError('store.unavailable'))
          : stage.deliveries.sentLately(minutes),
    });
    sending = await stage.send({ times, deliveries, pace: { perSecond: 1_000, perFiveMinutes: 20 } });
    await eventually(() => asked > 1);
    await sending.stop();
    sending = undefined;

    expect(reportOf('1001/a').requests).toBe(0);
  });
});

const deliveryTo = (subscription: string) => ({ subscription, key: 'run', item: { id: 'run' }, position: null });
