import { PatchbayError } from '#sdk';
import type { BlockHeader } from './block.js';
import type { ChainLog } from './chain-log.js';
import { formatBlock, formatCheckpoint, parseCheckpoint, type Checkpoint } from './checkpoint.js';
import type { Fork } from './fork.js';
import { matches, mergeFilters, type LogFilter } from './log-filter.js';

/** Blocks on top before a log counts, or the chain's own word for final. 0: as soon as it is mined. */
export type Finality = number | 'safe' | 'finalized';

export interface Batch {
  readonly logs: readonly ChainLog[];
  /** Only for subscriptions to blocks. */
  readonly blocks: readonly BlockHeader[];
  /** The place after these; sorts as text. */
  readonly cursor: string;
}

export interface ChainRetraction {
  /** Prefix of the positions of the first abandoned block. */
  readonly from: string;
  readonly finalAt: string;
  readonly cursor: string;
  /** False: the abandoned blocks begin there or later; what lies before them is only heard again. */
  readonly isExact: boolean;
}

export interface WatchOptions {
  /** `blocks`: every block itself. Several filters: what any of them wants, in one order. */
  readonly filter: LogFilter | readonly LogFilter[] | 'blocks';
  readonly finality: Finality;
  /** Where an earlier watch left off; undefined: begin with the next block, or with `fromBlock`. */
  readonly cursor: string | undefined;
  readonly fromBlock?: number;
  readonly signal: AbortSignal;
  /** Is awaited; meanwhile nothing else is delivered to this subscription. What it throws ends the watch. */
  deliver(batch: Batch): Promise<void>;
  retract(retraction: ChainRetraction): Promise<void>;
}

/** Logs of one delivery: large enough to be stored in few statements, small enough to be held in memory. */
const batchSize = 2_000;
/** An empty cursor move per block and subscription would be most of the hub's writing. */
const idleCursorMs = 1_000;

/** One who wants to hear: its place in the chain, and what is being delivered to it at the moment. */
export class Subscription {
  readonly options: WatchOptions;
  readonly #filters: readonly LogFilter[];
  /** Finds at least what it wants; undefined when it wants blocks. */
  readonly search: LogFilter | undefined;
  /** Undefined until the first head is known. */
  #place: Checkpoint | undefined;
  #savedNext = -1;
  #savedAt = 0;
  #work: Promise<void> | undefined;
  /** Log indexes that were delivered, by block; what a second look finds beyond these is late. */
  readonly #delivered = new Map<number, Set<number>>();
  failures = 0;
  pausedUntil = 0;
  /** Lowest block that it wants. */
  #since = 0;
  readonly #settle: (error?: unknown) => void;
  readonly finished: Promise<void>;
  isOver = false;
  /** Its place has been compared with the chain, or was read from it. */
  isProven = false;

  constructor(options: WatchOptions) {
    this.options = options;
    this.#filters = options.filter === 'blocks' ? [] : [options.filter].flat();
    this.search = options.filter === 'blocks' ? undefined : mergeFilters(this.#filters);
    let settle: (error?: unknown) => void = () => undefined;
    this.finished = new Promise((resolve, reject) => {
      settle = (error) => {
        if (error === undefined) resolve();
        else reject(PatchbayError.from(error));
      };
    });
    this.#settle = settle;
    if (options.cursor !== undefined) {
      this.#place = parseCheckpoint(options.cursor);
      this.#savedNext = this.#place.next;
      // What was delivered before is not known any more; a second look at it would only find it again.
      this.#since = this.#place.next;
    } else if (options.fromBlock !== undefined) {
      this.#place = { next: options.fromBlock, parentHash: undefined };
      this.#since = options.fromBlock;
    }
  }

  get place(): Checkpoint | undefined {
    return this.#place;
  }

  get isIdle(): boolean {
    return !this.isOver && this.#work === undefined && this.pausedUntil <= performance.now();
  }

  /** Of the blocks that are looked at a second time only those count that it wanted in the first place. */
  wants(log: ChainLog): boolean {
    return log.blockNumber >= this.#since && this.matches(log);
  }

  matches(log: ChainLog): boolean {
    return this.#filters.some((filter) => matches(filter, log));
  }

  /** Stands at this place without anything having been read. */
  moveTo(place: Checkpoint): void {
    this.#place = place;
    this.isProven = true;
  }

  /** Nothing more is begun for it; it is finished when what is being done has come to its end. */
  end(error?: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    // It may be what is being done that ends it, before anybody knows of that.
    void Promise.resolve()
      .then(() => this.#work)
      .then(() => this.#settle(error));
  }

  /** Does one thing for this subscription, unless it is over, while the others go on; a fault ends this one only. */
  run(work: () => Promise<void>, after: () => void): void {
    if (this.isOver) return;
    this.#work = work()
      .catch((error: unknown) => this.end(error))
      .finally(() => {
        this.#work = undefined;
        after();
      });
  }

  /** Hands over what was found up to the block before `next`, in parts that end at a log. */
  async accept(
    found: { readonly logs: readonly ChainLog[]; readonly blocks: readonly BlockHeader[] },
    place: Checkpoint,
  ): Promise<void> {
    if (!this.#place) this.#since = place.next;
    const logs = found.logs.filter((log) => !this.#delivered.get(log.blockNumber)?.has(log.logIndex));
    const total = Math.max(logs.length, found.blocks.length);
    const isDue = place.next > this.#savedNext && performance.now() - this.#savedAt >= idleCursorMs;
    for (let start = 0; start < total || (start === 0 && isDue); start += batchSize) {
      const end = start + batchSize;
      const following = logs[end]?.blockNumber ?? found.blocks[end]?.number;
      const at = end >= total ? place : { next: following ?? place.next, parentHash: undefined };
      const part = logs.slice(start, end);
      await this.options.deliver({ logs: part, blocks: found.blocks.slice(start, end), cursor: formatCheckpoint(at) });
      for (const log of part) this.#note(log);
      this.#savedNext = at.next;
      this.#savedAt = performance.now();
    }
    this.moveTo(place);
  }

  /** Moves the kept cursor over blocks that had nothing, now and then. */
  async saveIdle(): Promise<void> {
    if (this.#place) await this.accept({ logs: [], blocks: [] }, this.#place);
  }

  get isCursorDue(): boolean {
    const next = this.#place?.next ?? 0;
    return next > this.#savedNext && performance.now() - this.#savedAt >= idleCursorMs;
  }

  /** The chain goes on from `place`; what was delivered from there on is withdrawn. */
  async rewind({ isExact, ...place }: Fork, revertedAfter: number): Promise<void> {
    const oldHead = (this.#place?.next ?? place.next) - 1;
    await this.options.retract({
      from: formatBlock(place.next),
      finalAt: formatBlock(oldHead + revertedAfter),
      cursor: formatCheckpoint(place),
      isExact,
    });
    for (const number of this.#delivered.keys()) if (number >= place.next) this.#delivered.delete(number);
    this.moveTo(place);
    this.#savedNext = place.next;
    // One that began here wants nothing from before, however far back the fork may lie.
    if (this.options.cursor !== undefined) this.#since = Math.min(this.#since, place.next);
  }

  /** Forgets deliveries that no second look reaches. */
  forgetBefore(number: number): void {
    for (const known of this.#delivered.keys()) {
      if (known >= number) break;
      this.#delivered.delete(known);
    }
  }

  #note(log: ChainLog): void {
    const indexes = this.#delivered.get(log.blockNumber);
    if (indexes) indexes.add(log.logIndex);
    else this.#delivered.set(log.blockNumber, new Set([log.logIndex]));
  }
}
