import { setTimeout as delay } from 'node:timers/promises';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { BenchSink } from '../setup/sink.js';
import { residentMib } from '../setup/usage.js';
import { callHooks, hookOf, orderFlow } from '../setup/webhooks.js';

/** What a hub that has nothing to do holds, and how much more one with a long backlog before a target that never answers. */
export async function memory(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 5_000 : 100_000;
  const warmUp = bench.isQuick ? 1_000 : 10_000;
  const idleMs = bench.isQuick ? 5_000 : 20_000;
  const silent = await BenchSink.start(bench.cleanup, { isSilent: true });
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, {
    backend,
    databaseUrl: database.url,
    flows: { orders: orderFlow(silent.url) },
  });
  const load = loadNow();

  bench.say('idle, all roles');
  await hub.start();
  await delay(idleMs);
  const idle = await lowest(hub);
  await hub.stop();

  bench.say(`${count} webhooks while no worker is there`);
  await hub.start({ roles: 'api,listener' });
  // A server that has served is larger than one that never did; that is not the backlog.
  await callHooks(bench, hookOf(hub), { count: warmUp, callers: 50, prefix: 'warm' });
  await delay(idleMs / 2);
  const before = await lowest(hub);
  await callHooks(bench, hookOf(hub), { count: count - warmUp, callers: 50, prefix: 'wait' });
  await delay(idleMs / 2);
  const after = await lowest(hub);
  await hub.stop();

  bench.say('the backlog before a worker whose target does not answer');
  await hub.start();
  await delay(idleMs);
  const behind = await lowest(hub);
  await hub.kill();

  const line = { scenario: 'memory', backend: backend.name, unit: 'MiB', load };
  const waiting = count.toLocaleString('en');
  return [
    { ...line, what: 'idle, all roles, resident', value: idle, target: { is: 'under', value: 180 } },
    {
      ...line,
      what: `growth by ${waiting} waiting events, no worker`,
      value: after - before,
      target: { is: 'under', value: 60 },
    },
    {
      ...line,
      what: `growth by ${waiting} waiting events, worker before a target that does not answer`,
      value: behind - idle,
      target: { is: 'under', value: 60 },
    },
  ];
}

/** The lowest of some seconds: what is free to be collected does not count. */
async function lowest(hub: BenchHub): Promise<number> {
  let least = Number.NaN;
  for (let look = 0; look < 20; look += 1) {
    const now = (await residentMib(hub.pid)) ?? Number.NaN;
    least = Number.isNaN(least) ? now : Math.min(least, now);
    await delay(150);
  }
  return least;
}
