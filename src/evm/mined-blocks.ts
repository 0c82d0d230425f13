import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#sdk';
import { findBlock, type BlockHeader } from './block.js';
import { findReceiptsInBlock } from './block-receipts.js';
import { findMined, type Receipt } from './receipt.js';
import type { RpcClient } from './rpc-client.js';

/** What a new head brought. */
export interface MinedHead {
  readonly head: BlockHeader;
  /** Of the wanted transactions that were found mined. */
  readonly receipts: readonly Receipt[];
  /** Blocks that were read before may have left the chain. */
  readonly isReorganised: boolean;
}

export interface MinedMember {
  /** Hashes whose receipts are wanted; empty while nothing is waited for. */
  wanted(): ReadonlySet<string>;
  /** Whether a new head matters at all. */
  isWaiting(): boolean;
  onHead(found: MinedHead): void;
}

export interface MinedBlocksOptions {
  readonly rpc: RpcClient;
  readonly log: Logger;
  readonly pollMs: number;
}

/** A longer way is not read block by block: what is wanted is asked for by its hash. */
const longestWay = 16;
const longestPauseMs = 10_000;

/** Finds receipts by block rather than by transaction, for all signers of a network at once, while any of them waits. */
export class MinedBlocks {
  readonly #options: MinedBlocksOptions;
  readonly #members = new Set<MinedMember>();
  #last: BlockHeader | undefined;
  readonly #closing = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: MinedBlocksOptions) {
    this.#options = options;
  }

  /** @returns a function that leaves */
  join(member: MinedMember): () => void {
    this.#members.add(member);
    return () => this.#members.delete(member);
  }

  /** Somebody has begun to wait. */
  wake(): void {
    this.#loop ??= this.#follow().finally(() => {
      this.#loop = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted && [...this.#members].some((member) => member.isWaiting())) {
      try {
        await this.#look();
        failures = 0;
      } catch (error) {
        if (++failures === 3) this.#options.log.warn('The newest blocks cannot be read', { reason: String(error) });
      }
      const pauseMs = Math.min(longestPauseMs, this.#options.pollMs * 2 ** Math.min(failures, 10));
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    // Whoever waits next begins by asking for each hash: blocks will have passed meanwhile.
    this.#last = undefined;
  }

  async #look(): Promise<void> {
    const { rpc } = this.#options;
    const node = await rpc.traits();
    const found = await rpc.pass(async (one) => {
      const head = await findBlock(one, 'latest');
      const last = this.#last;
      if (!head || head.hash === last?.hash) return undefined;
      const wanted = new Set([...this.#members].flatMap((member) => [...member.wanted()]));
      const byHash = async (isReorganised: boolean): Promise<MinedHead> => ({
        head,
        receipts: await findMined(one, [...wanted]),
        isReorganised,
      });
      if (!last || head.number - last.number > longestWay) return await byHash(last !== undefined);
      if (head.number <= last.number) return await byHash(true);
      const receipts: Receipt[] = [];
      let before = last;
      for (let number = last.number + 1; number <= head.number; number++) {
        const read = await findReceiptsInBlock(one, number, wanted, node);
        // This node has not got so far yet: the rest comes with the next look.
        if (!read) return before === last ? undefined : { head: before, receipts, isReorganised: false };
        if (read.block.parentHash !== before.hash) return await byHash(true);
        receipts.push(...read.receipts);
        before = read.block;
      }
      return { head: before, receipts, isReorganised: false };
    });
    if (!found) return;
    this.#last = found.head;
    for (const member of this.#members) member.onHead(found);
  }
}
