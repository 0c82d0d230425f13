import { Looks, type Metrics } from '#platform';
import type { Logger } from '#sdk';
import type { RunExecutor } from './run.executor.js';
import type { RunQueue } from './run-queue.js';
import type { Lane, RunsStore } from './runs.store.js';

export interface SweeperParts {
  readonly store: RunsStore;
  readonly queue: RunQueue;
  readonly executor: RunExecutor;
  /** Processes that are gone. */
  readonly findDead: () => Promise<readonly string[]>;
  /** Takes their place in the ledger from them: should one only have been frozen, it learns that it is lost. */
  readonly bury: (instances: readonly string[]) => Promise<void>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

const everyMs = 1_000;
/** With an empty queue a hint older than this is lost; with a full one it may still be waiting its turn. */
const lostWhenIdleMs = 2_000;
const lostWhenBusyMs = 60_000;
const mostAtOnce = 2_000;
/** Sweeps between two looks for runs of a process that left without giving them back. */
const orphansEvery = 60;
/** Sweeps between two looks for overlooked runs while there is work. */
const lookWhenBusyEvery = 4;
/** Before every lane: no flow has an empty name. */
const firstLane: Lane = { flow: '', ordering_key: '' };

/** Finds runs that nobody is going to take up: a lost job, a lost queue, a process that died. */
export class SweeperService {
  readonly #looks: Looks;
  #unheld = new Map<string, number>();
  #lane: Lane = firstLane;
  #sweeps = 0;

  constructor(private readonly parts: SweeperParts) {
    this.#looks = new Looks({
      look: () => this.#sweep(),
      failed: (error) => parts.log.info('The sweep was put off', { error }),
      everyMs,
    });
  }

  start(): void {
    void this.#looks.start();
  }

  stop(): Promise<void> {
    return this.#looks.stop();
  }

  async #sweep(): Promise<void> {
    await this.#takeOverFromDead();
    if (this.#sweeps++ % orphansEvery === 0) this.parts.queue.wakeAgain(await this.parts.store.releaseOrphans());
    await this.#releaseUnheld();
    // Work goes on: what may have been lost beside it is less urgent than the work.
    if (this.parts.executor.held().size > 0 && this.#sweeps % lookWhenBusyEvery !== 0) return;
    const lostMs = (await this.parts.queue.waiting()) === 0 ? lostWhenIdleMs : lostWhenBusyMs;
    const heads = await this.parts.store.overlookedHeads(lostMs, this.#lane, mostAtOnce);
    this.#lane = heads.last ?? firstLane;
    const overlooked = [...heads.overlooked, ...(await this.parts.store.overlooked(lostMs, mostAtOnce))];
    if (overlooked.length === 0) return;
    this.parts.metrics.queueRedispatched.inc(overlooked.length);
    this.parts.queue.wakeAgain(overlooked);
  }

  /** First their runs, then their names: a sweep that is cut off in between finds them again. */
  async #takeOverFromDead(): Promise<void> {
    const dead = await this.parts.findDead();
    if (dead.length === 0) return;
    const released = await this.parts.store.releaseOf(dead);
    await this.parts.bury(dead);
    if (released.length === 0) return;
    this.parts.log.warn('Runs of a process that is gone were taken over', { runs: released.length });
    this.parts.queue.wakeAgain(released);
  }

  /** A claim that was committed while its answer got lost: in the table ours, in memory nobody's, twice in a row. */
  async #releaseUnheld(): Promise<void> {
    const held = this.parts.executor.held();
    const unheld = (await this.parts.store.claimedHere()).filter((run) => held.get(run.id)?.claim !== run.claim);
    const lost = unheld.filter((run) => this.#unheld.get(run.id) === run.claim && !held.has(run.id));
    this.#unheld = new Map(unheld.map((run) => [run.id, run.claim]));
    if (lost.length === 0) return;
    await this.parts.store.handBack(lost);
    this.parts.queue.wakeAgain(lost);
  }
}
