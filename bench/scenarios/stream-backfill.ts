import { nowMs } from '../processes/part-process.js';
import { addFaults, loadNow, noFaults, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchChain } from '../setup/chain.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { BenchSink, sinkFaults } from '../setup/sink.js';
import { bareStream, createStream } from '../setup/streams.js';
import { median } from '../statistics.js';

const logsPerBlock = 200;
const batchSize = 500;
const rounds = 3;

/** A new stream that begins with the first block of a chain. */
export async function streamBackfill(bench: Bench, backend: Backend): Promise<Line[]> {
  const wanted = bench.isQuick ? 10_000 : 100_000;
  const sink = await BenchSink.start(bench.cleanup);
  const chain = await BenchChain.start(bench.cleanup);
  bench.say(`mining ${wanted} logs, ${logsPerBlock} to a block`);
  const before = await chain.countTransfers(0, await chain.blockNumber());
  await chain.mineLogs(wanted, logsPerBlock);
  const count = before + wanted;
  const to = await chain.blockNumber();

  const ofHub: number[] = [];
  const ofLoop: number[] = [];
  let faults = noFaults;
  let cpuPerEvent: Line['cpuPerEvent'];
  const load = loadNow();
  for (let round = 0; round < rounds; round += 1) {
    bench.say(`round ${round + 1} of ${rounds}`);
    const database = await bench.createDatabase();
    const { configuration } = chain;
    const hub = await BenchHub.create(bench, { backend, databaseUrl: database.url, flows: {}, configuration });
    await hub.start();
    await sink.reset();
    const meter = await startMeter(bench, hub);
    const startedAtMs = nowMs();
    await createStream(hub, sink, { from: 0, batchSize });
    const state = await sink.settled(count);
    cpuPerEvent = await meter(count);
    await hub.stop();
    ofHub.push((count * 1_000) / ((state.lastAtMs ?? Infinity) - startedAtMs));
    faults = addFaults(faults, sinkFaults(state, count));
    const range = { from: 0, to, blocksAtOnce: 10, batchSize };
    ofLoop.push(await bareStream(bench, chain, sink, { ...range, timed: 'everything' }));
  }
  const limit = median(ofLoop);
  return [
    {
      scenario: 'stream-backfill',
      backend: '',
      what: `${wanted.toLocaleString('en')} logs from block 0 → webhook, batches of ${batchSize}`,
      value: median(ofHub),
      unit: 'events/s',
      // Or 0.4 of the bare loop, where that is slow.
      target: { is: 'at least', value: Math.min(8_000, limit * 0.4) },
      limits: [{ name: 'bare loop', value: limit }],
      faults,
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
      load,
    },
  ];
}
