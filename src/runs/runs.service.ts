import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { FlowsService } from '#flows';
import { storableJson, type Database } from '#platform';
import { PatchbayError } from '#sdk';
import { runId } from './identity.js';
import type { IntakeStore, ReadyRun, RunRow } from './intake.store.js';
import type { RunQueue } from './run-queue.js';
import type { RunsLive } from './runs-live.js';

export interface RunsServiceParts {
  readonly db: Kysely<Database>;
  readonly intake: IntakeStore;
  readonly flows: FlowsService;
  readonly queue: RunQueue;
  readonly live: RunsLive;
  readonly env: Readonly<Record<string, string>>;
}

export interface ReplayOptions {
  /** The version the run had, or the one that runs now. */
  readonly version: 'then' | 'now';
  /** Count only. */
  readonly isDryRun?: boolean;
}

export interface ReplayReport {
  readonly events: number;
  /** What the flow would not take now. */
  readonly ignored: number;
  readonly runs: readonly string[];
  /** Calls that would be made at the most, by action. */
  readonly calls: Readonly<Record<string, number>>;
}

/** The four verbs: retry, replay, cancel here; try is a dry run and needs no store. */
export class RunsService {
  constructor(private readonly parts: RunsServiceParts) {}

  /**
   * The same run goes on at its first unfinished step, with the same idempotency keys. An edited event replaces the one
   * that was heard, for this run only. It takes no place in its lane again: the runs behind it have gone on.
   */
  async retry(id: string, edit?: { readonly event: unknown }): Promise<void> {
    const run = await this.#find(id);
    if (run.state !== 'failed' && !(run.state === 'queued' && run.started_at !== null)) {
      throw new PatchbayError('run.stateConflict', {
        detail: `The run ${id} is ${run.state}; only runs that failed or wait for their next try can be retried.`,
        fix: 'Replay it instead: npx patchbay runs replay ' + id,
      });
    }
    const compiled = await this.parts.flows.version(run.version);
    const lastResort = compiled.flow.onFailure.map((step) => step.id);
    await this.parts.db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('run')
        .set({
          state: 'queued',
          next_at: new Date(),
          hinted_at: new Date(),
          finished_at: null,
          ...(edit && { event_edit: storableJson(edit.event) }),
        })
        .where('id', '=', id)
        .where('state', '=', run.state)
        .executeTakeFirst();
      // Its journal is that of whoever was faster.
      if (numUpdatedRows !== 1n) {
        throw new PatchbayError('run.stateConflict', { detail: `The run ${id} is not ${run.state} any more.` });
      }
      await trx
        .deleteFrom('run_step')
        .where('run_id', '=', id)
        .where((eb) => eb.or([eb('state', 'in', ['failed', 'retrying']), eb('step', 'in', [...lastResort, ''])]))
        .execute();
    });
    this.parts.queue.wakeAgain([run]);
    this.parts.live.tell({ run: id, flow: run.flow, state: 'queued' });
  }

  /** A new run from the same event, with new idempotency keys: what was done may be done again. */
  async replay(id: string, options: ReplayOptions): Promise<ReplayReport> {
    const run = await this.#find(id);
    const event = await this.parts.db
      .selectFrom('event')
      .select('data')
      .where('id', '=', run.event_id)
      .executeTakeFirst();
    if (event === undefined) throw new PatchbayError('event.notFound', { detail: `The event of run ${id} is gone.` });
    const version = options.version === 'then' ? run.version : this.parts.flows.get(run.flow).compiled.flow.version;
    return this.replayEvents({
      version,
      events: [{ id: run.event_id, data: run.event_edit ?? event.data }],
      parent: id,
      isDryRun: options.isDryRun ?? false,
    });
  }

  async replayEvents(replay: {
    readonly version: string;
    readonly events: readonly { readonly id: string; readonly data: unknown }[];
    readonly parent?: string;
    readonly isDryRun: boolean;
  }): Promise<ReplayReport> {
    const compiled = await this.parts.flows.version(replay.version);
    const { name, steps } = compiled.flow;
    const refused = replay.parent === undefined ? await this.#refusedAmong(name, replay.events) : new Set<string>();
    const runs = replay.events.flatMap(({ id, data }): RunRow[] => {
      if (refused.has(id)) return [];
      const acceptance = compiled.accept(data, this.parts.env);
      if (!acceptance.takes) return [];
      return [
        {
          id: runId(name, `replay ${randomUUID()}`),
          flow: name,
          version: replay.version,
          event_id: id,
          kind: 'replay',
          parent_id: replay.parent ?? null,
          ordering_key: acceptance.orderingKey ?? null,
          state: 'queued',
          error: null,
        },
      ];
    });
    const calls: Record<string, number> = {};
    for (const step of steps) calls[step.uses] = (calls[step.uses] ?? 0) + runs.length;
    const report = { events: replay.events.length, ignored: replay.events.length - runs.length, calls };
    if (replay.isDryRun) return { ...report, runs: [] };
    const { ready, inLanes } = await this.parts.intake.store({ events: [], runs, cursors: [] });
    this.parts.queue.wake([...ready, ...(await this.parts.intake.headsAmong(inLanes))]);
    return { ...report, runs: runs.map((run) => run.id) };
  }

  /** No further step starts; what is done stays done. Also drops a dead letter. */
  async cancel(id: string): Promise<void> {
    const run = await this.#find(id);
    const { rows } = await sql<ReadyRun>`
      with cancelled as (
        update run set state = 'cancelled', in_lane = false, finished_at = now()
        where id = ${id} and state in ('queued', 'running', 'failed')
        returning flow, ordering_key, seq)
      select n.id, n.flow from cancelled c
      left join lateral (
        select id, flow from run n
        where n.flow = c.flow and n.ordering_key = c.ordering_key and n.in_lane and n.seq > c.seq
        order by n.seq limit 1) n on true`.execute(this.parts.db);
    if (rows.length === 0) {
      throw new PatchbayError('run.stateConflict', { detail: `The run ${id} is ${run.state} already.` });
    }
    this.parts.queue.wakeAgain(rows.filter((row) => row.id !== null));
    this.parts.live.tell({ run: id, flow: run.flow, state: 'cancelled' });
  }

  /** Events that the flow's trigger refused: only a person who names one of them has it executed. */
  async #refusedAmong(flow: string, events: readonly { readonly id: string }[]): Promise<ReadonlySet<string>> {
    if (events.length === 0) return new Set();
    const rows = await this.parts.db
      .selectFrom('run')
      .select('event_id')
      .where('flow', '=', flow)
      .where(
        'event_id',
        'in',
        events.map(({ id }) => id),
      )
      .where(sql<boolean>`error @> '{"refused": true}'`)
      .execute();
    return new Set(rows.map((row) => row.event_id));
  }

  async #find(id: string) {
    const run = await this.parts.db
      .selectFrom('run')
      .select(['id', 'flow', 'version', 'state', 'event_id', 'event_edit', 'started_at'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (run === undefined) throw new PatchbayError('run.notFound', { detail: `There is no run ${id}.` });
    return run;
  }
}
