import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { ConnectionsService } from '#connections';
import { Looks, type Database, type Lease, type Leases, type Signals } from '#platform';
import type { IntakeService } from '#runs';
import { PatchbayError, type Heard, type Logger, type UseService } from '#sdk';
import type { SourcesService } from './sources.service.js';

export interface BackfillRequest {
  readonly flow: string;
  readonly from: string;
  readonly to?: string | undefined;
  /** False: events are stored, and wait for a replay. */
  readonly startsRuns: boolean;
}

export interface BackfillView {
  readonly id: string;
  readonly flow: string;
  readonly state: string;
  readonly from: string;
  readonly to: string | null;
  readonly startsRuns: boolean;
  /** In the trigger's own terms, e.g. blocks. */
  readonly done: number;
  readonly total: number;
  readonly events: number;
  readonly error: unknown;
}

export interface BackfillsParts {
  readonly db: Kysely<Database>;
  readonly sources: SourcesService;
  readonly connections: ConnectionsService;
  readonly intake: IntakeService;
  readonly leases: Leases;
  readonly signals: Signals;
  readonly log: Logger;
  readonly use: UseService;
}

interface Unfinished {
  readonly id: string;
  readonly flow: string;
  readonly from_place: string;
  readonly to_place: string | null;
  readonly cursor: string | null;
  readonly starts_runs: boolean;
}

const checkEveryMs = 1_000;

/** Reads the past of a trigger into the store, with progress; goes on after a restart where it was. */
export class BackfillsService {
  readonly #active = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  readonly #looks: Looks;
  #isStopped = false;

  constructor(private readonly parts: BackfillsParts) {
    this.#looks = new Looks({
      look: () => this.#look(),
      failed: (error) => parts.log.info('Backfills could not be looked for', { error }),
      everyMs: checkEveryMs,
      hears: { signals: parts.signals, topic: 'backfill' },
    });
  }

  /** Only in processes that listen. */
  start(): void {
    void this.#looks.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#looks.stop();
    for (const { stop } of this.#active.values()) stop.abort();
    await Promise.all([...this.#active.values()].map(({ ended }) => ended));
  }

  async request(request: BackfillRequest): Promise<BackfillView> {
    const source = this.parts.sources.of(request.flow);
    if (source.trigger.backfill === undefined) {
      throw new PatchbayError('request.conflict', {
        detail: `${source.uses} cannot read the past.`,
        fix: 'Stored events can be replayed: npx patchbay replay ' + request.flow,
      });
    }
    const id = randomUUID();
    await this.parts.db
      .insertInto('backfill')
      .values({
        id,
        flow: request.flow,
        source: source.id,
        from_place: request.from,
        to_place: request.to ?? null,
        starts_runs: request.startsRuns,
        cursor: null,
        error: null,
      })
      .execute();
    this.parts.signals.publish('backfill', id);
    return this.get(id);
  }

  async get(id: string): Promise<BackfillView> {
    const row = await this.parts.db.selectFrom('backfill').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new PatchbayError('request.notFound', { detail: `There is no backfill ${id}.` });
    return {
      id: row.id,
      flow: row.flow,
      state: row.state,
      from: row.from_place,
      to: row.to_place,
      startsRuns: row.starts_runs,
      done: Number(row.done),
      total: Number(row.total),
      events: Number(row.events),
      error: row.error,
    };
  }

  async cancel(id: string): Promise<BackfillView> {
    await this.parts.db
      .updateTable('backfill')
      .set({ state: 'cancelled', finished_at: new Date() })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .execute();
    this.#active.get(id)?.stop.abort();
    return this.get(id);
  }

  async #look(): Promise<void> {
    // Until then a flow that is not there may still come.
    if (!this.parts.sources.areKnown()) return;
    const waiting = await this.parts.db.selectFrom('backfill').selectAll().where('state', '=', 'running').execute();
    for (const row of waiting) {
      if (this.#active.has(row.id) || this.#isStopped) continue;
      const lease = await this.parts.leases.acquire(`backfill ${row.id}`);
      if (lease === undefined) continue;
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, lease.signal]);
      this.#active.set(row.id, { stop, ended: this.#work(row, lease, signal) });
    }
  }

  /** Never rejects: what could not be ended now is taken up again. */
  async #work(row: Unfinished, lease: Lease, signal: AbortSignal): Promise<void> {
    try {
      await this.#read(row, lease, signal);
    } catch (error) {
      this.parts.log.info('How a backfill ended could not be stored; it goes on soon', { backfill: row.id, error });
    } finally {
      this.#active.delete(row.id);
      // What cannot be given back now runs out by itself.
      await lease.release().catch(() => undefined);
    }
  }

  async #read(row: Unfinished, lease: Lease, signal: AbortSignal): Promise<void> {
    const progress = { done: 0, total: 0 };
    try {
      const source = this.parts.sources.of(row.flow);
      const client: unknown = await this.parts.connections.clientFor(source.uses, source.trigger, source.connection);
      await source.trigger.backfill?.({
        input: source.input,
        client,
        cursor: row.cursor ?? undefined,
        from: row.cursor ?? row.from_place,
        to: row.to_place ?? undefined,
        signal,
        movesValue: source.movesValue,
        log: this.parts.log,
        use: this.parts.use,
        progress: (done, total) => Object.assign(progress, { done, total }),
        emit: async (given, options) => {
          const heard: readonly Heard[] = Array.isArray(given) ? (given as Heard[]) : [given as Heard];
          const accepted = await this.parts.intake.accept({
            source: source.heardAs,
            uses: source.uses,
            heard,
            flows: source.flows.filter((flow) => flow.flow.name === row.flow),
            startsRuns: row.starts_runs,
          });
          await this.#advance(row.id, lease, {
            ...progress,
            events: accepted.filter((event) => event.isKept).length,
            cursor: options?.cursor,
          });
        },
      });
      if (signal.aborted) return;
      await this.#advance(row.id, lease, { done: progress.total, total: progress.total, events: 0, cursor: undefined });
      await this.#finish(row.id, 'completed', null);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = PatchbayError.from(thrown);
      if (error.retry !== 'never') {
        this.parts.log.info('A backfill was interrupted and goes on soon', { backfill: row.id, code: error.code });
        return;
      }
      await this.#finish(row.id, 'failed', JSON.stringify({ code: error.code, message: error.detail, fix: error.fix }));
    }
  }

  /** @throws lease.lost when it was cancelled, or is another process's by now */
  async #advance(
    id: string,
    { name, epoch }: Lease,
    step: { done: number; total: number; events: number; cursor: string | undefined },
  ): Promise<void> {
    const { numAffectedRows } = await sql`
      update backfill set done = ${step.done}, total = ${step.total}, events = events + ${step.events},
        cursor = coalesce(${step.cursor ?? null}, cursor)
      where id = ${id} and state = 'running'
        and exists (select from lease where name = ${name} and epoch = ${epoch})`.execute(this.parts.db);
    if (numAffectedRows !== 1n) throw new PatchbayError('lease.lost');
  }

  async #finish(id: string, state: 'completed' | 'failed', error: string | null): Promise<void> {
    await this.parts.db
      .updateTable('backfill')
      .set({ state, error, finished_at: new Date() })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .execute();
  }
}
