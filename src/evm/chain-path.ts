import { parseHeader, toQuantity, type BlockHeader } from './block.js';
import { resultOf } from './rpc-batch.js';
import type { Rpc } from './rpc-client.js';

/** Deeper blocks are believed by their number: no node is so far behind, or so long on a branch that lost. */
export const longestPath = 128;
const keptBlocks = 4 * longestPath;

type Link = Pick<BlockHeader, 'number' | 'hash' | 'parentHash'>;

/**
 * What lies below a head, by the parents that blocks name: behind one address there may be nodes that lag, or that follow a
 * branch that has lost, and each answers by number what it has.
 */
export class ChainPath {
  readonly #known = new Map<string, Link>();

  /** Hashes by number from the head down to a block; fewer where no block was found that is the parent of the one above. */
  async below(rpc: Rpc, head: BlockHeader, lowest: number): Promise<ReadonlyMap<number, string>> {
    const hashes = new Map([[head.number, head.hash]]);
    const end = Math.max(lowest, head.number - longestPath, 0);
    this.#keep(head);
    let isAsked = false;
    for (let link: Link = head; link.number > end;) {
      let parent = this.#known.get(link.parentHash);
      if (!parent && !isAsked) {
        isAsked = true;
        await this.#ask(rpc, end, link.number - 1);
        parent = this.#known.get(link.parentHash);
      }
      if (!parent) break;
      hashes.set(parent.number, parent.hash);
      link = parent;
    }
    for (const hash of [...this.#known.keys()].slice(0, -keptBlocks)) this.#known.delete(hash);
    return hashes;
  }

  async #ask(rpc: Rpc, from: number, to: number): Promise<void> {
    const calls = Array.from({ length: to - from + 1 }, (_, index) => ({
      method: 'eth_getBlockByNumber',
      params: [toQuantity(from + index), false],
    }));
    for (const answer of await rpc.requestMany(calls)) {
      const block = parseHeader(resultOf(answer));
      if (block) this.#keep(block);
    }
  }

  #keep({ number, hash, parentHash }: Link): void {
    this.#known.set(hash, { number, hash, parentHash });
  }
}
