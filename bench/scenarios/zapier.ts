import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { HookFault } from '../../sandbox/zapier/rest-hook.js';
import type { BarePosted, BarePostsOptions } from '../processes/bare-posts.js';
import { nowMs } from '../processes/part-process.js';
import type { HookOrder, ZapierState } from '../processes/zapier.js';
import { loadNow, type Faults, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { callHooks } from '../setup/webhooks.js';

/** So many that the pace of one hook, 27 requests a second, is not what is measured. */
const hooks = 50;
const accounts = 10;
const callers = 50;
const quietMs = 60_000;

const badAnswers: readonly HookFault[] = [
  { kind: '500' },
  { kind: 'reset' },
  { kind: 'reset-after' },
  { kind: 'slow', delayMs: 2_000 },
  { kind: '429', retryAfterSeconds: 1 },
  { kind: '429', retryAfterSeconds: 2, asDate: true },
];

interface Round {
  readonly perSecond: number;
  readonly faults: Faults;
  readonly cpuPerEvent: Line['cpuPerEvent'];
  readonly state: ZapierState;
}

/** Events to Zaps that listen: all well, and with answers that are not; the pace and the ledger are the usual ones. */
export async function zapier(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 1_000 : 10_000;
  const stand = await ZapierPart.start(bench);
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: Object.fromEntries(Array.from({ length: hooks }, (_, number) => [`paid-${number}`, flowOf(number)])),
  });
  await hub.start();
  for (let number = 0; number < hooks; number += 1) await subscribe(hub, stand.addressOf(hookOf(number)), number);
  bench.say('warming up');
  await publish(bench, { hub, stand, count: bench.isQuick ? 200 : 2_000, prefix: 'warm' });
  await stand.reset();

  const load = loadNow();
  bench.say(`${count} events to ${hooks} hooks that take everything`);
  const calm = await publish(bench, { hub, stand, count, prefix: 'calm' });
  await stand.reset();

  const each = count / hooks;
  for (let number = 0; number < hooks; number += 1) await stand.fail({ hook: hookOf(number), faults: chance(each) });
  for (const number of [0, 1]) {
    const hook = deadHook(number);
    await subscribe(hub, stand.addressOf(hook), number);
    await stand.fail({ hook, faults: [...chance(each / 2), { kind: '410' }] });
  }
  bench.say('the same; one answer in eight is 429, 500, slow or a reset, and two more hooks end with 410');
  const stormy = await publish(bench, { hub, stand, count, prefix: 'stormy' });
  await hub.stop();
  await stand.reset();

  bench.say('the bare loop');
  const limit = await barePosts(bench, stand, count);
  const reports = Object.values(stormy.state);
  const line = { scenario: 'zapier', backend: backend.name, load };
  const shown = count.toLocaleString('en');
  const none = { unit: '', target: { is: 'under', value: 1 } } as const;
  return [
    {
      ...line,
      what: `${shown} webhooks → flow → ${hooks} hooks, all well`,
      value: calm.perSecond,
      unit: 'events/s',
      limits: [{ name: 'bare loop of POSTs', value: limit }],
      faults: calm.faults,
      ...(calm.cpuPerEvent && { cpuPerEvent: calm.cpuPerEvent }),
    },
    {
      ...line,
      what: 'the same under 429, 500, slow, reset, 410',
      value: stormy.perSecond,
      unit: 'events/s',
      limits: [{ name: 'bare loop of POSTs', value: limit }],
      faults: stormy.faults,
      ...(stormy.cpuPerEvent && { cpuPerEvent: stormy.cpuPerEvent }),
    },
    { ...line, ...none, what: 'requests after a 410', value: sum(reports.map((report) => report.after410)) },
    { ...line, ...none, what: 'requests before Retry-After', value: sum(reports.map((one) => one.beforeRetryAfter)) },
  ];
}

function flowOf(number: number): string {
  return `
name: paid-${number}
trigger: { uses: webhook.received }
steps:
  - uses: zapier.publish
    with:
      event: topic_${number}
      id: "{{event.body.id}}"
      fields:
        customer: "{{event.body.customer}}"
        amount: "{{event.body.amount}}"
`;
}

function hookOf(number: number): string {
  return `${1_000 + (number % accounts)}/hook${number}`;
}

function deadHook(number: number): string {
  return `${1_000 + number}/dead${number}`;
}

async function subscribe(hub: BenchHub, targetUrl: string, number: number): Promise<void> {
  await hub.call('POST', '/zapier/subscriptions', {
    targetUrl,
    trigger: 'flow_published',
    input: { event: `topic_${number}` },
  });
}

/** One in eight goes wrong, somehow. */
function chance(requests: number): HookFault[] {
  return Array.from({ length: Math.ceil(requests) }, () =>
    randomInt(8) === 0 ? badAnswers[randomInt(badAnswers.length)]! : { kind: 'ok' },
  );
}

/** From the first webhook to the last item that a hook takes; the dead ones do not count. */
async function publish(
  bench: Bench,
  {
    hub,
    stand,
    count,
    prefix,
  }: { readonly hub: BenchHub; readonly stand: ZapierPart; readonly count: number; readonly prefix: string },
): Promise<Round> {
  const meter = await startMeter(bench, hub);
  const called = await callHooks(
    bench,
    { url: `${hub.url}/hooks/paid-`, key: hub.key },
    { count, callers, prefix, hooks },
  );
  const { endedAtMs } = await stand.received(called.accepted);
  const cpuPerEvent = await meter(count);
  // What is doubled comes late.
  await delay(2_000);
  const state = await stand.state();
  return {
    perSecond: (called.accepted * 1_000) / (endedAtMs - called.startedAtMs),
    faults: {
      lost: called.accepted - distinctOf(state),
      doubled: sum(Object.values(state).map(({ doubled }) => doubled)),
      reordered: 0,
    },
    cpuPerEvent,
    state,
  };
}

/** @returns POSTs per second */
async function barePosts(bench: Bench, stand: ZapierPart, count: number): Promise<number> {
  const targets = Array.from({ length: hooks }, (_, number) => stand.addressOf(hookOf(number)));
  const loop = Part.start('bare-posts', { targets, count } satisfies BarePostsOptions, bench.cleanup);
  const { startedAtMs, endedAtMs } = await loop.next<BarePosted>();
  await loop.stop();
  return (count * 1_000) / (endedAtMs - startedAtMs);
}

function distinctOf(state: ZapierState): number {
  return sum(Object.entries(state).map(([hook, { distinct }]) => (hook.includes('/dead') ? 0 : distinct)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Zapier as the sandbox plays it, in a process of its own. */
class ZapierPart {
  private constructor(private readonly url: string) {}

  static async start(bench: Bench): Promise<ZapierPart> {
    const part = Part.start('zapier', {}, bench.cleanup);
    const { url } = await part.next<{ url: string }>();
    return new ZapierPart(url);
  }

  addressOf(hook: string): string {
    return `${this.url}/zapier/hooks/standard/${hook}/`;
  }

  async fail(order: HookOrder): Promise<void> {
    await fetch(`${this.url}/bench`, { method: 'POST', body: JSON.stringify(order) });
  }

  async reset(): Promise<void> {
    await fetch(`${this.url}/bench`, { method: 'DELETE' });
  }

  async state(): Promise<ZapierState> {
    return (await (await fetch(`${this.url}/bench`)).json()) as ZapierState;
  }

  /** Until so many different items have come, or none for a while. @returns when the last of them was seen */
  async received(count: number): Promise<{ readonly endedAtMs: number }> {
    let seen = -1;
    for (let endedAtMs = nowMs(); ; await delay(25)) {
      const distinct = distinctOf(await this.state());
      if (distinct !== seen) [seen, endedAtMs] = [distinct, nowMs()];
      if (distinct >= count || nowMs() - endedAtMs > quietMs) return { endedAtMs };
    }
  }
}
