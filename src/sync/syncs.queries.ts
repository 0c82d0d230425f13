import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import type { SyncCounts } from '#sdk';

export interface RowCounts {
  readonly rows: number;
  readonly agreed: number;
  readonly differing: number;
  readonly failed: number;
  /** Being written, or waiting for the chain. */
  readonly open: number;
}

export interface KnownPass {
  readonly kind: 'backfill' | 'check';
  readonly selection: string | null;
  readonly isRunning: boolean;
  readonly counts: SyncCounts;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

export interface SyncStateRow {
  readonly identity: string;
  /** Of the last backfill that has come to its end. */
  readonly selection: string | null;
  readonly pass: KnownPass | undefined;
}

export interface TroubledRow {
  readonly key: string;
  readonly recordId: string | null;
  readonly state: 'agreed' | 'differing' | 'failed';
  readonly error: unknown;
  readonly updatedAt: Date;
}

/** What syncs have come to, for those who look on. */
export class SyncsQueries {
  constructor(private readonly db: Kysely<Database>) {}

  async state(name: string): Promise<SyncStateRow | undefined> {
    const row = await this.db.selectFrom('sync').selectAll().where('name', '=', name).executeTakeFirst();
    if (row === undefined) return undefined;
    const { identity, selection, counts, pass_kind: kind, started_at: startedAt } = row;
    return {
      identity,
      selection,
      pass:
        kind === null || startedAt === null
          ? undefined
          : {
              kind,
              selection: row.pass_selection,
              isRunning: row.pass_id !== null,
              // Written by the ledger with every name of them.
              counts: counts as SyncCounts,
              startedAt,
              finishedAt: row.finished_at,
            },
    };
  }

  async counts(name: string, identity: string): Promise<RowCounts> {
    const row = await this.db
      .selectFrom('sync_row')
      .select([
        sql<string>`count(*)`.as('rows'),
        sql<string>`count(*) filter (where state = 'agreed' and intent is null)`.as('agreed'),
        sql<string>`count(*) filter (where state = 'differing' and intent is null)`.as('differing'),
        sql<string>`count(*) filter (where state = 'failed' and intent is null)`.as('failed'),
        sql<string>`count(*) filter (where intent is not null)`.as('open'),
      ])
      .where('sync', '=', name)
      .where('identity', '=', identity)
      .executeTakeFirstOrThrow();
    const { rows, agreed, differing, failed, open } = row;
    return {
      rows: Number(rows),
      agreed: Number(agreed),
      differing: Number(differing),
      failed: Number(failed),
      open: Number(open),
    };
  }

  /** The newest that are not in order. */
  async troubled(name: string, identity: string, limit: number): Promise<readonly TroubledRow[]> {
    const rows = await this.db
      .selectFrom('sync_row')
      .select(['key', 'record_id', 'state', 'error', 'updated_at'])
      .where('sync', '=', name)
      .where('identity', '=', identity)
      .where('state', '<>', 'agreed')
      .orderBy('updated_at', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ key, record_id: recordId, state, error, updated_at: updatedAt }) => ({
      key,
      recordId,
      state,
      error,
      updatedAt,
    }));
  }
}
