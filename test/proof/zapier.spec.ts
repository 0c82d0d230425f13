import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createZapierHooks } from '../../sandbox/zapier/hooks.js';
import type { HookFault } from '../../sandbox/zapier/rest-hook.js';
import { eventually } from '../builders/eventually.js';
import { startStandIn, type StandInServer } from '../builders/stand-in-server.js';
import { ZapierStage } from '../builders/zapier-stage.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { WebhookTraffic } from '../environment/webhook-traffic.js';

const unheeded = { after410: 0, beforeRetryAfter: 0 };
// The time-out is far from what a busy machine needs for an answer: what is slow on purpose alone is late.
const badAnswers: readonly HookFault[] = [
  { kind: '500' },
  { kind: 'reset' },
  { kind: 'reset-after' },
  { kind: 'slow', delayMs: 6_000 },
  { kind: '429', retryAfterSeconds: 1 },
  { kind: '429', retryAfterSeconds: 2, asDate: true },
];

/** One in eight goes wrong, somehow. */
function chance(requests: number): HookFault[] {
  return Array.from({ length: requests }, () =>
    randomInt(8) === 0 ? badAnswers[randomInt(badAnswers.length)]! : { kind: 'ok' },
  );
}

describe('telling Zapier', () => {
  it('given 10,000 events under 429, 500, slow, reset and 410 answers, then 0 are lost, 0 doubled, none come after a 410 and none before Retry-After', async () => {
    const stage = await ZapierStage.start();
    const each = 400;
    const hooks = Array.from({ length: 24 }, (_, index) => `${1_000 + (index % 4)}/hook${index}`);
    for (const [index, hook] of hooks.entries()) {
      await stage.subscribe(hook, { topic: `topic_${index}` });
      stage.zapier.hook(hook).fail(chance(each));
    }
    // One more gets what it is sent in batches, and two end in the middle.
    await stage.subscribe('1000/batched', { topic: 'topic_batched', inBatch: true });
    stage.zapier.hook('1000/batched').fail(chance(10));
    for (const index of [0, 1]) {
      const hook = `1001/dead${index}`;
      await stage.subscribe(hook, { topic: `topic_${index}` });
      stage.zapier.hook(hook).fail([...chance(each / 2), { kind: '410' }]);
    }
    const topics = [...hooks.map((_, index) => `topic_${index}`), 'topic_batched'];
    for (const topic of topics) {
      await Promise.all(Array.from({ length: each }, (_, index) => stage.publish(`${topic}-${index}`, { topic })));
    }
    const sending = await stage.send({
      times: { timeoutMs: 5_000, firstAgainMs: 50, longestAgainMs: 2_000, lookEveryMs: 500 },
      pace: { perSecond: 27, perFiveMinutes: 19_000 },
    });
    try {
      await eventually(async () => (await stage.waiting()) === 0, { withinMs: 400_000 });

      const reports = [...hooks, '1000/batched'].map((hook) => stage.zapier.hook(hook).report());
      const total = reports.reduce((sum, { distinct }) => sum + distinct, 0);
      expect(total).toBe(10_000);
      for (const report of reports) expect(report).toMatchObject({ ...unheeded, distinct: each, doubled: 0 });
      expect(Math.max(...reports.map(({ mostPerSecond }) => mostPerSecond))).toBeLessThanOrEqual(30);
      for (const index of [0, 1]) {
        const report = stage.zapier.hook(`1001/dead${index}`).report();
        expect(report).toMatchObject({ ...unheeded, doubled: 0, isOff: true });
        expect(report.distinct).toBeLessThan(each);
      }
      expect(sending.gone).toHaveLength(2);
    } finally {
      await sending.stop();
      await stage.close();
    }
  }, 480_000);
});

describe('killing the hub while it tells Zapier', () => {
  const kills = 8;
  const zapier = createZapierHooks();
  let server: StandInServer;
  let database: TestDatabase;
  let hub: HubProcess;

  beforeAll(async () => {
    [server, database] = await Promise.all([startStandIn(zapier), createTestDatabase()]);
    hub = await HubProcess.create({
      databaseUrl: database.url,
      flows: {
        'ticks.yaml': `
name: ticks
trigger: { uses: webhook.received }
steps:
  - uses: zapier.publish
    with: { event: tick, fields: { of: "{{event.body.id}}" } }
`,
      },
    });
    await hub.start();
    await hub.post('/zapier/subscriptions', {
      targetUrl: `${server.url}/hooks/standard/1001/ticks/`,
      trigger: 'flow_published',
      input: { event: 'tick' },
    });
  }, 120_000);

  afterAll(async () => {
    await hub.remove();
    await server.stop();
    await database.drop();
  }, 60_000);

  it(`given events that keep coming, when the hub is killed ${kills} times, then each starts one run of the Zap`, async () => {
    const traffic = new WebhookTraffic(hub, 'ticks', { callers: 2, everyMs: 200 });
    for (let kill = 0; kill < kills; kill += 1) {
      await delay(randomInt(500, 2_500));
      await hub.kill();
      await hub.start();
    }
    const expected = await traffic.stop();
    const hook = zapier.hook('1001/ticks');
    await eventually(() => hook.report().distinct >= expected, { withinMs: 120_000 });

    const { distinct, doubled, repeated } = hook.report();
    expect(distinct).toBe(expected);
    // What was under way when it was killed comes again, under the same id: the app at Zapier drops it.
    expect(doubled + repeated).toBeLessThanOrEqual(kills);
  }, 300_000);
});
