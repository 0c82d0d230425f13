import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Database } from '#platform';
import type { Heard, Incident } from '#sdk';
import type { TriggerSource } from './trigger-source.js';

export interface SourceState {
  readonly id: string;
  readonly uses: string;
  readonly connection: string | null;
  readonly cursor: string | null;
  readonly error: unknown;
  readonly heardAt: Date | null;
  readonly updatedAt: Date;
  /** Newest first. */
  readonly incidents: readonly KeptIncident[];
}

/** What a trigger has made on the other side for it is still there. */
export interface UnforgottenSource {
  readonly id: string;
  readonly uses: string;
  readonly connection: string | null;
  readonly input: unknown;
  /** Some process has said so lately. */
  readonly isWanted: boolean;
}

export interface KeptIncident extends Incident {
  readonly at: Date;
}

const incidentsKept = 20;
const clockDifferenceMs = 3_600_000;

/** Where each trigger left off. */
export class SourcesStore {
  constructor(private readonly db: Kysely<Database>) {}

  /**
   * Makes the row if it is new. One that has no place yet goes on at that of its twin; a twin that is left by all its flows
   * has none any more, so that it does not hear again what they heard here, should they come back.
   *
   * @returns the place where the trigger left off
   */
  async open(
    source: TriggerSource,
    twin?: { readonly id: string; readonly isLeft: boolean },
  ): Promise<string | undefined> {
    await this.db
      .insertInto('trigger_source')
      .values({
        id: source.id,
        uses: source.uses,
        connection: source.connection ?? null,
        input: JSON.stringify(source.written),
        epoch: 0,
      })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ forgotten_at: null, wanted_at: sql<Date>`now()` }))
      .execute();
    if (twin !== undefined) {
      await sql`
        with pair as (
            select id, cursor from trigger_source where id in (${twin.id}, ${source.id}) order by id for no key update),
          twin as (select cursor from pair where id = ${twin.id}),
          left_behind as (
            update trigger_source set cursor = null, updated_at = now()
            where id = ${twin.id} and ${twin.isLeft} and cursor is not null
          )
        update trigger_source set cursor = twin.cursor, updated_at = now()
        from twin
        where id = ${source.id} and trigger_source.cursor is null and twin.cursor is not null`.execute(this.db);
    }
    const row = await this.db
      .selectFrom('trigger_source')
      .select('cursor')
      .where('id', '=', source.id)
      .executeTakeFirst();
    return row?.cursor ?? undefined;
  }

  /** Says to the other processes that this one has flows for them; one that was wanted a moment ago is left alone. */
  async want(ids: readonly string[], lastsMs: number): Promise<void> {
    const againMs = lastsMs / 4;
    await sql`
      with due as (
        select id from trigger_source
        where id = any(${ids}::text[]) and wanted_at < now() - ${againMs} * interval '1 millisecond'
        order by id for no key update)
      update trigger_source s set wanted_at = now() from due where s.id = due.id`.execute(this.db);
  }

  /** Sources of these triggers; that one is wanted lasts for a while. */
  async unforgotten(uses: readonly string[], lastsMs: number): Promise<UnforgottenSource[]> {
    return this.db
      .selectFrom('trigger_source')
      .select(['id', 'uses', 'connection', 'input', isWanted(lastsMs).as('isWanted')])
      .where('uses', 'in', uses)
      .where('forgotten_at', 'is', null)
      .execute();
  }

  /** Its place means nothing any more: should it come back, it begins anew. One that is wanted again keeps its place. */
  async forgotten(id: string, lastsMs: number): Promise<void> {
    await this.db
      .updateTable('trigger_source')
      .set({ forgotten_at: new Date(), cursor: null, error: null, updated_at: new Date() })
      .where('id', '=', id)
      .where(isWanted(lastsMs), '=', false)
      .execute();
  }

  async fail(id: string, error: { readonly code: string; readonly message: string }): Promise<void> {
    await this.db
      .updateTable('trigger_source')
      .set({ error: JSON.stringify(error), updated_at: new Date() })
      .where('id', '=', id)
      .execute();
  }

  /** What a trigger heard last about each subject, and a flow took. */
  async recall(id: string, subjects: readonly string[], since: Date): Promise<ReadonlyMap<string, Heard>> {
    const rows = await this.db
      .selectFrom('event')
      .distinctOn('subject')
      .select(['key', 'subject', 'time', 'data'])
      .where('source', '=', id)
      .where('subject', '=', sql<string>`any(${subjects})`)
      // The clocks of the other side and of this one differ; what is stored is found by when it was stored.
      .where('created_at', '>=', new Date(since.getTime() - clockDifferenceMs))
      .orderBy('subject')
      .orderBy('time', 'desc')
      .orderBy('created_at', 'desc')
      .execute();
    return new Map(
      rows.flatMap(({ key, subject, time, data }) =>
        subject === null ? [] : [[subject, { id: key, event: data, time: time.toISOString(), subject }] as const],
      ),
    );
  }

  async report(id: string, { reason, since, found, emitted }: Incident): Promise<void> {
    await this.db.insertInto('trigger_incident').values({ source: id, reason, since, found, emitted }).execute();
    const newest = this.db
      .selectFrom('trigger_incident')
      .select('id')
      .where('source', '=', id)
      .orderBy('id', 'desc')
      .limit(incidentsKept);
    await this.db.deleteFrom('trigger_incident').where('source', '=', id).where('id', 'not in', newest).execute();
  }

  async list(): Promise<SourceState[]> {
    const rows = await this.db.selectFrom('trigger_source').selectAll().orderBy('id').execute();
    const incidents = await this.db.selectFrom('trigger_incident').selectAll().orderBy('id', 'desc').execute();
    return rows.map((row) => ({
      id: row.id,
      uses: row.uses,
      connection: row.connection,
      cursor: row.cursor,
      error: row.error,
      heardAt: row.heard_at,
      updatedAt: row.updated_at,
      incidents: incidents
        .filter(({ source }) => source === row.id)
        .map(({ at, reason, since, found, emitted }) => ({ at, reason, since: since.toISOString(), found, emitted })),
    }));
  }
}

function isWanted(lastsMs: number): RawBuilder<boolean> {
  return sql<boolean>`(wanted_at > now() - ${lastsMs} * interval '1 millisecond')`;
}
