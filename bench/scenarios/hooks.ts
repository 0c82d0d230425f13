import { loadNow, type Faults, type Line } from '../report.js';
import { BenchHub } from '../setup/hub.js';
import type { Backend, Bench, Database } from '../setup/bench.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { BenchSink } from '../setup/sink.js';
import { callHooks, hookOf, orderFlow, runBareQueue, warmUp } from '../setup/webhooks.js';
import { median } from '../statistics.js';

const callers = 50;
const rounds = 3;

/** Webhook → template → POST with 50 callers, each of which calls again as soon as it has its answer. */
export async function hooks(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 500 : 5_000;
  const sink = await BenchSink.start(bench.cleanup);
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { orders: orderFlow(sink.url) },
  });
  await hub.start();
  await warmUp(bench, hub, sink, bench.isQuick ? 200 : 2_000);

  const readings: number[] = [];
  const faults = { lost: 0, doubled: 0, reordered: 0 };
  const load = loadNow();
  let cpuPerEvent: Line['cpuPerEvent'];
  for (let round = 0; round < rounds; round += 1) {
    bench.say(`round ${round + 1} of ${rounds}: ${count} webhooks from ${callers} callers`);
    const meter = await startMeter(bench, hub);
    const called = await callHooks(bench, hookOf(hub), { count, callers, prefix: `r${round}-` });
    const state = await sink.settled(called.accepted);
    cpuPerEvent = await meter(count);
    readings.push(perSecond(called.accepted, called.startedAtMs, state.lastAtMs));
    faults.lost += called.accepted - state.distinctIds;
    faults.doubled += state.doubledEffects;
    await sink.reset();
  }
  faults.lost += await unfinishedRuns(database);
  await hub.stop();
  return [
    {
      scenario: 'hooks',
      backend: backend.name,
      what: 'webhook → template → POST, stored and journaled, 50 callers',
      value: median(readings),
      unit: 'completed/s',
      target: { is: 'at least', value: backend.name === 'postgres' ? 1_200 : 1_900 },
      limits: [
        { name: 'bare server', value: await bareServer(bench, sink, count) },
        { name: 'bare BullMQ', value: await bareQueue(bench, backend, sink, count) },
      ],
      faults: faults satisfies Faults,
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
      load,
    },
  ];
}

/** What the sink has received must also be written down as done. */
async function unfinishedRuns(database: Database): Promise<number> {
  return database.count('run', `state <> 'completed'`);
}

async function bareServer(bench: Bench, sink: BenchSink, count: number): Promise<number> {
  bench.say('the same through a bare server that stores nothing');
  const server = Part.start('bare-server', { target: sink.url }, bench.cleanup);
  const { url } = await server.next<{ url: string }>();
  await callHooks(bench, { url, key: 'none' }, { count, callers, prefix: 'warm' });
  const readings: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await sink.reset();
    const called = await callHooks(bench, { url, key: 'none' }, { count, callers, prefix: `s${round}-` });
    const state = await sink.received(called.accepted);
    readings.push(perSecond(called.accepted, called.startedAtMs, state.lastAtMs));
  }
  await server.stop();
  return median(readings);
}

async function bareQueue(bench: Bench, backend: Backend, sink: BenchSink, count: number): Promise<number> {
  bench.say(`the same through BullMQ alone on ${backend.name}`);
  const database = await bench.createDatabase();
  const called = await runBareQueue(bench, { backend, database, sink, count, callers });
  const { lastAtMs } = await sink.state();
  return perSecond(count, called.startedAtMs, lastAtMs);
}

function perSecond(count: number, startedAtMs: number, endedAtMs: number | undefined): number {
  return endedAtMs === undefined ? 0 : (count * 1_000) / (endedAtMs - startedAtMs);
}
