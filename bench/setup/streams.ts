import { randomBytes } from 'node:crypto';
import type { BareStreamOptions, BareStreamed } from '../processes/bare-stream.js';
import { demoToken } from '../../sandbox/chain/demo-contracts.js';
import type { Bench } from './bench.js';
import type { BenchChain } from './chain.js';
import type { BenchHub } from './hub.js';
import { Part } from './part.js';
import type { BenchSink } from './sink.js';

export const streamName = 'transfers';

/** A stream of all transfers to the sink, in signed batches. */
export function createStream(
  hub: BenchHub,
  sink: BenchSink,
  { from, batchSize }: { readonly from: 'now' | number; readonly batchSize: number },
): Promise<unknown> {
  return hub.call('POST', '/api/streams', {
    name: streamName,
    contracts: ['usdc'],
    events: [{ event: 'Transfer' }],
    from,
    batch: { size: batchSize },
    target: { type: 'webhook', url: sink.url, secret: `whsec_${randomBytes(32).toString('base64')}` },
  });
}

/** @returns events per second */
export async function bareStream(
  bench: Bench,
  chain: BenchChain,
  sink: BenchSink,
  options: Pick<BareStreamOptions, 'from' | 'to' | 'blocksAtOnce' | 'batchSize' | 'timed'>,
): Promise<number> {
  await sink.reset();
  const all: BareStreamOptions = { ...options, url: chain.url, token: demoToken, target: sink.url };
  const loop = Part.start('bare-stream', all, bench.cleanup);
  const { events, ms } = await loop.next<BareStreamed>();
  await loop.stop();
  return (events * 1_000) / ms;
}
