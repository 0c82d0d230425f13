import type { JournalEntry } from '#engine';
import type { Signals } from '#platform';

/** What happens to a run, as it happens; told on socket.io namespace `/runs`. */
export interface RunProgress {
  readonly run: string;
  readonly flow: string;
  readonly state?: string;
  readonly step?: {
    readonly id: string;
    readonly iteration: number;
    readonly state: string;
    readonly attempts: number;
  };
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

const flushMs = 50;
const perMessage = 40;

/** Tells every process about progress; costs nothing while nobody listens. Progress may be lost, the run table may not. */
export class RunsLive {
  #pending: RunProgress[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly signals: Signals) {}

  onProgress(listener: (progress: readonly RunProgress[]) => void): void {
    this.signals.on('runs', (payload) => listener(payload as RunProgress[]));
  }

  tell(progress: RunProgress): void {
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
