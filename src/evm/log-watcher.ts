import { PatchbayError, type Logger } from '#sdk';
import type { BlockHeader } from './block.js';
import type { BlockMemory, BlockWindow } from './block-window.js';
import { catchUp } from './catch-up.js';
import { ChainHead } from './chain-head.js';
import { measureFork } from './fork.js';
import { readLive, type LiveReaderCounters } from './live-reader.js';
import { LogRangeReader } from './log-range.js';
import { mergeFilters, type LogFilter } from './log-filter.js';
import { NewHeads } from './new-heads.js';
import { PollPace } from './poll-pace.js';
import type { RpcAgents } from './rpc-transport.js';
import type { Rpc, RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import { Subscription, type WatchOptions } from './subscription.js';

export interface LogWatcherOptions {
  readonly rpc: RpcClient;
  readonly log: Logger;
  readonly memory?: BlockMemory;
  readonly wsUrl?: string;
  readonly agents?: RpcAgents;
  /** Blocks after the abandoned head at which what was not mined again counts as gone. */
  readonly revertedAfter: number;
  /** Blocks whose hashes are kept: the deepest reorganisation that is followed. Default 128. */
  readonly windowSize?: number;
  /** Newest blocks that are searched a second time, because load-balanced nodes answer late. Default 2. */
  readonly recheckBlocks?: number;
  /** Time between blocks, when it is known; otherwise it is measured. */
  readonly blockTimeMs?: number;
  /** Looks for a new head at least this often; for development chains, whose blocks come at no fixed time. */
  readonly pollMs?: number;
}

export interface WatcherStatus {
  readonly state: 'idle' | 'following' | 'troubled';
  readonly head: number | undefined;
  /** When a new head was last seen. */
  readonly headAt: Date | undefined;
  readonly error: string | undefined;
  readonly subscriptions: number;
  /** Blocks that the slowest subscription is behind the head. */
  readonly lag: number;
  readonly missedLogs: number;
}

/**
 * Up to this far behind, blocks are read one merged search at a time, and each is compared with the chain and proven to
 * have no more than was found; further back each subscription catches up by itself.
 */
const nearBlocks = 100;
const shortestPauseMs = 250;
const longestPauseMs = 10_000;

/**
 * Hears the logs of one network for any number of subscriptions. Each subscription carries the hash of the last block it
 * read, so that it notices by itself when that block has left the chain, also after having been away.
 */
export class LogWatcher {
  readonly #options: LogWatcherOptions;
  readonly #subscriptions = new Set<Subscription>();
  readonly #counters: LiveReaderCounters = { missedLogs: 0 };
  readonly #pace: PollPace;
  /** Shared, so that what the provider accepts is learnt once. */
  readonly #ranges: LogRangeReader;
  readonly #head: ChainHead;
  #loop: Promise<void> | undefined;
  #isClosed = false;
  #stop = new AbortController();
  #wake: () => void = () => undefined;
  #isWoken = false;
  #failures = 0;
  #error: string | undefined;

  constructor(options: LogWatcherOptions) {
    this.#options = options;
    const { rpc, log, memory, windowSize = 128 } = options;
    this.#head = new ChainHead({ chainId: rpc.chainId, log, memory, windowSize });
    this.#pace = new PollPace(options);
    this.#ranges = new LogRangeReader(options.rpc);
  }

  get #window(): BlockWindow {
    return this.#head.window;
  }

  /** What is deeper is not expected to vanish any more. */
  get revertedAfter(): number {
    return this.#options.revertedAfter;
  }

  get status(): WatcherStatus {
    const head = this.#window.tip?.number;
    const places = [...this.#subscriptions].map((subscription) => subscription.place?.next ?? head ?? 0);
    return {
      state: this.#loop === undefined ? 'idle' : this.#error === undefined ? 'following' : 'troubled',
      head,
      headAt: this.#head.movedAt,
      error: this.#error,
      subscriptions: this.#subscriptions.size,
      lag: head === undefined ? 0 : Math.max(0, head + 1 - Math.min(head + 1, ...places)),
      missedLogs: this.#counters.missedLogs,
    };
  }

  /**
   * Resolves when `signal` is aborted and nothing is being delivered any more.
   *
   * @throws evm.reorgTooDeep, connection.refused once it was closed, and whatever `deliver` or `retract` throws
   */
  async watch(options: WatchOptions): Promise<void> {
    if (options.signal.aborted) return;
    if (this.#isClosed) throw openedAnew();
    const subscription = new Subscription(options);
    this.#subscriptions.add(subscription);
    const onAbort = (): void => {
      this.#wakeUp();
      subscription.end();
    };
    options.signal.addEventListener('abort', onAbort, { once: true });
    this.#loop ??= this.#follow();
    this.#wakeUp();
    try {
      await subscription.finished;
    } finally {
      options.signal.removeEventListener('abort', onAbort);
      this.#subscriptions.delete(subscription);
      if (this.#subscriptions.size === 0) {
        this.#stop.abort();
        this.#wakeUp();
      }
    }
  }

  /** For good. Resolves when the loop has ended; it ends by itself with the last subscription. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const subscription of this.#subscriptions) subscription.end();
    this.#stop.abort();
    this.#wakeUp();
    await this.#loop;
  }

  async #follow(): Promise<void> {
    this.#stop = new AbortController();
    const { wsUrl, agents, log } = this.#options;
    const heads =
      wsUrl === undefined
        ? undefined
        : new NewHeads({ url: wsUrl, log, onHead: () => this.#wakeUp(), ...(agents ? { agents } : {}) });
    try {
      await this.#head.remember();
      while (this.#subscriptions.size > 0 && !this.#stop.signal.aborted) {
        const pauseMs = await this.#tick();
        await this.#rest(pauseMs ?? this.#pace.nextMs(heads?.isLive ?? false));
      }
    } finally {
      heads?.close();
      await this.#head.saved();
      this.#loop = undefined;
      // One that came while the loop was ending.
      if (this.#subscriptions.size > 0 && !this.#isClosed) this.#loop = this.#follow();
    }
  }

  /** @returns how long to pause after a failure; undefined when all is well */
  async #tick(): Promise<number | undefined> {
    this.#isWoken = false;
    try {
      await this.#options.rpc.pass((rpc) => this.#readHead(rpc));
      await this.#serve();
      this.#failures = 0;
      this.#error = undefined;
      return undefined;
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      this.#error = error instanceof Error ? error.message : String(error);
      if (!(error instanceof RpcError)) {
        this.#options.log.error('The network cannot be followed', { reason: this.#error });
        for (const subscription of this.#subscriptions) subscription.end(error);
        this.#head.forget();
        return undefined;
      }
      if (this.#failures === 3) this.#options.log.warn('The network does not answer', { reason: this.#error });
      const ceiling = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(this.#failures++, 8));
      return Math.max(20, Math.random() * ceiling);
    }
  }

  async #readHead(rpc: Rpc): Promise<void> {
    const signal = this.#stop.signal;
    const before = this.#window.tip;
    const wanted = [...this.#subscriptions].map(({ options }) => options.finality);
    await this.#head.read(rpc, wanted, signal);
    const { tip } = this.#window;
    if (!tip) return;
    if (tip.hash !== before?.hash) this.#pace.note(before, tip);
    const near = [...this.#subscriptions].filter((subscription) => !this.#isFar(subscription));
    const places = near.map(({ place }) => (place?.next ?? tip.number) - 1);
    await this.#head.deepen(rpc, Math.min(tip.number, ...places), signal);
  }

  /** Gives every idle subscription what the new head allows. One search serves all that stand at the same place. */
  async #serve(): Promise<void> {
    const tip = this.#window.tip;
    if (!tip) return;
    const groups = new Map<string, Subscription[]>();
    for (const subscription of this.#subscriptions) {
      if (!subscription.isIdle) continue;
      if (!subscription.place) {
        const begin = { next: tip.number + 1, parentHash: tip.hash };
        // Kept at once, so that a restart before the first event does not begin later.
        this.#start(subscription, () => subscription.accept({ logs: [], blocks: [] }, begin));
        continue;
      }
      const { next } = subscription.place;
      if (this.#hasMoved(subscription)) {
        this.#start(subscription, () => this.#realign(subscription));
        continue;
      }
      const target = this.#target(subscription);
      if (next > target) {
        if (subscription.isCursorDue) this.#start(subscription, () => subscription.saveIdle());
      } else if (this.#isFar(subscription)) {
        this.#start(subscription, () => this.#catchUp(subscription, nearBlocks));
      } else if (next < this.#window.low) {
        this.#start(subscription, () => this.#catchUp(subscription));
      } else {
        const place = `${String(next)}:${String(target)}`;
        const group = groups.get(place);
        if (group) group.push(subscription);
        else groups.set(place, [subscription]);
      }
    }
    const reads = await Promise.allSettled([...groups.values()].map((group) => this.#readGroup(group)));
    const failed = reads.find((read) => read.status === 'rejected');
    if (failed) throw PatchbayError.from(failed.reason);
  }

  /** Whether the block before `next` is no longer the one that was read. */
  #hasMoved(subscription: Subscription): boolean {
    const { next, parentHash } = subscription.place ?? { next: 0, parentHash: undefined };
    if (parentHash === undefined) return false;
    const tip = this.#window.tip;
    const known = this.#window.get(next - 1);
    if (known || !tip) return known !== undefined && known.hash !== parentHash;
    if (next - 1 < tip.number) return !subscription.isProven;
    // The chain is shorter than it was: compare where its tip is now.
    let hash: string | undefined = parentHash;
    for (let number = next - 1; number > tip.number && hash !== undefined; number--) {
      hash = this.#window.find(hash)?.parentHash;
    }
    return hash !== undefined && hash !== tip.hash;
  }

  async #readGroup(group: readonly Subscription[]): Promise<void> {
    const [first] = group;
    if (!first?.place) return;
    const from = first.place.next;
    // As many as make a good answer: the rest follows at once.
    const to = Math.min(this.#target(first), from + this.#ranges.span - 1);
    const recheckFrom = Math.max(this.#window.low, 0, from - (this.#options.recheckBlocks ?? 2));
    const filters = group.flatMap(({ search }) => search ?? []);
    const logs =
      filters.length === 0 ? [] : await this.#search(mergeFilters(filters), { from, to, recheckFrom }, group);
    if (!logs) return;
    const last = this.#window.get(to);
    if (!last) return;
    for (const subscription of group) {
      const isBlocks = subscription.search === undefined;
      const found = {
        logs: isBlocks ? [] : logs.filter((log) => subscription.wants(log)),
        blocks: isBlocks ? this.#blocks(from, to) : [],
      };
      this.#start(subscription, async () => {
        await subscription.accept(found, { next: to + 1, parentHash: last.hash });
        subscription.forgetBefore(recheckFrom);
      });
    }
  }

  /** Undefined when the merged search was refused and its members were put on their own. */
  async #search(
    filter: LogFilter,
    range: { from: number; to: number; recheckFrom: number },
    group: readonly Subscription[],
  ): Promise<Awaited<ReturnType<typeof readLive>> | undefined> {
    try {
      return await readLive(this.#options.rpc, this.#window, filter, range, this.#counters, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof RpcError) || (error.kind !== 'rangeTooLarge' && error.kind !== 'rejected')) throw error;
      if (error.kind === 'rejected' && /unknown block|not found|beyond|future/i.test(error.rpcMessage)) throw error;
      // Together it was too much, or one of them asks for something that the node refuses: each reads on by itself,
      // in ranges as small as the node wants.
      for (const subscription of group) this.#start(subscription, () => this.#catchUp(subscription));
      return undefined;
    }
  }

  #blocks(from: number, to: number): BlockHeader[] {
    return Array.from({ length: to - from + 1 }, (_, index) => this.#window.get(from + index)).filter(
      (block) => block !== undefined,
    );
  }

  #target(subscription: Subscription): number {
    return this.#head.newest(subscription.options.finality);
  }

  #start(subscription: Subscription, work: () => Promise<void>): void {
    subscription.run(
      async () => {
        try {
          await work();
          subscription.failures = 0;
        } catch (error) {
          if (!(error instanceof RpcError)) throw error;
          // A node in trouble is no fault of the subscription: it goes on where it stands.
          const ceiling = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(subscription.failures++, 8));
          const pauseMs = Math.random() * ceiling;
          subscription.pausedUntil = performance.now() + pauseMs;
          setTimeout(() => this.#wakeUp(), pauseMs).unref();
        }
      },
      () => this.#wakeUp(),
    );
  }

  #isFar(subscription: Subscription): boolean {
    const target = this.#target(subscription);
    return target - (subscription.place?.next ?? target) >= nearBlocks;
  }

  /** Up to `left` blocks before the newest that counts. */
  async #catchUp(subscription: Subscription, left = 0): Promise<void> {
    const limits = {
      target: () => this.#target(subscription) - left,
      youngFrom: () => (this.#window.tip?.number ?? 0) - this.#window.size,
    };
    await catchUp(this.#ranges, subscription, limits, this.#stop.signal);
  }

  async #realign(subscription: Subscription): Promise<void> {
    const { place } = subscription;
    if (place?.parentHash === undefined) return;
    const fork = await measureFork(this.#options.rpc, this.#window, place, this.#stop.signal);
    if (fork.next === place.next) {
      subscription.moveTo(fork);
      return;
    }
    await subscription.rewind(fork, this.#options.revertedAfter);
  }

  #wakeUp(): void {
    this.#isWoken = true;
    this.#wake();
  }

  async #rest(ms: number): Promise<void> {
    if (this.#isWoken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** For who still has what was closed: whoever asks for the network now gets the one that has the new settings. */
export function openedAnew(): PatchbayError {
  return new PatchbayError('connection.refused', { detail: 'The network was opened anew while it was used' });
}
