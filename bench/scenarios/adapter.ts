import type { AdapterCallerOptions, Asked } from '../processes/adapter-caller.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench, Database } from '../setup/bench.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { percentile } from '../statistics.js';

const perSecond = 20;

const echo = `
name: echo
trigger: { uses: oracle.adapter }
steps:
  - uses: oracle.answer
    with: { result: "{{event.data.value}}" }
`;

const sourced = (source: string): string => `
name: sourced
trigger: { uses: oracle.adapter }
steps:
  - id: source
    uses: http.request
    with: { method: POST, url: "${source}", body: { id: "{{event.id}}", data: "{{event.data}}" } }
  - uses: oracle.answer
    with: { result: "{{steps.source.body.result}}" }
`;

/**
 * How long a node waits for a flow that it asks as an external adapter: one that answers out of its own head, and one that
 * asks a source first. The source is the bare server that is the limit too; its share is what the journal says of its step.
 */
export async function adapter(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = perSecond * (bench.isQuick ? 3 : 30);
  const server = Part.start('bare-adapter', {}, bench.cleanup);
  const { url } = await server.next<{ url: string }>();
  const database = await bench.createDatabase();
  const flows = { echo, sourced: sourced(url) };
  const hub = await BenchHub.create(bench, { backend, databaseUrl: database.url, flows });
  await hub.start();
  const adapterOf = (flow: string) => ({ url: `${hub.url}/oracle/adapters/${flow}`, key: hub.key });
  const target = adapterOf('echo');
  const warmUp = bench.isQuick ? 200 : 2_000;
  bench.say(`warming up with ${warmUp} requests`);
  await ask(bench, { ...target, count: warmUp, callers: 20, prefix: 'warm' });

  bench.say(`${count} requests, ${perSecond} a second`);
  const load = loadNow();
  const meter = await startMeter(bench, hub);
  const asked = await ask(bench, { ...target, count, callers: 1, perSecond, prefix: 'calm' });
  const cpuPerEvent = await meter(count);

  bench.say('the same of a flow that asks a source');
  await ask(bench, { ...adapterOf('sourced'), count: warmUp / 10, callers: 20, prefix: 'warm' });
  const whole = await ask(bench, { ...adapterOf('sourced'), count, callers: 1, perSecond, prefix: 'calm' });
  const wholeMs = percentile(whole.latenciesMs, 0.95);
  const sourceMs = await sourceMsOf(database, count);
  const runs = await database.count('run');
  await hub.stop();

  bench.say('the same of a bare HTTP server');
  await ask(bench, { url, key: '', count: warmUp, callers: 20, prefix: 'warm' });
  const bare = await ask(bench, { url, key: '', count, callers: 1, perSecond, prefix: 'calm' });
  await server.stop();

  const line = {
    scenario: 'adapter',
    backend: '',
    unit: 'ms',
    faults: {
      lost: 2 * count - asked.answered - whole.answered,
      doubled: Math.max(0, runs - 2 * count - warmUp - warmUp / 10),
      reordered: 0,
    },
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
    { ...line, what: '20/s, with a source, p95', value: wholeMs },
    { ...line, what: 'the source alone, as the hub sees it, p95', value: sourceMs },
    { ...line, what: 'the one less the other', value: wholeMs - sourceMs, target: { is: 'under', value: 15 } },
  ];
}

/** Of the newest calls; the journal counts whole milliseconds. */
function sourceMsOf(database: Database, count: number): Promise<number> {
  return database.number(`
    select percentile_cont(0.95) within group (order by ms) from (
      select extract(epoch from finished_at - started_at) * 1000 as ms from run_step
      where step = 'source' order by started_at desc limit ${count}) newest`);
}

async function ask(bench: Bench, options: AdapterCallerOptions): Promise<Asked> {
  const caller = Part.start('adapter-caller', options, bench.cleanup);
  try {
    return await caller.next<Asked>();
  } finally {
    await caller.stop();
  }
}
