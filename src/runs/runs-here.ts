import type { Logger } from '#sdk';
import type { RunRow } from './intake.store.js';
import type { RunJob } from './run-queue.js';
import type { ClaimedRun } from './runs.store.js';

/** What a process does that executes runs. */
export interface HereExecutor {
  /** It executes nothing any more. */
  readonly isStopping: boolean;
  /** False for flows whose runs are chosen only when there is one to execute. */
  takesNew(flow: string): boolean;
  perform(run: ClaimedRun): Promise<void>;
  execute(job: RunJob): Promise<void>;
}

/** New runs that are stored as claimed by this process already, each in a place that is kept for it. */
export interface Claims {
  /** Null: nobody executes runs here, and there are none. */
  readonly instance: string | null;
  /** Id to flow. */
  readonly runs: ReadonlyMap<string, string>;
}

/** Places for runs beside the queue; of each flow only so many, so that one that hangs leaves room for the others. */
const most = 400;
const mostOfFlow = 100;

/**
 * Runs that begin in a process that executes runs are taken up in it at once: they pay no way through the queue, and those
 * in no lane not even a claim of their own. What finds no place waits in the queue, as everything else does.
 */
export class RunsHere {
  #executor: HereExecutor | undefined;
  #instance: () => string | null = () => null;
  #taken = 0;
  readonly #takenOf = new Map<string, number>();

  constructor(private readonly log: Logger) {}

  start(instance: () => string, executor: HereExecutor): void {
    this.#instance = instance;
    this.#executor = executor;
  }

  /** Whoever asks says with {@link begin} what became of it. */
  claimsFor(rows: readonly RunRow[]): Claims {
    const runs = new Map<string, string>();
    for (const { id, flow, state, ordering_key } of rows) {
      if (this.#executor === undefined || this.#executor.isStopping) break;
      // A lane decides at the time of the claim, when what is ahead can be seen.
      if (state !== 'queued' || ordering_key !== null || !this.#executor.takesNew(flow)) continue;
      if (this.#enter(flow, 1)) runs.set(id, flow);
    }
    return { instance: this.#instance(), runs };
  }

  /** The runs among them that are stored now; those that were there before, or could not be stored, give up their places. */
  begin({ runs }: Claims, claimed: readonly ClaimedRun[]): void {
    const stored = new Map(claimed.map((run) => [run.id, run]));
    for (const [id, flow] of runs) {
      const run = stored.get(id);
      if (run === undefined) this.#leave(flow, 1);
      else this.#follow({ flow, runs: [id] }, this.#executor?.perform(run));
    }
  }

  /** @returns false: there is no place, or nobody who executes, or the queue has to say how many come at once */
  takeUp(job: RunJob): boolean {
    if (this.#executor === undefined || this.#executor.isStopping || !this.#executor.takesNew(job.flow)) return false;
    if (!this.#enter(job.flow, job.runs.length)) return false;
    this.#follow(job, this.#executor.execute(job));
    return true;
  }

  #follow({ flow, runs }: RunJob, work: Promise<void> | undefined): void {
    Promise.resolve(work)
      .catch((error: unknown) => this.log.info('Runs were not taken up; the sweeper will see to it', { runs, error }))
      .finally(() => this.#leave(flow, runs.length));
  }

  #enter(flow: string, count: number): boolean {
    const ofFlow = (this.#takenOf.get(flow) ?? 0) + count;
    if (ofFlow > mostOfFlow || this.#taken + count > most) return false;
    this.#takenOf.set(flow, ofFlow);
    this.#taken += count;
    return true;
  }

  #leave(flow: string, count: number): void {
    const left = (this.#takenOf.get(flow) ?? 0) - count;
    if (left > 0) this.#takenOf.set(flow, left);
    else this.#takenOf.delete(flow);
    this.#taken -= count;
  }
}
