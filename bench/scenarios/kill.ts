import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../processes/part-process.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { BenchSink } from '../setup/sink.js';
import { callHooks, hookOf, orderFlow, warmUp } from '../setup/webhooks.js';
import { median } from '../statistics.js';

const kills = 3;

/** `kill -9` under load and an immediate restart: how long until work goes on. */
export async function kill(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 2_000 : 10_000;
  const sink = await BenchSink.start(bench.cleanup);
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { orders: orderFlow(sink.url) },
  });
  await hub.start();
  await warmUp(bench, hub, sink, bench.isQuick ? 200 : 2_000);

  const load = loadNow();
  const goesOn: number[] = [];
  const calling = callHooks(bench, hookOf(hub), { count, callers: 50, prefix: 'k', isPatient: true });
  for (let killed = 0; killed < kills; killed += 1) {
    await delay(randomInt(300, 800));
    bench.say(`kill ${killed + 1} of ${kills}`);
    await hub.kill();
    const killedAt = nowMs();
    // What the dead hub had handed to the network still arrives.
    await delay(50);
    const { distinct } = await sink.state();
    await hub.start();
    goesOn.push((await firstAfter(sink, distinct)) - killedAt);
  }
  const called = await calling;
  const state = await sink.settled(called.accepted);
  await hub.stop();
  return [
    {
      scenario: 'kill',
      backend: backend.name,
      what: 'kill -9 under load, restart → first delivery',
      value: median(goesOn) / 1_000,
      unit: 's',
      target: { is: 'under', value: 5 },
      faults: { lost: called.accepted - state.distinctIds, doubled: state.doubledEffects, reordered: 0 },
      load,
    },
  ];
}

async function firstAfter(sink: BenchSink, count: number): Promise<number> {
  for (const until = Date.now() + 60_000; Date.now() < until; await delay(10)) {
    if ((await sink.state()).distinct > count) return nowMs();
  }
  throw new Error('Nothing was delivered for a minute after the restart');
}
