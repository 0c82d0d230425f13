import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { BenchSink } from '../setup/sink.js';
import { callHooks, hookOf, orderFlow, warmUp } from '../setup/webhooks.js';

const retry = 'retry: { attempts: 8, backoff: fixed, delay: 200ms }\n';

interface Round {
  readonly seconds: number;
  readonly lost: number;
  readonly doubled: number;
}

/** A target that refuses every tenth call: how much longer everything takes to arrive. */
export async function faults(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 500 : 5_000;
  const load = loadNow();
  bench.say('a target that takes everything');
  const calm = await deliver(bench, backend, count, 0);
  bench.say('a target that answers every tenth call with 503');
  const refused = await deliver(bench, backend, count, 10);
  return [
    {
      scenario: 'faults',
      backend: backend.name,
      what: `${count.toLocaleString('en')} events, every tenth call refused: time against calm`,
      value: refused.seconds / calm.seconds,
      unit: 'times',
      target: { is: 'under', value: 1.3 },
      faults: { lost: calm.lost + refused.lost, doubled: calm.doubled + refused.doubled, reordered: 0 },
      load,
    },
  ];
}

async function deliver(bench: Bench, backend: Backend, count: number, refuseEvery: number): Promise<Round> {
  const sink = await BenchSink.start(bench.cleanup, { refuseEvery });
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { orders: orderFlow(sink.url, retry) },
  });
  await hub.start();
  await warmUp(bench, hub, sink, bench.isQuick ? 200 : 2_000);
  const called = await callHooks(bench, hookOf(hub), { count, callers: 50, prefix: 'f' });
  const state = await sink.settled(called.accepted);
  await hub.stop();
  await sink.stop();
  return {
    seconds: ((state.lastAtMs ?? Infinity) - called.startedAtMs) / 1_000,
    lost: called.accepted - state.distinctIds,
    doubled: state.doubledEffects,
  };
}
