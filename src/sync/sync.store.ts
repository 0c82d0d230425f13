import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { storableJson, type Database } from '#platform';
import {
  PatchbayError,
  type SyncCounts,
  type SyncLedger,
  type SyncPass,
  type SyncRow,
  type SyncScope,
  type SyncSettlement,
  type SyncSighting,
} from '#sdk';

/** Longer than a call of the other side may take, so that nobody takes a key from one who is still writing. */
const heldForMs = 90_000;
const burstMs = 60_000;
const mostOfBurst = 20;

const noCounts: SyncCounts = { done: 0, total: 0, agreed: 0, differing: 0, repaired: 0, failed: 0 };

/** What syncs remember, in PostgreSQL. */
export class SyncStore implements SyncLedger {
  constructor(private readonly db: Kysely<Database>) {}

  async take({ sync, identity }: SyncScope, key: string, owner: string): Promise<SyncRow | undefined> {
    const until = new Date(Date.now() + heldForMs);
    const isOther = sql<boolean>`sync_row.identity <> excluded.identity`;
    const row = await this.db
      .insertInto('sync_row')
      .values({ sync, key, identity, held_by: owner, held_until: until })
      .onConflict((conflict) =>
        conflict
          .columns(['sync', 'key'])
          .doUpdateSet({
            held_by: owner,
            held_until: until,
            identity,
            // Rows of another object or contract are no memory of this one.
            agreed: sql`case when ${isOther} then null else sync_row.agreed end`,
            intent: sql`case when ${isOther} then null else sync_row.intent end`,
            record_id: sql`case when ${isOther} then null else sync_row.record_id end`,
          })
          .where(
            sql<boolean>`sync_row.held_until is null or sync_row.held_until < now() or sync_row.held_by = ${owner}`,
          ),
      )
      .returning(['key', 'record_id', 'revision', 'agreed', 'intent'])
      .executeTakeFirst();
    return row && rowOf(row);
  }

  async intend(scope: SyncScope, known: Pick<SyncRow, 'key' | 'revision'>, intent: object): Promise<SyncRow> {
    const { key, revision } = known;
    const isFresh = sql<boolean>`(burst_since is null or burst_since < now() - make_interval(secs => ${burstMs / 1_000}))`;
    const row = await this.db
      .updateTable('sync_row')
      .set({
        intent: storableJson(intent),
        revision: sql`revision + 1`,
        // What is begun once more, after a crash, is no new wish.
        burst: sql`case when ${isFresh} then 1 when intent is null then burst + 1 else burst end`,
        burst_since: sql`case when ${isFresh} then now() else burst_since end`,
        updated_at: new Date(),
      })
      .where('sync', '=', scope.sync)
      .where('key', '=', key)
      .where('revision', '=', revision)
      .where((where) => where.or([isFresh, where('burst', '<', mostOfBurst)]))
      .returning(['key', 'record_id', 'revision', 'agreed', 'intent'])
      .executeTakeFirst();
    if (row !== undefined) return rowOf(row);
    if ((await this.find(scope, [key])).get(key)?.revision !== revision) {
      throw new PatchbayError('hub.busy', {
        detail: `${key} was taken over by somebody else, who has begun to write it`,
        retryAfterMs: 1_000,
      });
    }
    throw new PatchbayError('salesforce.policy', {
      detail: `${key} was written ${mostOfBurst} times within a minute: the two sides overrule each other`,
      fix: 'Find the rule or the flow that changes it back, or let one side win with direction:.',
    });
  }

  async settle(scope: SyncScope, key: string, settlement: SyncSettlement): Promise<void> {
    const { state, recordId, agreed, error, pass, owner, revision } = settlement;
    let row = this.db
      .updateTable('sync_row')
      .set({
        state,
        intent: null,
        error: error === undefined ? null : storableJson(error),
        ...(recordId !== undefined && { record_id: recordId }),
        ...(agreed !== undefined && { agreed: storableJson(agreed) }),
        ...(pass !== undefined && { pass }),
        ...(owner !== undefined && {
          held_by: sql`nullif(held_by, ${owner})`,
          held_until: sql`case when held_by = ${owner} then null else held_until end`,
        }),
        updated_at: new Date(),
      })
      .where('sync', '=', scope.sync)
      .where('key', '=', key);
    if (revision !== undefined) row = row.where('revision', '=', revision);
    if (owner === undefined) {
      row = row.where('intent', 'is', null).where(sql<boolean>`(held_until is null or held_until < now())`);
    }
    await row.execute();
  }

  async release({ sync }: SyncScope, key: string, owner: string): Promise<void> {
    await this.db
      .updateTable('sync_row')
      .set({ held_by: null, held_until: null })
      .where('sync', '=', sync)
      .where('key', '=', key)
      .where('held_by', '=', owner)
      .execute();
  }

  async forget({ sync }: SyncScope, key: string): Promise<void> {
    await this.db.deleteFrom('sync_row').where('sync', '=', sync).where('key', '=', key).execute();
  }

  async find({ sync, identity }: SyncScope, keys: readonly string[]) {
    if (keys.length === 0) return new Map<string, SyncRow & { readonly pass: string | undefined }>();
    const rows = await this.db
      .selectFrom('sync_row')
      .select(['key', 'record_id', 'revision', 'agreed', 'intent', 'pass'])
      .where('sync', '=', sync)
      .where('identity', '=', identity)
      .where('key', '=', sql<string>`any(${keys})`)
      .execute();
    return new Map(rows.map((row) => [row.key, { ...rowOf(row), pass: row.pass ?? undefined }]));
  }

  async adopt({ sync, identity }: SyncScope, pass: string, seen: readonly SyncSighting[]): Promise<number> {
    if (seen.length === 0) return 0;
    const kept = await this.db
      .insertInto('sync_row')
      // In one order for all: a pass over the records and one over the chain come to the same keys in different orders.
      .values(
        seen.toSorted(byKey).map(({ key, recordId, revision, agreed }) => ({
          sync,
          key,
          identity,
          revision,
          record_id: recordId ?? null,
          agreed: storableJson(agreed),
          pass,
        })),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['sync', 'key'])
          .doUpdateSet({
            identity,
            record_id: sql`excluded.record_id`,
            agreed: sql`excluded.agreed`,
            pass,
            state: 'agreed',
            error: null,
            updated_at: new Date(),
          })
          .where(
            sql<boolean>`sync_row.intent is null and (sync_row.held_until is null or sync_row.held_until < now())
              and (sync_row.identity <> excluded.identity or sync_row.revision = excluded.revision)`,
          ),
      )
      .returning('key')
      .execute();
    return kept.length;
  }

  async keyOf({ sync, identity }: SyncScope, recordId: string): Promise<string | undefined> {
    const row = await this.db
      .selectFrom('sync_row')
      .select('key')
      .where('sync', '=', sync)
      .where('identity', '=', identity)
      .where('record_id', '=', recordId)
      .executeTakeFirst();
    return row?.key;
  }

  async unseen({ sync, identity }: SyncScope, pass: string, after: string, limit: number): Promise<readonly string[]> {
    const rows = await this.db
      .selectFrom('sync_row')
      .select('key')
      .where('sync', '=', sync)
      .where('identity', '=', identity)
      .where('key', '>', after)
      .where((where) => where.or([where('pass', 'is distinct from', pass), where('intent', 'is not', null)]))
      .orderBy('key')
      .limit(limit)
      .execute();
    return rows.map(({ key }) => key);
  }

  async openPass({ sync, identity }: SyncScope, selection: string, run: string): Promise<SyncPass> {
    const known = await this.db.selectFrom('sync').selectAll().where('name', '=', sync).executeTakeFirst();
    const isSame = known?.identity === identity && known.pass_selection === selection;
    if (known !== undefined && isSame && known.pass_id !== null && known.pass_id.startsWith(`${run}/`)) {
      return {
        id: known.pass_id,
        kind: known.pass_kind ?? 'check',
        // Written by savePass as it is.
        place: (known.pass_place ?? undefined) as object | undefined,
        counts: (known.counts ?? noCounts) as SyncCounts,
        startedAt: known.started_at ?? new Date(),
      };
    }
    const kind = known?.identity === identity && known.selection === selection ? 'check' : 'backfill';
    const startedAt = new Date();
    const pass = {
      identity,
      pass_id: `${run}/${randomUUID()}`,
      pass_kind: kind,
      pass_selection: selection,
      pass_place: null,
      counts: JSON.stringify(noCounts),
      started_at: startedAt,
      finished_at: null,
      updated_at: startedAt,
    } as const;
    await this.db
      .insertInto('sync')
      .values({ name: sync, ...pass })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(pass))
      .execute();
    return { id: pass.pass_id, kind, place: undefined, counts: noCounts, startedAt };
  }

  async savePass({ sync }: SyncScope, { id, place, counts }: Pick<SyncPass, 'id' | 'place' | 'counts'>): Promise<void> {
    await this.db
      .updateTable('sync')
      .set({
        pass_place: place === undefined ? null : JSON.stringify(place),
        counts: JSON.stringify(counts),
        updated_at: new Date(),
      })
      .where('name', '=', sync)
      .where('pass_id', '=', id)
      .execute();
  }

  async endPass({ sync }: SyncScope, { id, counts }: Pick<SyncPass, 'id' | 'counts'>): Promise<void> {
    const now = new Date();
    await this.db
      .updateTable('sync')
      .set({
        selection: sql`pass_selection`,
        pass_id: null,
        pass_place: null,
        counts: JSON.stringify(counts),
        finished_at: now,
        updated_at: now,
      })
      .where('name', '=', sync)
      .where('pass_id', '=', id)
      .execute();
  }
}

function byKey(one: SyncSighting, other: SyncSighting): number {
  return one.key < other.key ? -1 : 1;
}

function rowOf(row: {
  readonly key: string;
  readonly record_id: string | null;
  readonly revision: number;
  readonly agreed: unknown;
  readonly intent: unknown;
}): SyncRow {
  return {
    key: row.key,
    recordId: row.record_id ?? undefined,
    revision: row.revision,
    // Both columns are written as objects only.
    agreed: row.agreed ?? undefined,
    intent: row.intent ?? undefined,
  };
}
