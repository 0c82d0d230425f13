import type { Pool, QueryConfig, QueryResultRow } from 'pg';
import type { JournalEntry, StepError } from '#engine';
import { inTransaction, rethrowStoreError } from '#platform';
import type { ReadyRun } from './intake.store.js';
import { entryOf, journalJson, type JournalRow, type Journaling } from './journal-rows.js';

/** A run that this process has claimed. Whoever settles it must name the claim. */
export interface ClaimedRun {
  readonly id: string;
  readonly flow: string;
  readonly version: string;
  readonly kind: 'event' | 'replay' | 'reverted';
  readonly parent_id: string | null;
  readonly claim: number;
  readonly is_journaled: boolean;
  readonly created_at: Date;
  readonly event: unknown;
}

export interface Settlement {
  readonly run: ClaimedRun;
  readonly state: 'completed' | 'failed' | 'queued';
  /** When a queued run is due again. */
  readonly nextAt?: Date;
  /** It no longer holds up the runs behind it. */
  readonly leavesLane: boolean;
  readonly error?: StepError & { readonly step: string };
  readonly failedSteps?: readonly string[];
  readonly entries: readonly JournalEntry[];
}

export interface Settled {
  /** False: the claim was lost; somebody else does the run. */
  readonly isOurs: boolean;
  /** The run that this one held up. */
  readonly released: ReadyRun | undefined;
}

const isHead = `not exists (
  select 1 from run p
  where p.flow = r.flow and p.ordering_key = r.ordering_key and p.in_lane and p.seq < r.seq)`;

const canStart = `
  r.next_at <= now()
  and (not r.in_lane or ${isHead})
  and (r.kind <> 'event' or e.status <> 'removed')
  and (r.kind <> 'reverted' or not exists (
    select 1 from run o where o.id = r.parent_id and o.state in ('queued', 'running')))`;

const isDue = `r.state = 'queued' and ${canStart}`;

// Written so that the planner takes the ids and not the index of queued runs, whose dead entries outnumber a batch by far.
const isQueued = `coalesce(r.state, '') = 'queued'`;
const isRunning = `coalesce(r.state, '') = 'running'`;

const claimed = `
  returning r.id, r.flow, r.version, r.kind, r.parent_id, r.claim, r.is_journaled, r.created_at,
    coalesce(r.event_edit, due.data) as event`;

const claimRuns = `
  with due as (
    select r.id, e.data from run r join event e on e.id = r.event_id
    where r.id = any($1::uuid[]) and ${isQueued} and ${canStart}
    for update of r skip locked)
  update run r
  set state = 'running', claimed_by = $2, claim = r.claim + 1, started_at = coalesce(r.started_at, now())
  from due where r.id = due.id ${claimed}`;

const claimNextOfFlow = `
  with busy as (select count(*)::int as n from run where flow = $1 and state = 'running'),
  due as (
    select r.id, e.data from run r join event e on e.id = r.event_id
    where r.flow = $1 and ${isDue}
    order by r.seq
    limit greatest(0, $3 - (select n from busy))
    for update of r skip locked)
  update run r
  set state = 'running', claimed_by = $2, claim = r.claim + 1, started_at = coalesce(r.started_at, now())
  from due where r.id = due.id ${claimed}`;

const journalColumns = `
  (run_id uuid, claim int, step text, iteration int, state text, attempts int, input jsonb, output jsonb, error jsonb,
   retry_at timestamptz, started_at timestamptz, finished_at timestamptz)`;

// A cancelled run takes no further step, but what the step under way did is still written down.
const writeJournal = `
  insert into run_step (run_id, step, iteration, state, attempts, input, output, error, retry_at, started_at, finished_at)
  select j.run_id, j.step, j.iteration, j.state, j.attempts, j.input, j.output, j.error, j.retry_at, j.started_at, j.finished_at
  from jsonb_to_recordset($1::jsonb) as j ${journalColumns}
  join run o on o.id = j.run_id and o.claim = j.claim and o.state in ('running', 'cancelled')
  on conflict (run_id, step, iteration) do update set
    state = excluded.state, attempts = excluded.attempts, input = excluded.input, output = excluded.output,
    error = excluded.error, retry_at = excluded.retry_at, finished_at = excluded.finished_at`;

// Whoever changes runs that may be others' by now locks them in the order of their ids: an UPDATE by itself takes them in
// the order of its plan, and two that take the same rows in different orders wait for each other.
const recordEntries = `
  with due as (
    select r.id from jsonb_to_recordset($2::jsonb) as c (id uuid, claim int)
    join run r on r.id = c.id and r.claim = c.claim and ${isRunning}
    order by r.id for no key update of r),
  owned as (update run r set is_journaled = true from due where r.id = due.id returning r.id),
  written as (${writeJournal})
  select id from owned`;

const settleRuns = `
  with due as (
    select s.* from jsonb_to_recordset($2::jsonb) as s
      (id uuid, claim int, state text, leaves_lane boolean, next_at timestamptz, error jsonb, failed_steps jsonb)
    join run r on r.id = s.id and r.claim = s.claim and ${isRunning}
    order by r.id for no key update of r),
  settled as (
    update run r set
      state = s.state,
      in_lane = r.in_lane and not s.leaves_lane,
      next_at = coalesce(s.next_at, r.next_at),
      hinted_at = coalesce(s.next_at, r.hinted_at),
      error = s.error,
      failed_steps = coalesce((select array_agg(f) from jsonb_array_elements_text(s.failed_steps) f), '{}'),
      finished_at = case when s.state = 'queued' then null else now() end,
      is_journaled = true,
      claimed_by = null
    from due s where r.id = s.id
    returning r.id, r.flow, r.seq, case when s.leaves_lane then r.ordering_key end as lane),
  written as (${writeJournal})
  select id, flow, seq, lane from settled`;

// Asked for after the commit. Intake looks for heads after its commit too, so one of the two sees the other's work.
const nextInLanes = `
  select left_lane.id, next.id as next
  from jsonb_to_recordset($1::jsonb) as left_lane (id uuid, flow text, lane text, seq bigint)
  cross join lateral (
    select r.id from run r
    where r.flow = left_lane.flow and r.ordering_key = left_lane.lane and r.in_lane and r.seq > left_lane.seq
    order by r.seq limit 1) next`;

/** Claims, journals and settles runs, many in one statement. Every write names the claim it holds; a lost claim changes nothing. */
export class RunsStore {
  constructor(
    private readonly pool: Pool,
    private readonly instance: () => string,
  ) {}

  async claim(ids: readonly string[]): Promise<ClaimedRun[]> {
    const { rows } = await this.#query<ClaimedRun>({
      name: 'claim',
      text: claimRuns,
      values: [ids, this.instance()],
    });
    return rows;
  }

  /** Claims for a flow with `concurrency`: the next ones in order of acceptance, as many as may still run. */
  async claimOfFlow(flow: string, concurrency: number): Promise<ClaimedRun[]> {
    return inTransaction(this.pool, async (client) => {
      await client.query(`select pg_advisory_xact_lock(hashtextextended($1, 11))`, [flow]);
      const { rows } = await client.query<ClaimedRun>(claimNextOfFlow, [flow, this.instance(), concurrency]);
      return rows;
    });
  }

  /** One run of the flow that is due, to stand for all of them. */
  async nextOfFlow(flow: string): Promise<ReadyRun[]> {
    const { rows } = await this.#query<ReadyRun>(
      `select r.id, r.flow from run r join event e on e.id = r.event_id
       where r.flow = $1 and ${isDue} order by r.seq limit 1`,
      [flow],
    );
    return rows;
  }

  async journal(runId: string): Promise<JournalEntry[]> {
    const { rows } = await this.#query<JournalRow>({
      name: 'journal',
      text: `select step, iteration, state, attempts, input, output, error, retry_at, started_at, finished_at
             from run_step where run_id = $1`,
      values: [runId],
    });
    return rows.map(entryOf);
  }

  /** One answer per item: false when its claim was lost. */
  async record(items: readonly Journaling[]): Promise<boolean[]> {
    const { rows } = await this.#query<{ id: string }>({
      name: 'record',
      text: recordEntries,
      values: [
        journalJson(items),
        JSON.stringify([...new Map(items.map(({ run }) => [run.id, { id: run.id, claim: run.claim }])).values()]),
      ],
    });
    const owned = new Set(rows.map((row) => row.id));
    return items.map(({ run }) => owned.has(run.id));
  }

  async settle(items: readonly Settlement[]): Promise<Settled[]> {
    const { rows } = await this.#query<SettledRow>({
      name: 'settle',
      text: settleRuns,
      values: [
        journalJson(items),
        JSON.stringify(
          items.map((item) => ({
            id: item.run.id,
            claim: item.run.claim,
            state: item.state,
            leaves_lane: item.leavesLane,
            next_at: item.nextAt,
            error: item.error,
            failed_steps: item.failedSteps ?? [],
          })),
        ),
      ],
    });
    const ours = new Set(rows.map((row) => row.id));
    const next = await this.#nextInLanes(rows.filter((row) => row.lane !== null));
    return items.map(({ run }) => {
      const released = next.get(run.id);
      return {
        isOurs: ours.has(run.id),
        released: released === undefined ? undefined : { id: released, flow: run.flow },
      };
    });
  }

  async #nextInLanes(left: readonly SettledRow[]): Promise<ReadonlyMap<string, string>> {
    if (left.length === 0) return new Map();
    // What is not found here is found by the sweep: the settlement itself is kept.
    const { rows } = await this.#query<{ id: string; next: string }>({
      name: 'lanes',
      text: nextInLanes,
      values: [JSON.stringify(left)],
    }).catch(() => ({ rows: [] }));
    return new Map(rows.map((row) => [row.id, row.next]));
  }

  /** Gives runs back untouched, e.g. because the process stops. */
  async handBack(runs: readonly { readonly id: string; readonly claim: number }[]): Promise<void> {
    await this.#query(
      `with due as (
         select r.id from jsonb_to_recordset($1::jsonb) as c (id uuid, claim int)
         join run r on r.id = c.id and r.claim = c.claim and r.state = 'running'
         order by r.id for no key update of r)
       update run r set state = 'queued', claimed_by = null, hinted_at = now() - interval '1 hour'
       from due where r.id = due.id`,
      [JSON.stringify(runs.map(({ id, claim }) => ({ id, claim })))],
    );
  }

  /** Queued, due and in no lane, and asked for longer ago than `hintedBeforeMs`; marks them as asked for. */
  async overlooked(hintedBeforeMs: number, limit: number): Promise<ReadyRun[]> {
    const { rows } = await this.#query<ReadyRun>({
      name: 'overlooked',
      text: `
        with due as (
          select r.id from run r join event e on e.id = r.event_id
          where r.hinted_at < now() - $1 * interval '1 ms' and not r.in_lane and ${isDue}
          order by r.next_at limit $2
          for update of r skip locked)
        update run r set hinted_at = now() from due where r.id = due.id
        returning r.id, r.flow`,
      values: [hintedBeforeMs, limit],
    });
    return rows;
  }

  /**
   * The same for the heads of lanes, as many lanes as `limit` behind `after`. The runs behind a head, which may be very
   * many, are not looked at.
   */
  async overlookedHeads(hintedBeforeMs: number, after: Lane, limit: number): Promise<LaneSweep> {
    const { rows } = await this.#query<ReadyRun & Lane & { readonly is_overlooked: boolean }>({
      name: 'overlooked-heads',
      text: `
        with recursive head as (
          (select flow, ordering_key, id, 1 as n from run
           where in_lane and (flow, ordering_key) > ($2, $3) order by flow, ordering_key, seq limit 1)
          union all
          select next.*, head.n + 1 from head cross join lateral (
            select r.flow, r.ordering_key, r.id from run r
            where r.in_lane and (r.flow, r.ordering_key) > (head.flow, head.ordering_key)
            order by r.flow, r.ordering_key, r.seq limit 1) next
          where head.n < $4),
        due as (
          select r.id from head join run r on r.id = head.id join event e on e.id = r.event_id
          where r.hinted_at < now() - $1 * interval '1 ms' and ${isDue}
          for update of r skip locked),
        hinted as (update run r set hinted_at = now() from due where r.id = due.id returning r.id)
        select head.id, head.flow, head.ordering_key, hinted.id is not null as is_overlooked
        from head left join hinted on hinted.id = head.id order by head.n`,
      values: [hintedBeforeMs, after.flow, after.ordering_key, limit],
    });
    return {
      overlooked: rows.filter((row) => row.is_overlooked).map(({ id, flow }) => ({ id, flow })),
      last: rows.length < limit ? undefined : rows.at(-1),
    };
  }

  /** Runs that processes which are gone had claimed: queued again, at once. */
  async releaseOf(instances: readonly string[]): Promise<ReadyRun[]> {
    const { rows } = await this.#query<ReadyRun>(
      `with due as (
         select id from run where state = 'running' and claimed_by = any($1::bigint[]) order by id for no key update)
       update run r set state = 'queued', claimed_by = null, hinted_at = now() from due where r.id = due.id
       returning r.id, r.flow`,
      [instances],
    );
    return rows;
  }

  /** Runs claimed under a name that the ledger no longer has. */
  async releaseOrphans(): Promise<ReadyRun[]> {
    const { rows } = await this.#query<ReadyRun>(
      `with due as (
         select id from run where state = 'running' and claimed_by <> all (array(select id from instance))
         order by id for no key update)
       update run r set state = 'queued', claimed_by = null, hinted_at = now() from due where r.id = due.id
       returning r.id, r.flow`,
    );
    return rows;
  }

  /** Runs claimed by this process: a claim whose answer got lost is held by nobody. */
  async claimedHere(): Promise<{ id: string; flow: string; claim: number }[]> {
    const { rows } = await this.#query<{ id: string; flow: string; claim: number }>({
      name: 'claimed-here',
      text: `select id, flow, claim from run where state = 'running' and claimed_by = $1`,
      values: [this.instance()],
    });
    return rows;
  }

  /** That the store is away says nothing about a run: whoever asks can tell it from other faults. */
  #query<Row extends QueryResultRow>(statement: QueryConfig | string, values?: unknown[]) {
    return this.pool.query<Row>(statement, values).catch(rethrowStoreError);
  }
}

export interface Lane {
  readonly flow: string;
  readonly ordering_key: string;
}

export interface LaneSweep {
  readonly overlooked: readonly ReadyRun[];
  /** Where to go on; absent when every lane was looked at. */
  readonly last: Lane | undefined;
}

interface SettledRow {
  readonly id: string;
  readonly flow: string;
  readonly seq: string;
  /** Ordering key of the lane that the run has left. */
  readonly lane: string | null;
}
