import type { Logger } from '#sdk';
import { createLogIds } from '../chain-log.js';
import { formatPosition } from '../checkpoint.js';
import type { LogWatcher } from '../log-watcher.js';
import type { Batch, ChainRetraction, WatchOptions } from '../subscription.js';

export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {
  return undefined;
}

/** A listener as the hub is one: keeps events by id, withdraws and remembers its cursor. */
export class HeardLogs {
  readonly events = new Map<string, { position: string; isActive: boolean; value: bigint }>();
  readonly retractions: ChainRetraction[] = [];
  readonly batches: Batch[] = [];
  cursor: string | undefined;
  hook: ((batch: Batch) => Promise<void> | void) | undefined;
  #stop = new AbortController();
  #watch: Promise<void> | undefined;

  listen(watcher: LogWatcher, options: Partial<WatchOptions> = {}): Promise<void> {
    let idOf = createLogIds(1);
    this.#stop = new AbortController();
    this.#watch = watcher.watch({
      filter: { addresses: undefined, topics: [] },
      finality: 0,
      cursor: this.cursor,
      signal: this.#stop.signal,
      deliver: async (batch) => {
        await this.hook?.(batch);
        this.batches.push(batch);
        for (const log of batch.logs) {
          const position = formatPosition(log.blockNumber, log.logIndex);
          this.events.set(idOf(log), { position, isActive: true, value: BigInt(log.data) });
        }
        this.cursor = batch.cursor;
      },
      retract: (retraction) => {
        this.retractions.push(retraction);
        idOf = createLogIds(1);
        for (const event of this.events.values()) if (event.position >= retraction.from) event.isActive = false;
        this.cursor = retraction.cursor;
        return Promise.resolve();
      },
      ...options,
    });
    this.#watch.catch(() => undefined);
    return this.#watch;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watch;
  }

  get values(): bigint[] {
    return [...this.events.values()]
      .filter(({ isActive }) => isActive)
      .sort((one, other) => (one.position < other.position ? -1 : 1))
      .map(({ value }) => value);
  }
}

/** Waits for a condition instead of a time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not within ${String(withinMs)} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
