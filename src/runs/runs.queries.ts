import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import type { Database } from '#platform';
import { PatchbayError } from '#sdk';

export interface RunView {
  readonly id: string;
  readonly flow: string;
  readonly version: string;
  readonly kind: string;
  readonly state: string;
  readonly event: string;
  readonly parent: string | null;
  readonly orderingKey: string | null;
  readonly failedSteps: readonly string[];
  readonly error: unknown;
  /** It goes on by itself once somebody has let the hub in again; `error` says why nobody is. */
  readonly waitsFor: { readonly connection: string } | null;
  /** When a queued run is due. */
  readonly dueAt: Date;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface StepView {
  readonly step: string;
  readonly iteration: number;
  readonly state: string;
  readonly attempts: number;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: unknown;
  readonly retryAt: Date | null;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** An event at the border: CloudEvents 1.0, with Patchbay's own status beside it. */
export interface EventView {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: unknown;
  readonly status: string;
}

export interface RunFilter {
  readonly flow?: string | undefined;
  readonly state?: RunView['state'] | undefined;
  readonly event?: string | undefined;
  /** False: without those that their trigger refused. */
  readonly withRefused?: boolean;
  /** From the previous page. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Give this as `before` to go on; absent on the last page. */
  readonly next?: string;
}

/** What people ask about runs and events. */
export class RunsQueries {
  constructor(private readonly db: Kysely<Database>) {}

  async runs(filter: RunFilter): Promise<Page<RunView>> {
    let query = runColumns(this.db)
      .orderBy('seq', 'desc')
      .limit(filter.limit + 1);
    if (filter.flow !== undefined) query = query.where('flow', '=', filter.flow);
    if (filter.state !== undefined) query = query.where('state', '=', filter.state as never);
    if (filter.event !== undefined) query = query.where('event_id', '=', filter.event);
    if (filter.withRefused === false)
      query = query.where(sql<boolean>`not coalesce(error, '{}') @> '{"refused": true}'`);
    if (filter.before !== undefined) query = query.where('seq', '<', filter.before);
    const rows = await query.execute();
    const shown = rows.slice(0, filter.limit);
    const last = rows.length > filter.limit ? shown.at(-1)?.seq : undefined;
    return { items: shown.map(runView), ...(last !== undefined && { next: last }) };
  }

  async run(id: string): Promise<RunView & { steps: StepView[]; data: unknown }> {
    const row = await runColumns(this.db).where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new PatchbayError('run.notFound', { detail: `There is no run ${id}.` });
    const [steps, event] = await Promise.all([
      this.db.selectFrom('run_step').selectAll().where('run_id', '=', id).orderBy('started_at').execute(),
      this.db.selectFrom('event').select('data').where('id', '=', row.event_id).executeTakeFirst(),
    ]);
    return {
      ...runView(row),
      data: row.event_edit ?? event?.data,
      steps: steps.map((step) => ({
        step: step.step,
        iteration: step.iteration,
        state: step.state,
        attempts: step.attempts,
        input: step.input,
        output: step.output,
        error: step.error,
        retryAt: step.retry_at,
        startedAt: step.started_at,
        finishedAt: step.finished_at,
      })),
    };
  }

  async counts(): Promise<{ flow: string; state: string; runs: number }[]> {
    const rows = await this.db
      .selectFrom('run')
      .select(['flow', 'state', (eb) => eb.fn.countAll<string>().as('runs')])
      .where('state', 'in', ['queued', 'running', 'failed'])
      .groupBy(['flow', 'state'])
      .execute();
    return rows.map((row) => ({ flow: row.flow, state: row.state, runs: Number(row.runs) }));
  }

  async event(id: string): Promise<EventView> {
    const row = await this.db.selectFrom('event').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new PatchbayError('event.notFound', { detail: `There is no event ${id}.` });
    return eventView(row);
  }

  /** Oldest first, so that a replay keeps the order. */
  async events(filter: {
    readonly source?: string | undefined;
    readonly after?: { readonly time: string; readonly id: string } | undefined;
    readonly until?: Date | undefined;
    readonly limit: number;
  }): Promise<(EventView & { acceptedAt: string })[]> {
    let query = this.db
      .selectFrom('event')
      .selectAll()
      .select(acceptedAt.as('accepted_at'))
      .orderBy('created_at')
      .orderBy('id')
      .limit(filter.limit);
    if (filter.source !== undefined) query = query.where('source', '=', filter.source);
    const { after, until } = filter;
    if (after !== undefined) {
      query = query.where((eb) =>
        eb.or([
          eb('created_at', '>', instant(after.time)),
          eb.and([eb('created_at', '=', instant(after.time)), eb('id', '>', after.id)]),
        ]),
      );
    }
    if (until !== undefined) query = query.where('created_at', '<=', until);
    return (await query.execute()).map((row) => ({ ...eventView(row), acceptedAt: row.accepted_at }));
  }
}

/** As text, because a Date would lose the microseconds, and a page could begin with the event that ended the last one. */
const acceptedAt = sql<string>`created_at::text`;
const instant = (text: string) => sql<Date>`${text}::timestamptz`;

function runColumns(db: Kysely<Database>) {
  return db
    .selectFrom('run')
    .select([
      'id',
      'seq',
      'flow',
      'version',
      'kind',
      'state',
      'event_id',
      'event_edit',
      'parent_id',
      'ordering_key',
      'failed_steps',
      'error',
      'next_at',
      'created_at',
      'started_at',
      'finished_at',
    ]);
}

type RunColumns = ReturnType<typeof runColumns> extends SelectQueryBuilder<Database, 'run', infer Row> ? Row : never;

function runView(row: RunColumns): RunView {
  return {
    id: row.id,
    flow: row.flow,
    version: row.version,
    kind: row.kind,
    state: row.state,
    event: row.event_id,
    parent: row.parent_id,
    orderingKey: row.ordering_key,
    failedSteps: row.failed_steps,
    error: row.error,
    waitsFor: row.state === 'queued' ? waitedFor(row.error) : null,
    dueAt: row.next_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

function waitedFor(error: unknown): RunView['waitsFor'] {
  const connection: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'connection') : undefined;
  return typeof connection === 'string' ? { connection } : null;
}

interface EventColumns {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | null;
  readonly time: Date;
  readonly data: unknown;
  readonly status: string;
}

function eventView(row: EventColumns): EventView {
  return {
    specversion: '1.0',
    id: row.id,
    source: row.source,
    type: row.type,
    ...(row.subject !== null && { subject: row.subject }),
    time: row.time.toISOString(),
    datacontenttype: 'application/json',
    data: row.data,
    status: row.status,
  };
}
