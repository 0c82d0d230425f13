import { createHash } from 'node:crypto';
import type { Queues } from '#platform';
import type { Logger } from '#sdk';
import type { ReadyRun } from './intake.store.js';
import type { RunsHere } from './runs-here.js';

/** What a BullMQ job says: these runs of one flow may be due. It is a hint; the run table decides. */
export interface RunJob {
  readonly flow: string;
  readonly runs: readonly string[];
}

export const runQueueName = 'runs';

const runsPerJob = 100;
/** Retries that are due within this time of each other are taken up together. */
const sameTimeMs = 20;

/** Asks workers to take up runs. What gets lost here is found by the sweeper. */
export class RunQueue {
  #ready: ReadyRun[] = [];
  #isScheduled = false;
  readonly #later = new Map<number, ReadyRun[]>();
  #adding: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly queues: Queues,
    private readonly here: RunsHere,
    private readonly log: Logger,
  ) {}

  /**
   * Runs that were never asked for before: where this process executes runs and has room, they are taken up in it; else
   * the job's id follows from them, so asking twice is one job.
   */
  wake(ready: readonly ReadyRun[]): void {
    this.#ready.push(...ready);
    if (this.#ready.length === 0 || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const batch = this.#ready;
      this.#ready = [];
      const jobs = jobsFor(batch).filter((job) => !this.here.takeUp(job));
      if (jobs.length > 0) this.#adding = this.#add(jobs, { suffix: '', delayMs: 0 });
    });
  }

  /** Runs whose earlier job may be lost, stalled or still under way, and must not stand in the way of this one. */
  wakeAgain(ready: readonly ReadyRun[]): void {
    if (ready.length === 0) return;
    this.#adding = this.#add(jobsFor(ready), { suffix: `-${Date.now().toString(36)}`, delayMs: 0 });
  }

  /** A run that failed has left its batch. Those of one flow that are due at the same time come back as one job. */
  wakeLater(run: ReadyRun, at: Date): void {
    const due = Math.ceil(at.getTime() / sameTimeMs) * sameTimeMs;
    const runs = this.#later.get(due);
    if (runs !== undefined) {
      runs.push(run);
      return;
    }
    const first = [run];
    this.#later.set(due, first);
    setTimeout(() => {
      this.#later.delete(due);
      const delayMs = Math.max(0, due - Date.now());
      this.#adding = this.#add(jobsFor(first), { suffix: `-${due.toString(36)}`, delayMs });
    }, sameTimeMs);
  }

  async waiting(): Promise<number> {
    const counts = await this.queues.counts(runQueueName);
    return counts.waiting;
  }

  async close(): Promise<void> {
    await this.#adding;
  }

  async #add(jobs: readonly RunJob[], how: { suffix: string; delayMs: number }): Promise<void> {
    const entries = jobs.map((data) => ({
      name: data.flow,
      data,
      id: jobId(data.runs) + how.suffix,
      ...(how.delayMs > 0 && { delayMs: how.delayMs }),
    }));
    try {
      await this.queues.queue<RunJob>(runQueueName).add(entries);
    } catch (error) {
      this.log.info('Workers could not be woken; the sweeper will', { jobs: jobs.length, error });
    }
  }
}

function jobsFor(ready: readonly ReadyRun[]): RunJob[] {
  const byFlow = new Map<string, string[]>();
  for (const { flow, id } of ready) {
    const ids = byFlow.get(flow);
    if (ids === undefined) byFlow.set(flow, [id]);
    else ids.push(id);
  }
  return [...byFlow].flatMap(([flow, ids]) =>
    Array.from({ length: Math.ceil(ids.length / runsPerJob) }, (_, i) => ({
      flow,
      runs: ids.slice(i * runsPerJob, (i + 1) * runsPerJob),
    })),
  );
}

function jobId(runs: readonly string[]): string {
  const [only] = runs;
  if (runs.length === 1 && only !== undefined) return `run-${only}`;
  return `runs-${createHash('sha256').update(runs.join()).digest('hex').slice(0, 32)}`;
}
