import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
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
    const waiting = await this.parts.db.selectFrom('backfill').select('id').where('state', '=', 'running').execute();
    for (const { id } of waiting) {
      if (this.#active.has(id) || this.#isStopped) continue;
      const lease = await this.parts.leases.acquire(`backfill ${id}`);
      if (lease === undefined) continue;
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, lease.signal]);
      this.#active.set(id, { stop, ended: this.#work(id, lease, signal) });
    }
  }

  /** Never rejects: what could not be ended now is taken up again. */
  async #work(id: string, lease: Lease, signal: AbortSignal): Promise<void> {
    try {
      await this.#read(id, lease, signal);
    } catch (error) {
      this.parts.log.info('How a backfill ended could not be stored; it goes on soon', { backfill: id, error });
    } finally {
      this.#active.delete(id);
      // What cannot be given back now runs out by itself.
      await lease.release().catch(() => undefined);
    }
  }

  async #read(id: string, { name, epoch }: Lease, signal: AbortSignal): Promise<void> {
    // As it is now that nobody else reads it: before that it may have gone on, or come to its end.
    const row = await this.parts.db
      .selectFrom('backfill')
      .selectAll()
      .where('id', '=', id)
      .where('state', '=', 'running')
      .executeTakeFirst();
    if (row === undefined) return;
    const progress = { done: 0, total: 0 };
    try {
      const source = this.parts.sources.of(row.flow);
      const keep = async (heard: readonly Heard[], cursor?: string): Promise<void> => {
        signal.throwIfAborted();
        await this.parts.intake.accept({
          source: source.heardAs,
          uses: source.uses,
          heard,
          flows: source.flows.filter((flow) => flow.flow.name === row.flow),
          backfill: { id, lease: name, epoch, ...progress, cursor },
          startsRuns: row.starts_runs,
        });
      };
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
        emit: (given, options) => keep(Array.isArray(given) ? (given as Heard[]) : [given as Heard], options?.cursor),
      });
      if (signal.aborted) return;
      progress.done = progress.total;
      await keep([]);
      await this.#finish(id, 'completed', null);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = PatchbayError.from(thrown);
      if (error.retry !== 'never') {
        this.parts.log.info('A backfill was interrupted and goes on soon', { backfill: id, code: error.code });
        return;
      }
      await this.#finish(id, 'failed', JSON.stringify({ code: error.code, message: error.detail, fix: error.fix }));
    }
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
