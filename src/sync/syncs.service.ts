import { Looks } from '#platform';
import { PatchbayError, type Fault, type Logger } from '#sdk';
import type { CompiledSync } from './compile.js';
import type { SyncsQueries } from './syncs.queries.js';

/** A sync as it runs, of the file that it lies in. */
export interface KnownSync {
  readonly file: string;
  readonly document: string;
  readonly compiled: CompiledSync;
  /** Of the file as it is now; not empty means that an older version runs. */
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

export interface SyncsParts {
  readonly syncs: () => readonly KnownSync[];
  /** Of one of its flows; undefined when there is no such flow. */
  readonly isPaused: (flow: string) => boolean | undefined;
  readonly queries: SyncsQueries;
  /** Whether the triggers of all these flows have a place of their own: what happens from now on is heard. */
  readonly areListening: (flows: readonly string[]) => Promise<boolean>;
  /** Starts a run of a flow, once for each key. */
  readonly start: (flow: string, event: unknown, key: string) => Promise<{ readonly runs: readonly string[] }>;
  readonly log: Logger;
}

const lookEveryMs = 1_000;

/** The syncs of the flow folder: what became of them, and the backfill of those that are new. */
export class SyncsService {
  readonly #looks: Looks;
  /** Selections whose backfill was begun; by name of the sync. */
  readonly #begun = new Map<string, string>();

  constructor(private readonly parts: SyncsParts) {
    this.#looks = new Looks({
      look: () => this.#look(),
      failed: (error) => parts.log.warn('The syncs could not be looked at for now', { error }),
      everyMs: lookEveryMs,
    });
  }

  /** From now on new and changed syncs are brought in order as a whole, as soon as their changes are heard. */
  start(): void {
    void this.#looks.start();
  }

  stop(): Promise<void> {
    return this.#looks.stop();
  }

  list(): readonly KnownSync[] {
    return this.parts.syncs();
  }

  /** @throws flow.notFound */
  get(name: string): KnownSync {
    const found = this.list().find(({ compiled }) => compiled.name === name);
    if (found !== undefined) return found;
    const names = this.list().map(({ compiled }) => compiled.name);
    throw new PatchbayError('flow.notFound', {
      detail: `There is no sync called ${name}.`,
      fix: names.length === 0 ? 'Put a sync file into the flow folder.' : `Known syncs: ${names.join(', ')}.`,
    });
  }

  stateOf({ compiled }: KnownSync): 'running' | 'paused' | 'disabled' {
    if (!compiled.isEnabled) return 'disabled';
    return compiled.flows.some(({ name }) => this.parts.isPaused(name) === true) ? 'paused' : 'running';
  }

  /** Compares both sides as a whole now. @returns the run that does it */
  async check(name: string, key: string): Promise<{ readonly run: string }> {
    const { compiled } = this.get(name);
    const { checkedBy } = compiled;
    if (checkedBy === undefined) {
      throw new PatchbayError('request.conflict', {
        detail: `${name} makes records of events; there is no other side to compare them with.`,
        fix: `Read past events again: npx patchbay replay ${compiled.flows[0]?.name ?? name} --from-block 0`,
      });
    }
    const { runs } = await this.parts.start(checkedBy, eventOf(), key);
    return { run: runs[0] ?? '' };
  }

  async #look(): Promise<void> {
    for (const { compiled } of this.list()) {
      try {
        await this.#beginBackfill(compiled);
      } catch (error) {
        this.parts.log.warn('The backfill of a sync could not be begun', { sync: compiled.name, error });
      }
    }
  }

  async #beginBackfill(sync: CompiledSync): Promise<void> {
    const { name, selection, identity, checkedBy, isEnabled, flows } = sync;
    const mark = `${identity}/${selection}`;
    if (checkedBy === undefined || !isEnabled || this.#begun.get(name) === mark) return;
    const state = await this.parts.queries.state(name);
    const pass = state?.pass;
    if (state?.identity !== identity || pass?.selection !== selection) {
      // A change that nobody hears while the past is read would be missed.
      const heard = flows.filter((flow) => flow.name !== checkedBy).map((flow) => flow.name);
      if (!(await this.parts.areListening(heard))) return;
      // What was brought together once is so no more when another selection was begun after it.
      const after = pass === undefined ? '' : `:after:${pass.startedAt.toISOString()}`;
      await this.parts.start(checkedBy, eventOf(), `backfill:${mark}${after}`);
      this.parts.log.info('The backfill of a sync begins', { sync: name });
    }
    this.#begun.set(name, mark);
  }
}

/** As the clock would have said it. */
function eventOf(): { scheduledFor: string; cron: string } {
  return { scheduledFor: new Date().toISOString(), cron: 'by hand' };
}
