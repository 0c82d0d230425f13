import type { Logger } from '#sdk';
import { findBlock, type BlockHeader } from './block.js';
import type { Rpc } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import type { Finality } from './subscription.js';

/** Blocks on top that stand for final where a chain does not say it: as many as Ethereum usually needs. */
export const finalizedFallback = 64;

/** Newest blocks that the chain calls safe and finalized, as of the present tip. */
export class FinalBlocks {
  readonly #log: Logger;
  readonly #numbers = new Map<'safe' | 'finalized', number>();
  #hasWarned = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The tip has moved. */
  clear(): void {
    this.#numbers.clear();
  }

  /** Newest block that counts for one who asks for this much. */
  newest(finality: Finality, tip: number): number {
    return typeof finality === 'number' ? tip - finality : Math.min(tip, this.#numbers.get(finality) ?? -1);
  }

  /** Asks for what somebody wants and is not known yet. */
  async read(rpc: Rpc, tip: BlockHeader, wanted: readonly Finality[], signal: AbortSignal): Promise<void> {
    for (const tag of ['finalized', 'safe'] as const) {
      if (!wanted.includes(tag) || this.#numbers.has(tag)) continue;
      const number = await findTagged(rpc, tag, signal);
      if (number === undefined && !this.#hasWarned) {
        this.#hasWarned = true;
        this.#log.warn('The node does not say which block is final; blocks on top are counted instead', {
          tag,
          blocks: finalizedFallback,
        });
      }
      this.#numbers.set(tag, number ?? tip.number - finalizedFallback);
    }
  }
}

/** Number of the newest block that counts for one who asks for this much, as of now; negative: none does yet. */
export async function settledBlock(rpc: Rpc, finality: Finality, signal?: AbortSignal): Promise<number> {
  const tagged = typeof finality === 'number' ? undefined : await findTagged(rpc, finality, signal);
  if (tagged !== undefined) return tagged;
  const head = Number(await rpc.request<string>('eth_blockNumber', [], signal));
  return head - (typeof finality === 'number' ? finality : finalizedFallback);
}

/** Number of the newest block that the chain calls so; undefined where it calls none so. */
export async function findTagged(
  rpc: Rpc,
  tag: 'safe' | 'finalized',
  signal?: AbortSignal,
): Promise<number | undefined> {
  const block = await findBlock(rpc, tag, signal).catch((error: unknown) => {
    if (error instanceof RpcError && error.kind === 'rejected') return undefined;
    throw error;
  });
  return block?.number;
}
