import { PatchbayError } from '#sdk';
import { findBlock, findBlockByHash, type BlockHeader } from './block.js';
import type { BlockWindow } from './block-window.js';
import type { Rpc } from './rpc-client.js';
import { RpcError } from './rpc-error.js';

/** Headers that are asked for at the same time. */
const parallel = 8;

/**
 * Keeps the window at the head of the chain. A head counts only once its parents lead to a block of the window; one that
 * is merely older than the tip comes from a node that lags and is ignored.
 */
export class HeadFollower {
  readonly #window: BlockWindow;
  /** A lower head on another branch, seen once: a lagging node on a branch that lost looks the same for a moment. */
  #suspect: string | undefined;
  /** Whose parent the node did not have; sure when it said so twice. */
  #bottom: { readonly hash: string; readonly isSure: boolean } | undefined;

  constructor(window: BlockWindow) {
    this.#window = window;
  }

  /**
   * @returns the first abandoned block number when the chain was reorganised
   * @throws evm.reorgTooDeep
   */
  async advance(rpc: Rpc, head: BlockHeader, signal?: AbortSignal): Promise<number | undefined> {
    const window = this.#window;
    const tip = window.tip;
    if (!tip) {
      window.reset(head);
      return undefined;
    }
    if (window.get(head.number)?.hash === head.hash) {
      this.#suspect = undefined;
      return undefined;
    }
    if (head.number < tip.number && this.#suspect !== head.hash) {
      this.#suspect = head.hash;
      return undefined;
    }
    this.#suspect = undefined;
    if (head.parentHash === tip.hash) {
      window.append(head);
      return undefined;
    }
    if (head.number - tip.number > window.size) return await this.#leap(rpc, head, signal);
    return await this.#connect(rpc, head, signal);
  }

  /**
   * Reaches back to a block, so that who stands there is compared with the chain; less far where the node says twice that
   * it has no more.
   */
  async deepen(rpc: Rpc, number: number, signal?: AbortSignal): Promise<void> {
    const window = this.#window;
    const lowest = Math.max(number, (window.tip?.number ?? 0) - window.size + 1, 0);
    let first = window.get(window.low);
    if (!first || first.number <= lowest) return;
    if (this.#bottom?.isSure && this.#bottom.hash === first.hash) return;
    const guesses = await headers(rpc, lowest, first.number - 1, signal);
    while (first.number > lowest) {
      const parent: BlockHeader | undefined = await parentOf(rpc, first, guesses, signal);
      if (!parent) {
        this.#bottom = { hash: first.hash, isSure: this.#bottom?.hash === first.hash };
        throw withoutParent();
      }
      window.prepend(parent);
      first = parent;
    }
  }

  /** Walks from the head back to the window by parent hashes. */
  async #connect(rpc: Rpc, head: BlockHeader, signal?: AbortSignal): Promise<number | undefined> {
    const window = this.#window;
    const oldTip = window.tip?.number ?? 0;
    const between = await headers(rpc, oldTip + 1, head.number - 1, signal);
    const branch = [head];
    let oldest = head;
    while (window.get(oldest.number - 1)?.hash !== oldest.parentHash) {
      if (oldest.number <= window.low) {
        if (window.isFull) throw tooDeep(window.size, oldest.number);
        // The window began only recently, so that it cannot measure the reorganisation; each subscription measures its own.
        window.truncate(window.low + 1);
        window.reset(oldest);
        for (const block of branch.toReversed().slice(1)) window.append(block);
        return oldest.number;
      }
      const parent = await parentOf(rpc, oldest, between, signal);
      if (!parent) throw withoutParent();
      branch.push(parent);
      oldest = parent;
    }
    const isReorganised = oldest.number <= oldTip;
    if (isReorganised) window.truncate(oldest.number);
    for (const block of branch.toReversed()) window.append(block);
    return isReorganised ? oldest.number : undefined;
  }

  /** After a long outage: the window is too far behind to be connected block by block, so numbers are compared. */
  async #leap(rpc: Rpc, head: BlockHeader, signal?: AbortSignal): Promise<number | undefined> {
    const window = this.#window;
    const tip = window.tip?.number ?? 0;
    let number = tip;
    for (; number >= window.low; number--) {
      const block = await findBlock(rpc, number, signal);
      if (block?.hash === window.get(number)?.hash) break;
    }
    if (number < window.low && window.isFull) throw tooDeep(window.size, window.low);
    window.reset(head);
    return number === tip ? undefined : number + 1;
  }
}

/** One of those that were asked for by number, if it is the one; the chain may have changed since. */
async function parentOf(
  rpc: Rpc,
  { number, parentHash }: BlockHeader,
  guesses: ReadonlyMap<number, BlockHeader>,
  signal?: AbortSignal,
): Promise<BlockHeader | undefined> {
  const guess = guesses.get(number - 1);
  return guess?.hash === parentHash ? guess : await findBlockByHash(rpc, parentHash, signal);
}

export async function headers(
  rpc: Rpc,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, BlockHeader>> {
  const found = new Map<number, BlockHeader>();
  for (let start = from; start <= to; start += parallel) {
    const numbers = Array.from({ length: Math.min(parallel, to - start + 1) }, (_, index) => start + index);
    for (const block of await Promise.all(numbers.map((number) => findBlock(rpc, number, signal)))) {
      if (block) found.set(block.number, block);
    }
  }
  return found;
}

function withoutParent(): RpcError {
  return new RpcError('transport', 'The node does not have the parent of its own head');
}

export function tooDeep(size: number, number: number): PatchbayError {
  return new PatchbayError('evm.reorgTooDeep', {
    detail: `The chain was reorganised below block ${String(number)}, deeper than the ${String(size)} blocks that are kept`,
    fix: 'Check that the node belongs to the right chain; then restart the trigger at a block of your choice.',
  });
}
