import { PatchbayError } from '#sdk';
import { parseGoDuration } from './duration.js';
import type { Graph, Task } from './graph.js';
import { Params } from './params.js';
import type { Ports } from './ports.js';
import type { Job, TaskType } from './task-type.js';
import { taskTypes } from './task-types.js';
import type { Outcome, Value } from './value.js';
import { because, Variables } from './variable.js';

export interface PipelineRun {
  readonly graph: Graph;
  readonly job: Job;
  /** Under `jobRun`; `meta` is also what bridges are told. */
  readonly jobRun: Readonly<Record<string, Value>>;
  readonly ports: Ports;
  readonly signal: AbortSignal;
  /** Results of tasks that finished in an earlier attempt; they are not done again. */
  readonly kept?: Readonly<Record<string, Value>>;
  /** Called before something is sent that must be the same when the run is done again. */
  readonly keep?: (finished: Readonly<Record<string, Value>>) => Promise<void>;
}

export interface PipelineEnd {
  /** `errored` when a terminal task failed; errors of other tasks alone are none of the run. */
  readonly state: 'completed' | 'errored';
  /** Of the terminal tasks, by their index. */
  readonly outputs: readonly Outcome[];
  /** Of all tasks that were done, by id. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/**
 * Does the tasks as soon as those before them have finished, in parallel. A task that fails hands its error on.
 *
 * @throws evm.pending, oracle.pending when something takes longer than a step should wait; run it again with what was kept
 */
export function runPipeline(run: PipelineRun): Promise<PipelineEnd> {
  return new Execution(run).run();
}

/** Not an end of a task: the run is to be taken up again later. */
function isPending({ code }: PatchbayError): boolean {
  return code === 'evm.pending' || code === 'oracle.pending';
}

const usualMinBackoffMs = 5_000;
const usualMaxBackoffMs = 60_000;
/** With `minBackoff` alone. */
const ceilingMs = 10_000;

class Execution {
  readonly #run: PipelineRun;
  readonly #variables: Variables;
  readonly #outcomes = new Map<string, Outcome>();
  readonly #started = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #pending: PatchbayError | undefined;
  #fatal: PatchbayError | undefined;

  constructor(run: PipelineRun) {
    this.#run = run;
    const { externalJobID, name, evmChainID } = run.job;
    this.#variables = new Variables({
      jobSpec: {
        // Nodes have the number of a row here; jobs only ever pass it on.
        databaseID: externalJobID ?? null,
        externalJobID: externalJobID ?? null,
        name: name ?? null,
        evmChainID: evmChainID ?? null,
      },
      jobRun: run.jobRun,
    });
    this.#signal = AbortSignal.any([run.signal, this.#stop.signal]);
  }

  async run(): Promise<PipelineEnd> {
    const { graph, kept = {} } = this.#run;
    for (const [id, value] of Object.entries(kept)) this.#finish(id, { value });
    const needed = this.#needed();
    for (const task of graph.tasks) if (needed.has(task.id)) this.#start(task);
    await Promise.all(this.#started.values());
    if (this.#run.signal.aborted) throw PatchbayError.from(this.#run.signal.reason);
    if (this.#fatal) throw this.#fatal;
    if (this.#pending) throw this.#pending;
    const outputs = graph.terminal.map(({ id }) => this.#outcomes.get(id)!);
    const isErrored = outputs.some((outcome) => 'error' in outcome);
    return { state: isErrored ? 'errored' : 'completed', outputs, outcomes: this.#outcomes };
  }

  /** What only led to something that is kept is not done again. */
  #needed(): ReadonlySet<string> {
    const { tasks, terminal } = this.#run.graph;
    const needed = new Set(terminal.map(({ id }) => id));
    for (const task of [...tasks].reverse()) {
      if (needed.has(task.id) && !this.#outcomes.has(task.id)) for (const id of task.after) needed.add(id);
    }
    for (const id of this.#outcomes.keys()) needed.delete(id);
    return needed;
  }

  /** Tasks come in an order in which everything before them has been started. */
  #start(task: Task): void {
    this.#started.set(
      task.id,
      Promise.all(task.after.flatMap((id) => this.#started.get(id) ?? [])).then(async () => {
        if (task.after.some((id) => !this.#outcomes.has(id)) || this.#signal.aborted) return;
        const outcome = await this.#outcomeOf(task);
        if (outcome) this.#finish(task.id, outcome);
      }),
    );
  }

  #finish(id: string, outcome: Outcome): void {
    this.#outcomes.set(id, outcome);
    this.#variables.set(id, outcome);
  }

  /** Undefined: it has not ended. */
  async #outcomeOf(task: Task): Promise<Outcome | undefined> {
    try {
      return { value: await this.#withRetries(task) };
    } catch (thrown) {
      const error = PatchbayError.from(thrown);
      if (this.#run.signal.aborted) return undefined;
      if (isPending(error)) {
        this.#pending ??= error;
        return undefined;
      }
      if (booleanOf(task, 'failearly')) {
        this.#fatal ??= because(task.id, error);
        this.#stop.abort(this.#fatal);
      }
      return { error };
    }
  }

  /** `retries` counts all attempts, and every error is worth another one. */
  async #withRetries(task: Task): Promise<Value> {
    const attempts = Math.max(1, Number(task.attributes.get('retries')?.value ?? 1));
    const params = this.#params(task);
    const type = taskTypes[task.type]!;
    const failed = type.toleratesFaults ? undefined : params.inputs.find(({ outcome }) => 'error' in outcome);
    if (failed && 'error' in failed.outcome) throw because(failed.task, failed.outcome.error);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(task, type, params);
      } catch (thrown) {
        const error = PatchbayError.from(thrown);
        if (attempt >= attempts || isPending(error) || this.#signal.aborted) throw error;
        await this.#run.ports.wait(backoffMs(task, attempt), this.#signal);
      }
    }
  }

  async #once(task: Task, type: TaskType, params: Params): Promise<Value> {
    const { job, ports, jobRun } = this.#run;
    const timeoutMs = durationOf(task, 'timeout');
    const limits = [timeoutMs, job.maxTaskDurationMs].filter((limit) => limit !== undefined && limit > 0);
    // Waiting for a transaction is none of the task's time: it is taken up again as often as it takes.
    const isTimed = limits.length > 0 && task.type !== 'ethtx';
    const limitMs = Math.min(...limits.map(Number));
    const timer = isTimed ? AbortSignal.timeout(Math.ceil(limitMs)) : undefined;
    const signal = timer ? AbortSignal.any([this.#signal, timer]) : this.#signal;
    if (needsSameAgain(task)) await this.#keep();
    const doing = Promise.resolve(
      type.run({ task, params, job, meta: jobRun['meta'] ?? undefined, timeoutMs, signal, ports }),
    );
    if (!timer) return doing;
    return Promise.race([doing, expiry(timer, task, limitMs)]);
  }

  async #keep(): Promise<void> {
    const finished = [...this.#outcomes].flatMap(([id, outcome]) =>
      'value' in outcome ? [[id, outcome.value] as const] : [],
    );
    await this.#run.keep?.(Object.fromEntries(finished));
  }

  #params(task: Task): Params {
    const inputs = task.inputs.map((id) => ({ task: id, outcome: this.#outcomes.get(id)! }));
    return new Params(task, inputs, this.#variables);
  }
}

/** What it sends must not differ when the run is taken up again. */
function needsSameAgain(task: Task): boolean {
  return task.type === 'ethtx' || (task.type === 'bridge' && booleanOf(task, 'async'));
}

function expiry(timer: AbortSignal, { id }: Task, limitMs: number): Promise<never> {
  return new Promise((_, reject) => {
    timer.addEventListener('abort', () =>
      reject(
        new PatchbayError('connection.timeout', { detail: `The task ${id} took longer than ${String(limitMs)} ms` }),
      ),
    );
  });
}

function backoffMs(task: Task, attempt: number): number {
  const min = durationOf(task, 'minbackoff');
  const max = min === undefined ? usualMaxBackoffMs : (durationOf(task, 'maxbackoff') ?? ceilingMs);
  return Math.min((min ?? usualMinBackoffMs) * 2 ** (attempt - 1), max);
}

function durationOf({ attributes }: Task, name: string): number | undefined {
  const text = attributes.get(name)?.value;
  return text === undefined || text.trim() === '' ? undefined : parseGoDuration(text);
}

function booleanOf({ attributes }: Task, name: string): boolean {
  return /^(true|t|1)$/i.test(attributes.get(name)?.value ?? '');
}
