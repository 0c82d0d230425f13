import type { AdapterCallerOptions, Asked } from '../processes/adapter-caller.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { percentile } from '../statistics.js';

const perSecond = 20;

const flow = `
name: echo
trigger: { uses: oracle.adapter }
steps:
  - uses: oracle.answer
    with: { result: "{{event.data.value}}" }
`;

/** How long a node waits for a flow that it asks as an external adapter; the source of the answer costs nothing here. */
export async function adapter(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = perSecond * (bench.isQuick ? 3 : 30);
  const database = await bench.createDatabase();
  const hub = await BenchHub.create(bench, { backend, databaseUrl: database.url, flows: { echo: flow } });
  await hub.start();
  const target = { url: `${hub.url}/oracle/adapters/echo`, key: hub.key };
  const warmUp = bench.isQuick ? 200 : 2_000;
  bench.say(`warming up with ${warmUp} requests`);
  await ask(bench, { ...target, count: warmUp, callers: 20, prefix: 'warm' });

  bench.say(`${count} requests, ${perSecond} a second`);
  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const asked = await ask(bench, { ...target, count, callers: 1, perSecond, prefix: 'calm' });
  const cpuPerEvent = await meter(count);
  const runs = await database.count('run', `flow = 'echo'`);
  await hub.stop();

  bench.say('the same of a bare HTTP server');
  const server = Part.start('bare-adapter', {}, bench.cleanup);
  const { url } = await server.next<{ url: string }>();
  await ask(bench, { url, key: '', count: warmUp, callers: 20, prefix: 'warm' });
  const bare = await ask(bench, { url, key: '', count, callers: 1, perSecond, prefix: 'calm' });
  await server.stop();

  const line = {
    scenario: 'adapter',
    backend: '',
    unit: 'ms',
    faults: { lost: count - asked.answered, doubled: Math.max(0, runs - count - warmUp), reordered: 0 },
    load,
  };
  return [
    {
      ...line,
      what: '20/s, asked → answered, p50',
      value: percentile(asked.latenciesMs, 0.5),
      limits: [{ name: 'bare HTTP server', value: percentile(bare.latenciesMs, 0.5) }],
    },
    {
      ...line,
      what: '20/s, asked → answered, p95',
      value: percentile(asked.latenciesMs, 0.95),
      target: { is: 'under', value: 15 },
      limits: [{ name: 'bare HTTP server', value: percentile(bare.latenciesMs, 0.95) }],
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
    },
  ];
}

async function ask(bench: Bench, options: AdapterCallerOptions): Promise<Asked> {
  const caller = Part.start('adapter-caller', options, bench.cleanup);
  try {
    return await caller.next<Asked>();
  } finally {
    await caller.stop();
  }
}
