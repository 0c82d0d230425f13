import type { Logger } from '#sdk';
import type { EndedRun, EndedRuns } from './ended-runs.js';
import type { RunsLive } from './runs-live.js';

/** What was told may get lost; this is how late it is noticed at the latest. */
const lookEveryMs = 500;

/** For whoever waits for the end of a run, in whichever process it is executed. */
export class RunEnds {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #followed = new Map<string, () => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: { readonly live: RunsLive; readonly endedRuns: EndedRuns; readonly log: Logger },
  ) {}

  /** From now on the ends of runs of these flows, and of no others, are told to this process at once. */
  follow(flows: ReadonlySet<string>, listener?: () => void): void {
    for (const [flow, leave] of this.#followed) {
      if (flows.has(flow)) continue;
      leave();
      this.#followed.delete(flow);
    }
    for (const flow of flows) {
      if (this.#followed.has(flow)) continue;
      const leave = this.parts.live.onEnd(flow, (run) => {
        this.#release([run]);
        listener?.();
      });
      this.#followed.set(flow, leave);
    }
  }

  /** @returns undefined when it has not ended within the time */
  async wait(
    id: string,
    { timeoutMs, looksFirst }: { timeoutMs: number; looksFirst: boolean },
  ): Promise<EndedRun | undefined> {
    const { endedRuns } = this.parts;
    const told = this.#told(id, timeoutMs);
    const known = looksFirst ? await endedRuns.find(id) : undefined;
    if (known !== undefined) {
      this.#release([id]);
      return known;
    }
    await told;
    return endedRuns.find(id);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.follow(new Set());
    this.#release([...this.#waiting.keys()]);
  }

  #told(id: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      const end = (): void => {
        clearTimeout(timer);
        waiting.delete(end);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      this.#waiting.set(id, waiting.add(end));
      this.#timer ??= setInterval(() => void this.#look(), lookEveryMs).unref();
    });
  }

  #release(ids: readonly string[]): void {
    for (const id of ids) for (const end of this.#waiting.get(id) ?? []) end();
  }

  async #look(): Promise<void> {
    if (this.#waiting.size === 0) return;
    try {
      this.#release(await this.parts.endedRuns.endedOf([...this.#waiting.keys()]));
    } catch (error) {
      this.parts.log.info('Nobody can be told of the end of runs for now', { error });
    }
  }
}
