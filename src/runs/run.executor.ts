import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CompiledFlow, JournalEntry, RunOutcome, StepError } from '#engine';
import type { FlowsService } from '#flows';
import { Batcher, isStoreUnavailable, runWithLogContext, type Metrics } from '#platform';
import { PatchbayError, type Logger } from '#sdk';
import type { ActionCaller } from './action-caller.js';
import type { ReadyRun } from './intake.store.js';
import type { RunJob, RunQueue } from './run-queue.js';
import type { HereExecutor } from './runs-here.js';
import type { RunsLive } from './runs-live.js';
import type { ClaimedRun, RunsStore, Settled, Settlement } from './runs.store.js';

export interface RunExecutorParts {
  readonly store: RunsStore;
  readonly flows: FlowsService;
  readonly caller: ActionCaller;
  readonly queue: RunQueue;
  readonly live: RunsLive;
  readonly env: Readonly<Record<string, string>>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** How long one job may go on with runs that its own runs released, before the rest goes back to the queue. */
const jobBudgetMs = 5_000;

/** Takes runs from claim to settlement. Claims, journal writes and settlements of all runs in this process share statements. */
export class RunExecutor implements HereExecutor {
  readonly #claims: Batcher<string, ClaimedRun | undefined>;
  readonly #records: Batcher<{ run: ClaimedRun; entries: readonly JournalEntry[] }, boolean>;
  readonly #settlements: Batcher<Settlement, Settled>;
  #isStopping = false;
  readonly #stop = new AbortController();
  readonly #held = new Map<string, ClaimedRun>();

  constructor(private readonly parts: RunExecutorParts) {
    const { store } = parts;
    // Every run at work listens to it.
    setMaxListeners(0, this.#stop.signal);
    this.#claims = new Batcher(
      async (ids) => {
        const claimed = new Map((await store.claim([...new Set(ids)])).map((run) => [run.id, run]));
        return ids.map((id) => {
          const run = claimed.get(id);
          claimed.delete(id);
          return run;
        });
      },
      { size: 200, parallel: 2 },
    );
    this.#records = new Batcher((items) => store.record(items), { size: 200, parallel: 1 });
    this.#settlements = new Batcher((items) => store.settle(items), { size: 200, parallel: 2 });
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** A job: these runs, and whatever they release, within the budget. */
  async execute(job: RunJob): Promise<void> {
    // The runs stay queued in the table, where another process or the next start finds them.
    if (this.#isStopping) return;
    const until = Date.now() + jobBudgetMs;
    const concurrency = this.#concurrencyOf(job.flow);
    if (concurrency !== undefined) return this.#executeLimited(job.flow, concurrency, until);
    const left = await Promise.all(job.runs.map((id) => this.#follow(id, until)));
    // As one job again: many lanes side by side are what makes statements large and few.
    this.parts.queue.wakeAgain(left.filter((run) => run !== undefined));
  }

  /** A flow with `concurrency` chooses among all its runs at the time of the claim. */
  takesNew(flow: string): boolean {
    return this.#concurrencyOf(flow) === undefined;
  }

  /** While the flow files could not be read yet, any flow may be one with `concurrency`: one at a time is never too many. */
  #concurrencyOf(name: string): number | undefined {
    const flow = this.parts.flows.find(name);
    if (flow === undefined && !this.parts.flows.isLoaded) return 1;
    return flow?.compiled.flow.concurrency;
  }

  /** A run in no lane that was claimed as it was stored. */
  async perform(run: ClaimedRun): Promise<void> {
    if (this.#isStopping) await this.parts.store.handBack([run]);
    else await this.#perform(run);
  }

  /** No further step begins; steps under way have until `deadlineMs` to end, then their runs are handed back. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    const ended = new Promise<void>((resolve) => {
      const poll = setInterval(() => {
        if (this.#held.size > 0) return;
        clearInterval(poll);
        resolve();
      }, 20);
      setTimeout(() => {
        clearInterval(poll);
        resolve();
      }, deadlineMs).unref();
    });
    await ended;
    this.#stop.abort(new PatchbayError('step.cancelled'));
    if (this.#held.size > 0) await this.parts.store.handBack([...this.#held.values()]);
  }

  /** One run and then, one after another, those waiting behind it. @returns the next one, when there is no time for it */
  async #follow(id: string, until: number): Promise<ReadyRun | undefined> {
    let next: string | undefined = id;
    while (next !== undefined) {
      const run: ClaimedRun | undefined = await this.#claims.add(next);
      if (run === undefined) return undefined;
      const { released }: Settled = await this.#perform(run);
      if (Date.now() > until || this.#isStopping) return released;
      next = released?.id;
    }
    return undefined;
  }

  async #executeLimited(flow: string, concurrency: number, until: number): Promise<void> {
    const runs = await this.parts.store.claimOfFlow(flow, concurrency);
    await Promise.all(
      runs.map(async (run) => {
        const { released } = await this.#perform(run);
        if (released !== undefined) this.parts.queue.wakeAgain([released]);
        if (this.#isStopping) return;
        if (Date.now() < until) await this.#executeLimited(flow, concurrency, until);
        // Out of time, perhaps with runs left: any of them stands for all. At once, not when the slowest one beside it ends.
        else this.parts.queue.wakeAgain(await this.parts.store.nextOfFlow(flow));
      }),
    );
  }

  /** Ids of the runs that this process has at hand. */
  held(): ReadonlyMap<string, ClaimedRun> {
    return this.#held;
  }

  /** What happened outside must be written down, however long the database is away. */
  async #persist<T>(write: () => Promise<T>): Promise<T> {
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        return await write();
      } catch (error) {
        if (this.#stop.signal.aborted || !isStoreUnavailable(error)) throw error;
        this.parts.log.warn('The outcome of a step cannot be stored for now', { error });
        await delay(waitMs);
      }
    }
  }

  #perform(run: ClaimedRun): Promise<Settled> {
    this.#held.set(run.id, run);
    return runWithLogContext({ flow: run.flow, run: run.id }, async () => {
      try {
        this.parts.live.tell({ run: run.id, flow: run.flow, state: 'running' });
        const outcome = await this.#advance(run);
        if (outcome.kind === 'interrupted') {
          await this.parts.store.handBack([run]);
          return { isOurs: true, released: undefined };
        }
        return await this.#settle(run, outcome);
      } catch (error) {
        return await this.#leave(run, error);
      } finally {
        this.#held.delete(run.id);
      }
    });
  }

  /** Neither an outcome nor a step that failed: the claim was lost, the store is away, or what happened cannot be written. */
  async #leave(run: ClaimedRun, thrown: unknown): Promise<Settled> {
    const { code, detail: message } = PatchbayError.from(thrown);
    if (code !== 'internal') {
      this.parts.log.info('A run was left to be taken up again', { code, detail: message });
      return { isOurs: false, released: undefined };
    }
    // Taking it up again would end here again, and for ever.
    return this.#settle(run, { kind: 'failed', failed: [], error: { code, message, step: 'journal' }, entries: [] });
  }

  async #advance(run: ClaimedRun): Promise<RunOutcome> {
    let compiled: CompiledFlow;
    try {
      compiled = await this.parts.flows.version(run.version);
    } catch (thrown) {
      const error = PatchbayError.from(thrown);
      // Nothing is known of the flow then.
      if (error.code === 'store.unavailable') throw error;
      const { code, detail: message } = error;
      return { kind: 'failed', failed: [], error: { code, message, step: 'flow' }, entries: [] };
    }
    const line = run.kind === 'reverted' ? 'onReverted' : 'steps';
    return compiled.advance({
      event: run.event,
      run: { id: run.id, createdAt: run.created_at },
      line,
      journal: await this.#journal(run),
      env: this.parts.env,
      signal: this.#stop.signal,
      now: () => new Date(),
      call: (call) => this.parts.caller.call(call, run),
      record: async (entries) => {
        this.parts.live.tellSteps(run, entries);
        const isOurs = await this.#persist(() => this.#records.add({ run, entries }));
        if (!isOurs) throw new PatchbayError('lease.lost', { detail: `The run ${run.id} was taken over.` });
      },
    });
  }

  async #journal(run: ClaimedRun): Promise<JournalEntry[]> {
    const own = run.is_journaled ? await this.parts.store.journal(run.id) : [];
    if (run.parent_id === null || run.kind !== 'reverted') return own;
    return [...(await this.parts.store.journal(run.parent_id)), ...own];
  }

  async #settle(run: ClaimedRun, outcome: Exclude<RunOutcome, { kind: 'interrupted' }>): Promise<Settled> {
    const settlement = settlementOf(run, outcome);
    const settled = await this.#persist(() => this.#settlements.add(settlement));
    if (!settled.isOurs) {
      this.parts.log.warn('A run was taken over while it was being executed');
      return settled;
    }
    this.parts.live.tellSteps(run, outcome.entries);
    this.parts.live.tell({ run: run.id, flow: run.flow, state: settlement.state, error: settlement.error });
    if (outcome.kind === 'retry' && outcome.error.connection !== undefined) {
      this.parts.log.info('A run waits for its connection', told(outcome.error));
    } else if (outcome.kind === 'retry') {
      this.parts.log.info('A step failed and will be tried again', { ...told(outcome.error), at: outcome.at });
      this.parts.queue.wakeLater({ id: run.id, flow: run.flow }, outcome.at);
    } else {
      this.parts.metrics.runs.inc({ flow: run.flow, outcome: outcome.kind });
    }
    if (outcome.kind === 'failed') this.parts.log.error('A run was given up', told(outcome.error));
    return settled;
  }
}

/** For a line of the log, which has a message of its own. */
function told({ message: reason, ...rest }: StepError): Record<string, unknown> {
  return { ...rest, reason };
}

function settlementOf(run: ClaimedRun, outcome: Exclude<RunOutcome, { kind: 'interrupted' }>): Settlement {
  const { entries } = outcome;
  switch (outcome.kind) {
    case 'completed':
      return { run, state: 'completed', leavesLane: true, failedSteps: outcome.failed, entries };
    case 'failed':
      return { run, state: 'failed', leavesLane: true, failedSteps: outcome.failed, error: outcome.error, entries };
    case 'retry':
      return {
        run,
        state: 'queued',
        nextAt: outcome.at,
        leavesLane: outcome.isPastMainLine,
        error: outcome.error,
        entries,
      };
  }
}
