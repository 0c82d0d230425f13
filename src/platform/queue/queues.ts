import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Job, Queue, Worker } from 'bullmq';
import { PatchbayError, type Logger } from '#sdk';
import type { Config } from '../config/config.schema.js';
import type { StoreConnection } from '../store/pool.js';
import { rareErrors } from './rare-errors.js';

export interface QueueJob<Data> {
  readonly name: string;
  readonly data: Data;
  /** The same id is not added again while the earlier job exists; without `:` and not only digits. */
  readonly id?: string;
  readonly delayMs?: number;
}

export interface JobQueue<Data> {
  /** @throws hub.busy when the queue cannot be reached; the jobs may be added again */
  add(jobs: readonly QueueJob<Data>[]): Promise<void>;
}

export interface JobCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
}

export type JobHandler<Data> = (job: {
  readonly name: string;
  readonly data: Data;
  readonly id: string;
}) => Promise<void>;

export interface Queues {
  readonly backend: 'postgres' | 'redis';
  queue<Data>(name: string): JobQueue<Data>;
  /** A job whose worker dies is given to another one; a handler that throws only drops its job. */
  worker<Data>(name: string, handle: JobHandler<Data>, options: { readonly concurrency: number }): void;
  /** Adds a job whenever the pattern is due. The same id replaces the earlier schedule; one that is the same is left as it is. */
  schedule<Data>(
    queue: string,
    id: string,
    when: { readonly pattern: string; readonly tz?: string },
    data: Data,
  ): Promise<void>;
  unschedule(queue: string, id: string): Promise<void>;
  counts(queue: string): Promise<JobCounts>;
  /** Workers take nothing new, finish what they have within the time to shut down, then connections end. */
  close(): Promise<void>;
}

const lockMs = 15_000;
const againMs = 1_000;

/**
 * The job queues: in PostgreSQL, or in Redis when `REDIS_URL` is set. Nothing else in the hub knows which. A queue is
 * a hint, never the truth: whoever adds a job can find out from the database that it is missing.
 */
export async function createQueues({
  config,
  store,
  log,
  answerMs = 5000,
}: {
  readonly config: Pick<Config, 'queue' | 'shutdownSeconds'>;
  readonly store: { readonly connection: StoreConnection };
  readonly log: Logger;
  /** How long an add may take before it counts as failed. */
  readonly answerMs?: number;
}): Promise<Queues> {
  // BullMQ is loaded when queues are wanted: commands that only read or check need not wait for it.
  const { postgresBackend, redisBackend } = await import('./queue-backend.js');
  const { redisUrl } = config.queue;
  const onError = rareErrors(log, 'The job queue has failed');
  const onFailure = rareErrors(log, 'The handler of a job has failed and the job is dropped');
  const backend = redisUrl ? redisBackend(redisUrl.reveal(), onError) : postgresBackend(store.connection, log);
  const queues = new Map<string, Queue>();
  const workers = new Set<Worker>();
  const closing = new AbortController();

  function queueOf(name: string): Queue {
    const known = queues.get(name);
    if (known) return known;
    const queue = backend.newQueue(name);
    queue.on('error', onError);
    queues.set(name, queue);
    // What has failed to begin fails for good; the next one who asks gets another.
    queue.waitUntilReady().catch(() => {
      queues.delete(name);
      queue.close().catch(onError);
    });
    return queue;
  }

  /** A worker whose beginning has failed would fail for ever, as fast as it can: it is replaced. */
  async function startWorker(create: () => Worker): Promise<void> {
    while (!closing.signal.aborted) {
      const worker = create();
      worker.on('error', onError);
      worker.on('failed', (_job, error) => onFailure(error));
      workers.add(worker);
      try {
        await worker.waitUntilReady();
        worker.run().catch(onError);
        return;
      } catch (error) {
        onError(error as Error);
        workers.delete(worker);
        await worker.close(true).catch(onError);
        await delay(againMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  return {
    backend: backend.name,
    queue: <Data>(name: string): JobQueue<Data> => ({
      add: async (jobs) => {
        if (jobs.length === 0) return;
        await soon(answerMs, addAll(queueOf(name), jobs));
      },
    }),
    worker: <Data>(name: string, handle: JobHandler<Data>, { concurrency }: { readonly concurrency: number }) => {
      const process = (job: Job<Data>) => handle({ name: job.name, data: job.data, id: job.id ?? '' });
      const options = {
        autorun: false,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: lockMs,
        // By default a job that was under way in two crashes is lost; attempts are counted in the run.
        maxStalledCount: 1000,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      };
      void startWorker(() => backend.newWorker(name, process, options));
    },
    schedule: async (queue, id, { pattern, tz }, data) => {
      const repeat = { pattern, ...(tz === undefined ? {} : { tz }) };
      await soon(answerMs, setUp(queueOf(queue), id, repeat, data));
    },
    unschedule: async (queue, id) => {
      await soon(answerMs, queueOf(queue).removeJobScheduler(id));
    },
    counts: async (name) => {
      const counts = await soon(answerMs, queueOf(name).getJobCounts('waiting', 'active', 'delayed'));
      return { waiting: counts['waiting'] ?? 0, active: counts['active'] ?? 0, delayed: counts['delayed'] ?? 0 };
    },
    close: async () => {
      closing.abort();
      await Promise.all([...workers].map((worker) => closeWorker(worker, config.shutdownSeconds * 1000)));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}

/** On PostgreSQL a bulk costs as much as ten single jobs before its first one (6 ms against 0.6). */
async function addAll(queue: Queue, jobs: readonly QueueJob<unknown>[]): Promise<void> {
  const entries = jobs.map(bullJob);
  if (entries.length < 8) await Promise.all(entries.map(({ name, data, opts }) => queue.add(name, data, opts)));
  else await queue.addBulk(entries);
}

/** Setting up the same one again would drop a job of it that is due and that nobody has begun. */
async function setUp(queue: Queue, id: string, repeat: { pattern: string; tz?: string }, data: unknown): Promise<void> {
  const known = await queue.getJobScheduler(id);
  const isSame = known?.pattern === repeat.pattern && known.tz === repeat.tz;
  const isWaiting = isSame && (await queue.getJob(`repeat:${id}:${known.next}`)) !== undefined;
  if (isWaiting && isDeepStrictEqual(known.template?.data, data)) return;
  await queue.upsertJobScheduler(id, repeat, { name: id, data });
}

function bullJob({ name, data, id, delayMs }: QueueJob<unknown>) {
  return {
    name,
    data,
    opts: { ...(id === undefined ? {} : { jobId: id }), ...(delayMs === undefined ? {} : { delay: delayMs }) },
  };
}

/** A queue that cannot be reached is reported within seconds; what was asked for may still happen later. */
async function soon<T>(answerMs: number, asking: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), answerMs);
  });
  try {
    return await Promise.race([asking, late]);
  } catch (error) {
    throw new PatchbayError('hub.busy', {
      detail: `The job queue cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
      retryAfterMs: 2000,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Jobs that do not end in time are left to stall: another worker takes them up. */
async function closeWorker(worker: Worker, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), withinMs)));
  const isLate = (await Promise.race([worker.pause(), late])) === 'late';
  clearTimeout(timer);
  await worker.close(isLate);
}
