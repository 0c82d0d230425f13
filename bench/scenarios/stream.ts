import { nowMs } from '../processes/part-process.js';
import type { SinkState } from '../processes/sink.js';
import { addFaults, loadNow, noFaults, type Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { BenchChain } from '../setup/chain.js';
import { BenchHub } from '../setup/hub.js';
import { startMeter } from '../setup/meter.js';
import { BenchSink, sinkFaults } from '../setup/sink.js';
import { bareStream, createStream, streamName } from '../setup/streams.js';
import { median } from '../statistics.js';

const perBlock = 500;
const batchSize = 50;
const rounds = 3;

/** A running stream: what is mined while it rests and delivered when it goes on, and what is delivered while it is mined. */
export async function stream(bench: Bench, backend: Backend): Promise<Line[]> {
  const count = bench.isQuick ? 2_000 : 20_000;
  const sink = await BenchSink.start(bench.cleanup);
  const chain = await BenchChain.start(bench.cleanup);
  const database = await bench.createDatabase();
  const { configuration } = chain;
  const hub = await BenchHub.create(bench, { backend, databaseUrl: database.url, flows: {}, configuration });
  await hub.start();
  await createStream(hub, sink, { from: 'now', batchSize });
  bench.say('warming up');
  const warmUp = bench.isQuick ? 1_000 : 5_000;
  await chain.mineLogs(warmUp, perBlock);
  await sink.settled(warmUp);

  const untilFirst: number[] = [];
  const resumed: number[] = [];
  const live: number[] = [];
  const mined: number[] = [];
  const ofPosts: number[] = [];
  let faults = noFaults;
  let cpuPerEvent: Line['cpuPerEvent'];
  const load = loadNow();
  for (let round = 0; round < rounds; round += 1) {
    bench.say(`round ${round + 1} of ${rounds}: ${count} events mined before the stream goes on`);
    await sink.reset();
    await hub.call('POST', `/api/streams/${streamName}/suspend`, {});
    const from = (await chain.blockNumber()) + 1;
    await chain.mineLogs(count, perBlock);
    const meter = await startMeter(bench, hub);
    const resumedAtMs = nowMs();
    await hub.call('POST', `/api/streams/${streamName}/resume`, {});
    const afterRest = await sink.settled(count);
    cpuPerEvent = await meter(count);
    const { firstAtMs = Infinity } = afterRest;
    untilFirst.push(firstAtMs - resumedAtMs);
    // The first batch has arrived when the clock begins to run.
    resumed.push(perSecond(count - batchSize, firstAtMs, afterRest));
    faults = addFaults(faults, sinkFaults(afterRest, count));

    bench.say('the same bodies posted one after another by a bare loop');
    const to = await chain.blockNumber();
    ofPosts.push(await bareStream(bench, chain, sink, { from, to, blocksAtOnce: 4, batchSize, timed: 'posts' }));

    bench.say('as many mined while the stream runs');
    await sink.reset();
    const minedFromMs = nowMs();
    await chain.mineLogs(count, perBlock);
    mined.push((count * 1_000) / (nowMs() - minedFromMs));
    const whileMined = await sink.settled(count);
    live.push(perSecond(count, minedFromMs, whileMined));
    faults = addFaults(faults, sinkFaults(whileMined, count));
  }
  await hub.stop();
  const limit = median(ofPosts);
  const line = { scenario: 'stream', backend: '', unit: 'events/s', load };
  return [
    {
      ...line,
      what: `${count.toLocaleString('en')} events → webhook, batches of ${batchSize}, after a rest`,
      value: median(resumed),
      // Or half of the bare POSTs, where those are slow.
      target: { is: 'at least', value: Math.min(5_000, limit / 2) },
      limits: [{ name: 'bare POSTs of the same', value: limit }],
      faults,
      ...(cpuPerEvent !== undefined && { cpuPerEvent }),
    },
    { ...line, what: 'the same, resumed → first batch received', value: median(untilFirst), unit: 'ms' },
    {
      ...line,
      what: `the same while they are mined, ${perBlock} to a block`,
      value: median(live),
      limits: [
        { name: 'mining', value: median(mined) },
        { name: 'bare POSTs of the same', value: limit },
      ],
    },
  ];
}

function perSecond(count: number, startedAtMs: number, { lastAtMs = Infinity }: SinkState): number {
  return (count * 1_000) / (lastAtMs - startedAtMs);
}
