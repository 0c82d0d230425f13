import { toQuantity, type Network } from '#evm';
import { askIfThere } from './contract-view.js';
import { aggregator as aggregatorOf, phaseId } from './feed-abi.js';

/** Who emits for a feed: itself, or the aggregator that its proxy stands before. */
export interface FeedSource {
  readonly aggregator: string;
  /** 0: the feed is no proxy. */
  readonly phase: number;
}

/** As of a block; by the latest one where the node no longer has the state of that block. */
export async function sourceAt(
  network: Network,
  feed: string,
  block: number | undefined,
  signal: AbortSignal,
): Promise<FeedSource> {
  if (block === undefined) return await sourceIn(network, feed, 'latest', signal);
  const exact = await findSourceAt(network, feed, block, signal);
  return exact ?? (await sourceIn(network, feed, 'latest', signal));
}

/**
 * The first block in which the feed has another source than in `from`, where it is known, and no later than `to`, where it
 * has another one. `to` when the node cannot tell.
 */
export async function findChange(
  network: Network,
  feed: string,
  known: FeedSource,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<number> {
  let [same, other] = [from, to];
  while (other - same > 1) {
    const middle = (same + other) >> 1;
    const source = await findSourceAt(network, feed, middle, signal);
    if (!source) return to;
    if (isSame(source, known)) same = middle;
    else other = middle;
  }
  return other;
}

export function isSame(one: FeedSource, other: FeedSource): boolean {
  return one.aggregator === other.aggregator && one.phase === other.phase;
}

export async function headOf(network: Network, signal: AbortSignal): Promise<number> {
  return Number(await network.rpc.request<string>('eth_blockNumber', [], signal));
}

async function findSourceAt(
  network: Network,
  feed: string,
  block: number,
  signal: AbortSignal,
): Promise<FeedSource | undefined> {
  return await sourceIn(network, feed, toQuantity(Math.max(0, block)), signal).catch((error: unknown) => {
    signal.throwIfAborted();
    // Most nodes keep the state of the newest blocks only.
    if (block > 0) return undefined;
    throw error;
  });
}

async function sourceIn(network: Network, feed: string, block: string, signal: AbortSignal): Promise<FeedSource> {
  const options = { block, signal };
  const found = await askIfThere(network, feed, aggregatorOf, {}, options);
  if (!found) return { aggregator: feed, phase: 0 };
  const phase = await askIfThere(network, feed, phaseId, {}, options);
  return { aggregator: String(found['value']).toLowerCase(), phase: Number(phase?.['value'] ?? 0) };
}
