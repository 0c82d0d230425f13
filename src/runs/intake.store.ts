import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '#platform';
import { PatchbayError } from '#sdk';

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

export interface Storing {
  readonly events: readonly EventRow[];
  readonly runs: readonly RunRow[];
  readonly cursors: readonly CursorMove[];
}

export interface Stored {
  /** Runs that did not exist before. */
  readonly created: ReadonlySet<string>;
  /** Those of them that may start now: no earlier run of their lane is unfinished. */
  readonly ready: readonly ReadyRun[];
}

export interface ReadyRun {
  readonly id: string;
  readonly flow: string;
}

const storeEventsAndRuns = `
  with stored as (
    insert into event (id, source, key, type, subject, place, position, time, data)
    select id, source, key, type, subject, place, position, time, data
    from jsonb_to_recordset($1::jsonb) as heard
      (id uuid, source text, key text, type text, subject text, place text, position text, time timestamptz, data jsonb)
    on conflict (id) do update
      set place = excluded.place, position = excluded.position, final_at = null,
          status = case when event.status = 'removed' then 'active' else event.status end
      where event.place is distinct from excluded.place or event.status = 'removed'
  )
  insert into run (id, flow, version, event_id, kind, parent_id, ordering_key, in_lane, state, error, finished_at)
  select id, flow, version, event_id, kind, parent_id, ordering_key, ordering_key is not null, state, error,
    case when state = 'failed' then now() end
  from jsonb_to_recordset($2::jsonb) as wanted
    (id uuid, flow text, version text, event_id uuid, kind text, parent_id uuid, ordering_key text, state text, error jsonb)
  on conflict (id) do nothing
  returning id, flow, ordering_key, state`;

const moveCursors = `
  update trigger_source s
  set cursor = m.cursor, epoch = m.epoch, heard_at = now(), error = null, updated_at = now()
  from jsonb_to_recordset($1::jsonb) as m (source text, cursor text, epoch bigint)
  where s.id = m.source and s.epoch <= m.epoch
  returning s.id`;

const heads = `
  select r.id, r.flow from run r
  where r.id = any($1::uuid[]) and not exists (
    select 1 from run p
    where p.flow = r.flow and p.ordering_key = r.ordering_key and p.in_lane and p.seq < r.seq)`;

/** The first of the five transactions: events, the runs they start, and the places of the triggers, all or nothing. */
export class IntakeStore {
  constructor(private readonly pool: Pool) {}

  async store(storing: Storing): Promise<Stored> {
    const orderedFlows = [...new Set(storing.runs.flatMap((run) => (run.ordering_key === null ? [] : [run.flow])))];
    if (storing.cursors.length === 0 && orderedFlows.length === 0) return unordered(await insert(this.pool, storing));
    const rows = await inTransaction(this.pool, async (client) => {
      if (storing.cursors.length > 0) await move(client, storing.cursors);
      // Order of acceptance must be order of commit, or a run could overtake one that is not visible yet.
      for (const flow of orderedFlows.sort()) {
        await client.query({
          name: 'lane-lock',
          text: `select pg_advisory_xact_lock(hashtextextended($1, 7))`,
          values: [flow],
        });
      }
      return storing.events.length + storing.runs.length === 0 ? [] : insert(client, storing);
    });
    const ordered = rows.filter((row) => row.ordering_key !== null).map((row) => row.id);
    const free = unordered(rows);
    return { created: free.created, ready: [...free.ready, ...(await this.#headsAmong(ordered))] };
  }

  /** After the commit, so that a run ahead which ends at this moment is seen to have ended. */
  async #headsAmong(runs: readonly string[]): Promise<readonly ReadyRun[]> {
    if (runs.length === 0) return [];
    // What is not found here is found by the sweep: the runs themselves are kept.
    const { rows } = await this.pool
      .query<ReadyRun>({ name: 'lane-heads', text: heads, values: [runs] })
      .catch(() => ({ rows: [] }));
    return rows;
  }
}

type Inserted = ReadyRun & { readonly ordering_key: string | null; readonly state: string };

async function insert(client: Pool | PoolClient, storing: Storing): Promise<Inserted[]> {
  const { rows } = await client.query<Inserted>({
    name: 'intake',
    text: storeEventsAndRuns,
    values: [eventsAsJson(storing.events), JSON.stringify(storing.runs)],
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

function unordered(rows: readonly Inserted[]): Stored {
  return {
    created: new Set(rows.map((row) => row.id)),
    ready: rows
      .filter((row) => row.ordering_key === null && row.state === 'queued')
      .map(({ id, flow }) => ({ id, flow })),
  };
}
