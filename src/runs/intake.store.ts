import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '#platform';
import { PatchbayError } from '#sdk';
import type { Claims } from './runs-here.js';
import type { ClaimedRun } from './runs.store.js';

/** An event ready to be stored; `data` is JSON text. */
export interface EventRow {
  readonly id: string;
  readonly source: string;
  readonly key: string;
  readonly type: string;
  readonly subject: string | null;
  readonly place: string | null;
  readonly position: string | null;
  readonly time: string;
  readonly data: string;
}

export interface RunRow {
  readonly id: string;
  readonly flow: string;
  readonly version: string;
  readonly event_id: string;
  readonly kind: 'event' | 'replay' | 'reverted';
  readonly parent_id: string | null;
  readonly ordering_key: string | null;
  /** `failed` at once when the flow could not even look at the event, or must not; `error` then says why. */
  readonly state: 'queued' | 'failed';
  readonly error: object | null;
}

/** Where a listener has got to; `epoch` is that of its lease. */
export interface CursorMove {
  readonly source: string;
  readonly cursor: string;
  readonly epoch: string;
}

/** How far a backfill has come; `epoch` is that of its lease. */
export interface BackfillMove {
  readonly id: string;
  readonly lease: string;
  readonly epoch: string;
  /** In the trigger's own terms, e.g. blocks. */
  readonly done: number;
  readonly total: number;
  /** How many more it has found. */
  readonly events: number;
  /** Undefined: as it was. */
  readonly cursor?: string | undefined;
}

export interface Storing {
  readonly events: readonly EventRow[];
  readonly runs: readonly RunRow[];
  readonly cursors: readonly CursorMove[];
  readonly backfills?: readonly BackfillMove[];
}

export interface Stored {
  /** Runs that did not exist before. */
  readonly created: ReadonlySet<string>;
  /** Those of them that may start now, since they are in no lane. */
  readonly ready: readonly ReadyRun[];
  /** Ids of those in lanes, for {@link IntakeStore.headsAmong}. */
  readonly inLanes: readonly string[];
  /** Those that the caller has claimed. */
  readonly claimed: readonly ClaimedRun[];
}

export interface ReadyRun {
  readonly id: string;
  readonly flow: string;
}

// Rows are written in the order of their ids: two batches that take the same ones in different orders wait for each other.
// Runs get their numbers before that, in the order of acceptance.
// What an event says is told as the ledger has it, also to the first attempt: jsonb reorders keys. The ledger is asked for
// each of them by itself, since a join may be planned as a walk through all of it.
const storeEventsAndRuns = `
  with heard as (
    select * from jsonb_to_recordset($1::jsonb) as heard
      (id uuid, source text, key text, type text, subject text, place text, position text, time timestamptz, data jsonb)
  ),
  stored as (
    insert into event (id, source, key, type, subject, place, position, time, data)
    select id, source, key, type, subject, place, position, time, data from heard order by id
    on conflict (id) do update
      set place = excluded.place, position = excluded.position, final_at = null,
          status = case when event.status = 'removed' then 'active' else event.status end
      where event.place is distinct from excluded.place or event.status = 'removed'
  ),
  created as (
    insert into run (
      id, seq, flow, version, event_id, kind, parent_id, ordering_key, in_lane, error, finished_at,
      state, claimed_by, claim, started_at)
    overriding system value
    select id, seq, flow, version, event_id, kind, parent_id, ordering_key, ordering_key is not null, error,
      case when state = 'failed' then now() end,
      case when is_claimed then 'running' else state end, case when is_claimed then $4::bigint end, is_claimed::int,
      case when is_claimed then now() end
    from (
      select *, id = any($3::uuid[]) as is_claimed, nextval('run_seq_seq') as seq
      from jsonb_to_recordset($2::jsonb) as accepted
        (id uuid, flow text, version text, event_id uuid, kind text, parent_id uuid, ordering_key text, state text, error jsonb)
    ) wanted
    order by id
    on conflict (id) do nothing
    returning *
  )
  select c.id, c.flow, c.version, c.kind, c.parent_id, c.ordering_key, c.state, c.claim, c.is_journaled, c.created_at,
    case when c.state = 'running' then coalesce((select e.data from event e where e.id = c.event_id), h.data) end as event
  from created c left join heard h on h.id = c.event_id
  order by c.seq`;

const noClaims: Claims = { instance: null, runs: new Map() };

const moveCursors = `
  with m as (
    select m.* from jsonb_to_recordset($1::jsonb) as m (source text, cursor text, epoch bigint)
    join trigger_source s on s.id = m.source and s.epoch <= m.epoch
    order by s.id for no key update of s)
  update trigger_source s
  set cursor = m.cursor, epoch = m.epoch, heard_at = now(), error = null, updated_at = now()
  from m where s.id = m.source
  returning s.id`;

const moveBackfill = `
  update backfill set done = $4, total = $5, events = events + $6, cursor = coalesce($7, cursor)
  where id = $1 and state = 'running' and exists (select from lease where name = $2 and epoch = $3)`;

const heads = `
  select r.id, r.flow from run r
  where r.id = any($1::uuid[]) and not exists (
    select 1 from run p
    where p.flow = r.flow and p.ordering_key = r.ordering_key and p.in_lane and p.seq < r.seq)`;

/** The first of the five transactions: events, the runs they start, and the places of the triggers and backfills, all or nothing. */
export class IntakeStore {
  constructor(private readonly pool: Pool) {}

  /** New runs that are in `claims` are claimed by the same commit; they are in no lane. */
  async store(storing: Storing, claims = noClaims): Promise<Stored> {
    const { cursors, backfills = [] } = storing;
    const orderedFlows = [...new Set(storing.runs.flatMap((run) => (run.ordering_key === null ? [] : [run.flow])))];
    if (cursors.length + backfills.length + orderedFlows.length === 0)
      return toStored(await insert(this.pool, storing, claims));
    const rows = await inTransaction(this.pool, async (client) => {
      if (cursors.length > 0) await move(client, cursors);
      for (const backfill of backfills.toSorted(byId)) await moveOn(client, backfill);
      // Order of acceptance must be order of commit, or a run could overtake one that is not visible yet.
      for (const flow of orderedFlows.sort()) {
        await client.query({
          name: 'lane-lock',
          text: `select pg_advisory_xact_lock(hashtextextended($1, 7))`,
          values: [flow],
        });
      }
      return storing.events.length + storing.runs.length === 0 ? [] : insert(client, storing, claims);
    });
    return toStored(rows);
  }

  /**
   * Those that may start: no earlier run of their lane is unfinished. Asked for after the commit that stored them, so that a
   * run ahead which ends at this moment is seen to have ended; never rejects.
   */
  async headsAmong(runs: readonly string[]): Promise<readonly ReadyRun[]> {
    if (runs.length === 0) return [];
    // What is not found here is found by the sweep: the runs themselves are kept.
    const { rows } = await this.pool
      .query<ReadyRun>({ name: 'lane-heads', text: heads, values: [runs] })
      .catch(() => ({ rows: [] }));
    return rows;
  }
}

/** `event` is there only for what was claimed. */
type Inserted = ClaimedRun & { readonly ordering_key: string | null; readonly state: string };

async function insert(client: Pool | PoolClient, storing: Storing, claims: Claims): Promise<Inserted[]> {
  const { rows } = await client.query<Inserted>({
    name: 'intake',
    text: storeEventsAndRuns,
    values: [eventsAsJson(storing.events), JSON.stringify(storing.runs), [...claims.runs.keys()], claims.instance],
  });
  return rows;
}

/** The data is JSON already; quoting it into a string and parsing it again on both sides would double the work. */
function eventsAsJson(events: readonly EventRow[]): string {
  return `[${events.map(({ data, ...columns }) => `${JSON.stringify(columns).slice(0, -1)},"data":${data}}`).join(',')}]`;
}

async function move(client: PoolClient, cursors: readonly CursorMove[]): Promise<void> {
  const moved = await client.query({ name: 'cursors', text: moveCursors, values: [JSON.stringify(cursors)] });
  if (moved.rowCount === cursors.length) return;
  throw new PatchbayError('lease.lost', {
    detail: 'Another process listens to this trigger now; what was heard is left to it.',
  });
}

function byId(a: BackfillMove, b: BackfillMove): number {
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

async function moveOn(
  client: PoolClient,
  { id, lease, epoch, done, total, events, cursor }: BackfillMove,
): Promise<void> {
  const values = [id, lease, epoch, done, total, events, cursor ?? null];
  const moved = await client.query({ name: 'backfill', text: moveBackfill, values });
  if (moved.rowCount === 1) return;
  throw new PatchbayError('lease.lost', { detail: 'The backfill was cancelled, or is read by another process now.' });
}

function toStored(rows: readonly Inserted[]): Stored {
  return {
    created: new Set(rows.map((row) => row.id)),
    ready: rows
      .filter((row) => row.ordering_key === null && row.state === 'queued')
      .map(({ id, flow }) => ({ id, flow })),
    inLanes: rows.filter((row) => row.ordering_key !== null).map((row) => row.id),
    claimed: rows.filter((row) => row.state === 'running'),
  };
}
