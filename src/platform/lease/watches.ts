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

  /**
   * Begins those that are new; what is not wanted any more has ended when this resolves. Those that go on are left alone.
   *
   * @param signal ends all that begin now
   */
  async align(wanted: ReadonlyMap<string, Watch>, signal: AbortSignal): Promise<void> {
    const unwanted = [...this.#running.keys()].filter((name) => !wanted.has(name));
    await Promise.all(unwanted.map((name) => this.#stop(name)));
    for (const [name, watch] of wanted) {
      if (this.#running.has(name)) continue;
      const stop = new AbortController();
      this.#running.set(name, { stop, ended: keep(watch, AbortSignal.any([stop.signal, signal])) });
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.stop.abort();
    await running?.ended;
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
