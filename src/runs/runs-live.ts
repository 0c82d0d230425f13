import type { JournalEntry } from '#engine';
import type { Signals } from '#platform';
import { z } from '#sdk';

/** What happens to a run, as it happens; told on socket.io namespace `/runs`. */
export const runProgress = z.object({
  run: z.string(),
  flow: z.string(),
  state: z.string().optional(),
  step: z
    .object({ id: z.string(), iteration: z.number().int(), state: z.string(), attempts: z.number().int() })
    .optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});

export type RunProgress = Readonly<z.output<typeof runProgress>>;

const flushMs = 50;
const perMessage = 40;
const endStates: ReadonlySet<string | undefined> = new Set(['completed', 'failed', 'cancelled']);

/** Tells every process about progress; costs nothing while nobody listens. Progress may be lost, the run table may not. */
export class RunsLive {
  #pending: RunProgress[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly signals: Signals) {}

  onProgress(listener: (progress: readonly RunProgress[]) => void): void {
    this.signals.on('runs', (payload) => listener(payload as RunProgress[]));
  }

  /**
   * The end of runs of one flow, without the delay of {@link onProgress}; may get lost too.
   *
   * @returns a function that stops listening
   */
  onEnd(flow: string, listener: (run: string) => void): () => void {
    const topic = endTopic(flow);
    const leave = this.signals.on(topic, (payload) => listener(String(payload)));
    this.signals.setInterest(topic, true);
    return () => {
      leave();
      this.signals.setInterest(topic, false);
    };
  }

  tell(progress: RunProgress): void {
    if (endStates.has(progress.state)) this.signals.publish(endTopic(progress.flow), progress.run);
    if (!this.signals.isHeard('runs')) return;
    this.#pending.push(progress);
    this.#timer ??= setTimeout(() => this.#flush(), flushMs);
  }

  tellSteps(run: { readonly id: string; readonly flow: string }, entries: readonly JournalEntry[]): void {
    if (!this.signals.isHeard('runs')) return;
    for (const { step, iteration, state, attempts } of entries) {
      this.tell({ run: run.id, flow: run.flow, step: { id: step, iteration, state, attempts } });
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#timer = undefined;
    const pending = this.#pending;
    this.#pending = [];
    for (let i = 0; i < pending.length; i += perMessage) {
      this.signals.publish('runs', pending.slice(i, i + perMessage));
    }
  }
}

function endTopic(flow: string): string {
  return `run-end ${flow}`;
}
