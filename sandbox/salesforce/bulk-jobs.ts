import type { Faults } from './faults.js';
import { noSuchResource, RestError } from './rest-error.js';
import type { Row } from './soql-rows.js';
import { stampOf } from './field-values.js';

export type JobState = 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';

export interface BulkJob {
  readonly id: string;
  readonly version: string;
  readonly createdAt: Date;
  state: JobState;
  errorMessage: string | undefined;
  timer: NodeJS.Timeout | undefined;
}

export interface BulkJobsOptions<Job> {
  readonly faults: Faults;
  /** How long a job waits, and then again how long it is in progress. */
  readonly delayMs: number;
  /** Does what the job is for; what it throws is the reason of its failure. */
  readonly work: (job: Job) => void;
}

/** Where each job stands, from `Open` or `UploadComplete` to its end. */
export class BulkJobs<Job extends BulkJob> {
  readonly #options: BulkJobsOptions<Job>;
  readonly #jobs = new Map<string, Job>();

  constructor(options: BulkJobsOptions<Job>) {
    this.#options = options;
  }

  add(job: Omit<Job, 'state' | 'errorMessage' | 'timer'>): Job {
    const added = { ...job, state: 'Open', errorMessage: undefined, timer: undefined } as unknown as Job;
    this.#jobs.set(added.id, added);
    return added;
  }

  find(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw noSuchResource();
    return job;
  }

  list(): Job[] {
    return [...this.#jobs.values()];
  }

  start(job: Job): void {
    if (job.state !== 'Open') throw new RestError(400, 'INVALIDJOBSTATE', `Job is ${job.state}`);
    const delayMs = this.#options.faults.take('slowJob', 'bulk', '')?.ms ?? this.#options.delayMs;
    job.state = 'UploadComplete';
    const later = (work: () => void) => (job.timer = setTimeout(work, delayMs).unref());
    later(() => {
      job.state = 'InProgress';
      later(() => this.#finish(job));
    });
  }

  abort(job: Job): void {
    if (job.state === 'JobComplete' || job.state === 'Failed') {
      throw new RestError(400, 'INVALIDJOBSTATE', `Job is ${job.state}`);
    }
    clearTimeout(job.timer);
    job.state = 'Aborted';
  }

  /** A job that waits is deleted as well, and its work is never done. */
  delete(job: Job): void {
    if (job.state === 'Open' || job.state === 'InProgress') {
      throw new RestError(400, 'INVALIDJOBSTATE', `Job is ${job.state}`);
    }
    clearTimeout(job.timer);
    this.#jobs.delete(job.id);
  }

  close(): void {
    for (const { timer } of this.#jobs.values()) clearTimeout(timer);
  }

  info({ id, state, version, createdAt, errorMessage }: Job): Row {
    return {
      id,
      state,
      apiVersion: Number(version),
      createdDate: stampOf(createdAt),
      systemModstamp: stampOf(createdAt),
      concurrencyMode: 'Parallel',
      retries: 0,
      totalProcessingTime: state === 'JobComplete' ? this.#options.delayMs : 0,
      ...(errorMessage !== undefined && { errorMessage }),
    };
  }

  #finish(job: Job): void {
    try {
      this.#options.work(job);
      job.state = 'JobComplete';
    } catch (error) {
      job.state = 'Failed';
      job.errorMessage = error instanceof RestError ? `${error.first.errorCode} : ${error.message}` : String(error);
    }
  }
}
