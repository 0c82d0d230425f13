import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { BenchSink } from '../setup/sink.js';
import { callHooks, hookOf, orderFlow, runBareQueue, warmUp } from '../setup/webhooks.js';
import { percentile } from '../statistics.js';

const perSecond = 20;

/** How long a webhook that is alone takes from being sent to having arrived. */
export async function hooksLatency(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = perSecond * (bench.isQuick ? 3 : 15);
  const sink = await BenchSink.start(bench.cleanup);
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { orders: orderFlow(sink.url) },
  });
  await hub.start();
  await warmUp(bench, hub, sink, bench.isQuick ? 200 : 2_000);

  bench.say(`${count} webhooks, ${perSecond} a second`);
  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const called = await callHooks(bench, hookOf(hub), { count, callers: 1, perSecond, prefix: 'calm' });
  const state = await sink.settled(called.accepted);
  const cpuPerEvent = await meter(count);
  const hubMs = latencies(await sink.samples());
  await hub.stop();

  bench.say(`the same through BullMQ alone on ${backend.name}`);
  await runBareQueue(bench, { backend, database: await bench.createDatabase(), sink, count, callers: 50, perSecond });
  const bareMs = latencies(await sink.samples());

  const line = {
    scenario: 'hooks-latency',
    backend: backend.name,
    unit: 'ms',
    faults: { lost: called.accepted - state.distinctIds, doubled: state.doubledEffects, reordered: 0 },
    load,
  };
  return [
    {
      ...line,
      what: '20/s, sent → received, p50',
      value: percentile(hubMs, 0.5),
      target: { is: 'under', value: 12 },
      limits: [{ name: 'bare BullMQ', value: percentile(bareMs, 0.5) }],
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
    },
    {
      ...line,
      what: '20/s, sent → received, p99',
      value: percentile(hubMs, 0.99),
      target: { is: 'under', value: 50 },
      limits: [{ name: 'bare BullMQ', value: percentile(bareMs, 0.99) }],
    },
  ];
}

/** The mark is the time of sending. */
function latencies(samples: readonly number[]): number[] {
  const found: number[] = [];
  for (let index = 0; index + 1 < samples.length; index += 2) found.push(samples[index + 1]! - samples[index]!);
  return found;
}
