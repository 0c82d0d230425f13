import { defineService } from '#sdk';
import type { BlockHeader } from './block.js';

/** What a reorganisation is recognised and measured by. */
export interface KnownBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

/**
 * Where the watcher keeps the newest blocks it saw, abandoned ones included, so that a reorganisation during a restart is
 * measured exactly. Losing it costs a wider withdrawal, no event.
 */
export interface BlockMemory {
  load(chainId: number): Promise<readonly KnownBlock[]>;
  /** Adds blocks and forgets what is older than `keepFrom`. */
  save(chainId: number, blocks: readonly KnownBlock[], keepFrom: number): Promise<void>;
}

export const blockMemory = defineService<BlockMemory>('evm.blockMemory');

/** The newest blocks of the chain without a gap, each the parent of the next; and what it knows of abandoned ones. */
export class BlockWindow {
  readonly size: number;
  readonly #blocks = new Map<number, BlockHeader>();
  readonly #known = new Map<string, KnownBlock>();
  #low = 0;
  #tip: BlockHeader | undefined;
  #unsaved: KnownBlock[] = [];

  constructor(size: number, remembered: readonly KnownBlock[] = []) {
    this.size = size;
    for (const block of remembered) this.#known.set(block.hash, block);
  }

  get tip(): BlockHeader | undefined {
    return this.#tip;
  }

  /** Lowest number it has. */
  get low(): number {
    return this.#low;
  }

  get isFull(): boolean {
    return this.#blocks.size >= this.size;
  }

  get(number: number): BlockHeader | undefined {
    return this.#blocks.get(number);
  }

  /** Any block it ever heard of and has not forgotten, in the chain or abandoned. */
  find(hash: string): KnownBlock | undefined {
    return this.#known.get(hash);
  }

  /** Starts anew at this block. */
  reset(block: BlockHeader): void {
    this.#blocks.clear();
    this.#low = block.number;
    this.#put(block);
  }

  /** The block must be a child of the tip. */
  append(block: BlockHeader): void {
    if (block.parentHash !== this.#tip?.hash || block.number !== this.#tip.number + 1) {
      throw new RangeError(`Block ${String(block.number)} is no child of the newest block`);
    }
    this.#put(block);
    while (this.#blocks.size > this.size) this.#blocks.delete(this.#low++);
  }

  /** The block must be the parent of the lowest. */
  prepend(block: BlockHeader): void {
    if (block.hash !== this.#blocks.get(this.#low)?.parentHash || block.number !== this.#low - 1) {
      throw new RangeError(`Block ${String(block.number)} is not the parent of the lowest block`);
    }
    this.#low = block.number;
    this.#keep(block);
  }

  /** Abandons everything from this number on; at least the lowest block stays. */
  truncate(from: number): void {
    for (let number = this.#tip?.number ?? -1; number >= from; number--) this.#blocks.delete(number);
    this.#tip = this.#blocks.get(from - 1);
  }

  /** What was added since the last call; older blocks than twice the window are forgotten. */
  takeUnsaved(): { readonly blocks: readonly KnownBlock[]; readonly keepFrom: number } {
    const keepFrom = Math.max(0, (this.#tip?.number ?? 0) - 2 * this.size);
    for (const [hash, block] of this.#known) if (block.number < keepFrom) this.#known.delete(hash);
    const blocks = this.#unsaved.filter(({ number }) => number >= keepFrom);
    this.#unsaved = [];
    return { blocks, keepFrom };
  }

  /** What was taken could not be saved: it is taken again the next time. */
  putBackUnsaved(blocks: readonly KnownBlock[]): void {
    this.#unsaved.unshift(...blocks);
  }

  #put(block: BlockHeader): void {
    this.#tip = block;
    this.#keep(block);
  }

  #keep(block: BlockHeader): void {
    this.#blocks.set(block.number, block);
    if (this.#known.has(block.hash)) return;
    const known = { number: block.number, hash: block.hash, parentHash: block.parentHash };
    this.#known.set(block.hash, known);
    this.#unsaved.push(known);
  }
}
