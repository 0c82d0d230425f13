import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError } from '#sdk';

/** Something that listens for as long as it may. */
export interface Watch {
  /** Resolves when `signal` is aborted. */
  listen(signal: AbortSignal): Promise<void>;
  /** It is begun again by itself. */
  failed(error: PatchbayError): Promise<void>;
}

interface Running {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

const firstBackOffMs = 500;
const longestBackOffMs = 60_000;

/** Watches side by side: one that fails is begun again, after pauses that grow, and disturbs no other. */
export class Watches {
  readonly #running = new Map<string, Running>();
  /** Those that were told to end and have not ended yet. */
  readonly #ending = new Set<Running>();

  /**
   * Begins those that are new, and tells those that are not wanted any more to end; those that go on are left alone. What
   * begins waits for no end: one that was told to end may still be at work until this resolves.
   *
   * @param signal ends all that begin now
   */
  async align(wanted: ReadonlyMap<string, Watch>, signal: AbortSignal): Promise<void> {
    const unwanted = [...this.#running.keys()].filter((name) => !wanted.has(name));
    const ended = Promise.all(unwanted.map((name) => this.#stop(name)));
    for (const [name, watch] of wanted) {
      if (this.#running.has(name)) continue;
      const stop = new AbortController();
      this.#running.set(name, { stop, ended: keep(watch, AbortSignal.any([stop.signal, signal])) });
    }
    await ended;
  }

  /** Resolves when all have ended, also those that were told to before. */
  async stop(): Promise<void> {
    for (const name of this.#running.keys()) void this.#stop(name);
    await Promise.all([...this.#ending].map(({ ended }) => ended));
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    this.#ending.add(running);
    running.stop.abort();
    await running.ended;
    this.#ending.delete(running);
  }
}

async function keep(watch: Watch, signal: AbortSignal): Promise<void> {
  let backOffMs = firstBackOffMs;
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      await watch.listen(signal);
    } catch (thrown) {
      if (signal.aborted) return;
      // What cannot be noted now is noted the next time.
      await watch.failed(PatchbayError.from(thrown)).catch(() => undefined);
    }
    if (performance.now() - startedAt > longestBackOffMs) backOffMs = firstBackOffMs;
    await delay(backOffMs, undefined, { signal }).catch(() => undefined);
    backOffMs = Math.min(backOffMs * 2, longestBackOffMs);
  }
}
