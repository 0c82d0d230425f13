import type { Pool } from 'pg';
import { inTransaction } from '#platform';
import { PatchbayError, type Retraction } from '#sdk';
import { eventId, runId } from './identity.js';
import type { ReadyRun } from './intake.store.js';

/**
 * What happens to events, and to their runs, when a chain takes back what it said. Events are locked in the order of their
 * ids, as the intake does, which may hear some of them again at the same time.
 */
export class ReversalsStore {
  constructor(private readonly pool: Pool) {}

  /**
   * Marks what was heard from a position on as removed, and moves the listener back, in one statement.
   *
   * @param source under which the events are kept
   */
  async retract(
    source: string,
    listener: { readonly source: string; readonly epoch: string },
    retraction: Retraction,
  ): Promise<number> {
    const { rows } = await this.pool.query<{ moved: boolean; removed: number }>(
      `with moved as (
         update trigger_source set cursor = $4, epoch = $2, updated_at = now()
         where id = $6 and epoch <= $2 returning id),
       due as (
         select e.id from moved, event e where e.source = $1 and e.position >= $3 and e.status = 'active'
         order by e.id for no key update of e),
       removed as (
         update event e set status = 'removed', final_at = $5 from due where e.id = due.id returning e.id)
       select exists (select 1 from moved) as moved, (select count(*)::int from removed) as removed`,
      [source, listener.epoch, retraction.from, retraction.cursor, retraction.finalAt, listener.source],
    );
    const [row] = rows;
    if (row?.moved !== true) throw new PatchbayError('lease.lost');
    return row.removed;
  }

  /** Events of the source, by the keys they were heard under, are gone for good; see {@link finalize}. */
  async withdraw(source: string, keys: readonly string[]): Promise<ReadyRun[]> {
    await this.pool.query(
      `with due as (
         select id from event where id = any($1::uuid[]) and status = 'active' order by id for no key update)
       update event e set status = 'removed', final_at = '' from due where e.id = due.id`,
      [keys.map((key) => eventId(source, key))],
    );
    return this.finalize(source, '');
  }

  async hasRemoved(source: string): Promise<boolean> {
    const { rows } = await this.pool.query(`select 1 from event where source = $1 and status = 'removed' limit 1`, [
      source,
    ]);
    return rows.length > 0;
  }

  /**
   * Events of the source that were not heard again although the chain has passed the point: they are gone for good. Runs
   * that had not begun are cancelled, refused ones too; for the others one run of their `onReverted` steps is created, once.
   */
  async finalize(source: string, cursor: string): Promise<ReadyRun[]> {
    return inTransaction(this.pool, async (client) => {
      const gone = await client.query<{ id: string; flow: string; version: string; event_id: string; began: boolean }>(
        `with due as (
           select id from event where source = $1 and status = 'removed' and final_at <= $2
           order by id for no key update),
         gone as (update event e set status = 'reverted' from due where e.id = due.id returning e.id)
         select r.id, r.flow, r.version, r.event_id, r.started_at is not null as began
         from gone join run r on r.event_id = gone.id
         where r.kind <> 'reverted' and r.state <> 'cancelled'`,
        [source, cursor],
      );
      const unfinished = await client.query<ReadyRun>(
        `with cancelled as (
           update run set state = 'cancelled', in_lane = false, finished_at = now()
           where id = any($1::uuid[]) and (state = 'queued' or (state = 'failed' and started_at is null))
           returning flow, ordering_key, seq)
         select distinct n.id, n.flow from cancelled c
         join lateral (
           select id, flow from run n where n.flow = c.flow and n.ordering_key = c.ordering_key and n.in_lane
             and n.id <> all($1::uuid[]) and n.seq > c.seq order by n.seq limit 1) n on true`,
        [gone.rows.map((run) => run.id)],
      );
      const reversals = gone.rows
        .filter((run) => run.began)
        .map((run) => ({ ...run, parent: run.id, id: runId(run.flow, `reverted ${run.id}`) }));
      const created = await client.query<ReadyRun>(
        `insert into run (id, flow, version, event_id, kind, parent_id)
         select id, flow, version, event_id, 'reverted', parent
         from jsonb_to_recordset($1::jsonb) as r (id uuid, flow text, version text, event_id uuid, parent uuid)
         on conflict (id) do nothing returning id, flow`,
        [JSON.stringify(reversals)],
      );
      return [...created.rows, ...unfinished.rows];
    });
  }
}
