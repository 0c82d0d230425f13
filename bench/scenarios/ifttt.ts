import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../processes/part-process.js';
import type { IftttOptions, RealtimeCall, RefusedCalls } from '../processes/ifttt.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench, Database } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { callHooks } from '../setup/webhooks.js';
import { median } from '../statistics.js';

const serviceKey = 'service-key-of-a-bench';
const triggers = 3;
/** Together more than one call may name. */
const identitiesOfEach = 500;
const mostIdentities = 1_000;
const callers = 50;
const trickle = 10;
const patienceMs = 60_000;
/** Each trigger has a newest event; when the first of these happened. */
const oldestOfTheNewest = `
  select extract(epoch from min(newest)) * 1000 from (select max(time) as newest from ifttt_item group by feed) as feeds`;

/** Realtime under a burst of events: how IFTTT's limits are kept, how much becomes one call, and how soon everybody is told. */
export async function ifttt(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 1_000 : 10_000;
  const stand = await IftttPart.start(bench);
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: Object.fromEntries(Array.from({ length: triggers }, (_, number) => [`paid-${number}`, flowOf(number)])),
    configuration: `
connections:
  ifttt: { connector: ifttt, serviceKey: ${serviceKey}, realtimeUrl: "${stand.url}/ifttt" }
`,
  });
  await hub.start();
  bench.say(`warming up; ${triggers * identitiesOfEach} identities poll`);
  const identities = await switchOn(hub);
  const untold = (): Promise<number> => database.count('ifttt_identity', 'is_dirty or is_being_told');
  await publish(bench, hub, { count: bench.isQuick ? 200 : 2_000, prefix: 'warm' });
  await settled(untold);
  await stand.reset();

  bench.say(`${count} events while IFTTT refuses two calls`);
  await stand.refuse({ everyNth: 3, times: 2 });
  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const called = await publish(bench, hub, { count, prefix: 'burst' });
  const publishedAtMs = await published(database, count);
  const newestAtMs = await database.number(oldestOfTheNewest);
  await settled(untold);
  const cpuPerEvent = await meter(count);
  await delay(2_000);
  const calls = await stand.calls();

  bench.say(`${trickle} events, one at a time`);
  const alone: number[] = [];
  for (let number = 0; number < trickle; number += 1) alone.push(await tellOne(hub, stand, number));
  await hub.stop();

  const taken = calls.filter(({ status }) => status === 200);
  // Whoever was told of the last event of a trigger was told after it came to be.
  const late = new Set(taken.filter(({ at }) => at >= newestAtMs).flatMap((call) => call.identities));
  const gaps = calls.slice(1).map(({ at }, index) => at - calls[index]!.at);
  const repeated = calls.reduce((sum, call) => sum + call.identities.length - new Set(call.identities).size, 0);
  const line = { scenario: 'ifttt', backend: backend.name, load };
  const what = `${count.toLocaleString('en')} events, ${identities.length.toLocaleString('en')} identities`;
  const stored = await database.count('ifttt_item', `id like 'burst%'`);
  return [
    {
      ...line,
      what: `${what}: most calls within a second`,
      value: mostPerSecond(calls),
      unit: 'calls',
      target: { is: 'under', value: 2 },
      faults: { lost: called.accepted - stored + identities.length - late.size, doubled: repeated, reordered: 0 },
      ...(cpuPerEvent && { cpuPerEvent }),
    },
    {
      ...line,
      what: 'shortest time from call to call',
      value: Math.min(...gaps),
      unit: 'ms',
      target: { is: 'at least', value: 1_000 },
    },
    {
      ...line,
      what: 'most identities in a call',
      value: Math.max(...calls.map((call) => call.identities.length)),
      unit: '',
      target: { is: 'under', value: mostIdentities + 1 },
    },
    { ...line, what: 'events for each call that was taken', value: count / taken.length, unit: 'events' },
    {
      ...line,
      what: 'last event published → last identity told',
      value: (taken.at(-1)?.at ?? Infinity) - publishedAtMs,
      unit: 'ms',
    },
    {
      ...line,
      what: 'one event, quiet: accepted → IFTTT is told, p50',
      value: median(alone),
      unit: 'ms',
      target: { is: 'under', value: 2_000 },
    },
  ];
}

function flowOf(number: number): string {
  return `
name: paid-${number}
trigger: { uses: webhook.received }
steps:
  - uses: ifttt.publish
    with:
      trigger: order_paid_${number}
      id: "{{event.body.id}}"
      ingredients: { customer: "{{event.body.customer}}", amount: "{{event.body.amount}}" }
`;
}

/** As IFTTT does it for each Applet that is switched on. */
async function switchOn(hub: BenchHub): Promise<readonly string[]> {
  const identities: string[] = [];
  for (let number = 0; number < triggers; number += 1) {
    const names = Array.from({ length: identitiesOfEach }, (_, index) => `applet-${number}-${index}`);
    for (let from = 0; from < names.length; from += callers) {
      await Promise.all(names.slice(from, from + callers).map((identity) => poll(hub, number, identity)));
    }
    identities.push(...names);
  }
  return identities;
}

async function poll(hub: BenchHub, number: number, identity: string): Promise<void> {
  const response = await fetch(`${hub.url}/ifttt/v1/triggers/order_paid_${number}`, {
    method: 'POST',
    headers: { 'ifttt-service-key': serviceKey, 'content-type': 'application/json' },
    body: JSON.stringify({ trigger_identity: identity, triggerFields: {}, limit: 0 }),
  });
  if (!response.ok) throw new Error(`A poll was answered with ${response.status}: ${await response.text()}`);
}

function publish(
  bench: Bench,
  hub: BenchHub,
  { count, prefix }: { readonly count: number; readonly prefix: string },
): ReturnType<typeof callHooks> {
  const target = { url: `${hub.url}/hooks/paid-`, key: hub.key };
  return callHooks(bench, target, { count, callers, prefix, hooks: triggers });
}

/** @returns when all were seen to be stored */
async function published(database: Database, count: number): Promise<number> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await delay(50)) {
    if ((await database.count('ifttt_item', `id like 'burst%'`)) >= count) return nowMs();
  }
  throw new Error(`${count} events were not published`);
}

async function settled(untold: () => Promise<number>): Promise<void> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await delay(100)) {
    if ((await untold()) === 0) return;
  }
  throw new Error('IFTTT was not told of everything');
}

/** @returns how long it took in milliseconds from just before the event was sent */
async function tellOne(hub: BenchHub, stand: IftttPart, number: number): Promise<number> {
  await stand.reset();
  const startedAtMs = nowMs();
  await hub.call('POST', '/hooks/paid-0', { id: `alone-${number}`, customer: 'customer', amount: 1 });
  for (const until = Date.now() + patienceMs; Date.now() < until; await delay(20)) {
    const [first] = (await stand.calls()).filter(({ status }) => status === 200);
    if (first !== undefined) return first.at - startedAtMs;
  }
  return Infinity;
}

function mostPerSecond(calls: readonly RealtimeCall[]): number {
  return Math.max(0, ...calls.map(({ at }) => calls.filter((other) => other.at >= at && other.at < at + 1_000).length));
}

/** IFTTT as the sandbox plays it, in a process of its own. */
class IftttPart {
  private constructor(readonly url: string) {}

  static async start(bench: Bench): Promise<IftttPart> {
    const part = Part.start('ifttt', { serviceKey } satisfies IftttOptions, bench.cleanup);
    const { url } = await part.next<{ url: string }>();
    return new IftttPart(url);
  }

  async calls(): Promise<readonly RealtimeCall[]> {
    return (await (await fetch(`${this.url}/bench`)).json()) as readonly RealtimeCall[];
  }

  async reset(): Promise<void> {
    await fetch(`${this.url}/bench`, { method: 'DELETE' });
  }

  /** From the next call on. */
  async refuse(calls: RefusedCalls): Promise<void> {
    await fetch(`${this.url}/bench`, { method: 'POST', body: JSON.stringify(calls) });
  }
}
