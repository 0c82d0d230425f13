import type { Kysely } from 'kysely';
import type { Database } from '#platform';
import type { TriggerSource } from './trigger-source.js';

export interface SourceState {
  readonly id: string;
  readonly uses: string;
  readonly connection: string | null;
  readonly cursor: string | null;
  readonly error: unknown;
  readonly heardAt: Date | null;
  readonly updatedAt: Date;
}

/** Where each trigger left off. */
export class SourcesStore {
  constructor(private readonly db: Kysely<Database>) {}

  /** Makes the row if it is new. @returns the place where the trigger left off */
  async open(source: TriggerSource): Promise<string | undefined> {
    await this.db
      .insertInto('trigger_source')
      .values({
        id: source.id,
        uses: source.uses,
        connection: source.connection ?? null,
        input: JSON.stringify(source.written),
        epoch: 0,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    const row = await this.db
      .selectFrom('trigger_source')
      .select('cursor')
      .where('id', '=', source.id)
      .executeTakeFirst();
    return row?.cursor ?? undefined;
  }

  async fail(id: string, error: { readonly code: string; readonly message: string }): Promise<void> {
    await this.db
      .updateTable('trigger_source')
      .set({ error: JSON.stringify(error), updated_at: new Date() })
      .where('id', '=', id)
      .execute();
  }

  async list(): Promise<SourceState[]> {
    const rows = await this.db.selectFrom('trigger_source').selectAll().orderBy('id').execute();
    return rows.map((row) => ({
      id: row.id,
      uses: row.uses,
      connection: row.connection,
      cursor: row.cursor,
      error: row.error,
      heardAt: row.heard_at,
      updatedAt: row.updated_at,
    }));
  }
}
