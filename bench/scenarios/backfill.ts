import { setTimeout as delay } from 'node:timers/promises';
import { demoToken } from '../../sandbox/chain/demo-contracts.js';
import type { BareBackfillOptions } from '../processes/bare-backfill.js';
import { nowMs } from '../processes/part-process.js';
import { loadNow, type Line } from '../report.js';
import type { Backend, Bench, Database } from '../setup/bench.js';
import { BenchChain } from '../setup/chain.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { Part } from '../setup/part.js';
import { median } from '../statistics.js';

const logsPerBlock = 200;
const rounds = 3;

const flow = `
name: transfers
trigger:
  uses: evm.contractEvent
  with: { contract: usdc, event: Transfer }
steps:
  - uses: http.request
    with: { method: POST, url: "http://127.0.0.1:9/", body: { id: "{{event.transaction.hash}}" } }
`;

interface BackfillState {
  readonly id: string;
  readonly state: string;
  readonly events: number;
  readonly error: unknown;
}

/** Old blocks into stored events, without runs. */
export async function backfill(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 10_000 : 100_000;
  const chain = await BenchChain.start(bench.cleanup);
  bench.say(`mining ${count} logs, ${logsPerBlock} to a block`);
  const from = (await chain.blockNumber()) + 1;
  await chain.mineLogs(count, logsPerBlock);
  const to = await chain.blockNumber();

  const ofHub: number[] = [];
  const ofLoop: number[] = [];
  const faults = { lost: 0, doubled: 0, reordered: 0 };
  let cpuPerEvent: Line['cpuPerEvent'];
  const load = loadNow();
  for (let round = 0; round < rounds; round += 1) {
    bench.say(`round ${round + 1} of ${rounds}`);
    const database = await bench.createDatabase();
    const hub = await BenchHub.create(bench, {
      backend,
      databaseUrl: database.url,
      flows: { transfers: flow },
      configuration: chain.configuration,
    });
    await hub.start();
    const meter = await startMeter(bench, hub);
    ofHub.push(count / (await readPast(hub, { from, to })));
    cpuPerEvent = await meter(count);
    await hub.stop();
    const stored = await database.count('event');
    faults.lost += Math.max(0, count - stored);
    faults.doubled += Math.max(0, stored - count);
    ofLoop.push(count / (await bareLoop(bench, chain, database, { from, to })));
  }
  const limit = median(ofLoop);
  const line = { scenario: 'backfill', backend: '', load };
  return [
    {
      ...line,
      what: `${count.toLocaleString('en')} logs into stored events, ${logsPerBlock} to a block`,
      value: median(ofHub),
      unit: 'events/s',
      target: { is: 'at least', value: 15_000 },
      limits: [{ name: 'bare loop', value: limit }],
      faults,
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
    },
    {
      ...line,
      what: 'the same as a share of the bare loop',
      value: median(ofHub) / limit,
      unit: '',
      target: { is: 'at least', value: 0.4 },
    },
  ];
}

/** @returns the seconds it took */
async function readPast(hub: BenchHub, range: { readonly from: number; readonly to: number }): Promise<number> {
  const startedAtMs = nowMs();
  const body = { ...range, startRuns: false };
  const { id } = await hub.call<BackfillState>('POST', '/api/flows/transfers/backfills', body);
  for (;;) {
    const { state, error } = await hub.call<BackfillState>('GET', `/api/backfills/${id}`);
    if (state === 'completed') return (nowMs() - startedAtMs) / 1_000;
    if (state !== 'running') throw new Error(`The backfill is ${state}: ${JSON.stringify(error)}`);
    await delay(50);
  }
}

/** @returns the seconds it took */
async function bareLoop(
  bench: Bench,
  chain: BenchChain,
  database: Database,
  range: { readonly from: number; readonly to: number },
): Promise<number> {
  const options: BareBackfillOptions = {
    ...range,
    url: chain.url,
    databaseUrl: database.url,
    token: demoToken,
    blocksAtOnce: 10,
  };
  const loop = Part.start('bare-backfill', options, bench.cleanup);
  const { ms } = await loop.next<{ ms: number }>();
  await loop.stop();
  return ms / 1_000;
}
