import type { Kysely } from 'kysely';
import type { Database } from '#platform';

export interface StoredFlow {
  readonly name: string;
  readonly version: string;
  readonly file: string | null;
  readonly isPaused: boolean;
}

export class FlowsStore {
  constructor(private readonly db: Kysely<Database>) {}

  async list(): Promise<StoredFlow[]> {
    const rows = await this.db.selectFrom('flow').select(['name', 'version', 'file', 'paused_at']).execute();
    return rows.map((row) => ({
      name: row.name,
      version: row.version,
      file: row.file,
      isPaused: row.paused_at !== null,
    }));
  }

  /** Keeps the version for ever (until no run refers to it) and makes it the present one. */
  async activate(flow: { name: string; version: string; document: string; file: string }): Promise<void> {
    await this.db.transaction().execute(async (trx) => {
      await trx
        .insertInto('flow_version')
        .values({ id: flow.version, flow: flow.name, document: flow.document })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
      await trx
        .insertInto('flow')
        .values({ name: flow.name, version: flow.version, file: flow.file })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({ version: flow.version, file: flow.file, updated_at: new Date() })
            .where((eb) =>
              eb.or([eb('flow.version', '!=', flow.version), eb('flow.file', 'is distinct from', flow.file)]),
            ),
        )
        .execute();
    });
  }

  async document(version: string): Promise<string | undefined> {
    const row = await this.db
      .selectFrom('flow_version')
      .select('document')
      .where('id', '=', version)
      .executeTakeFirst();
    return row?.document;
  }

  async setPaused(name: string, isPaused: boolean): Promise<void> {
    await this.db
      .updateTable('flow')
      .set({ paused_at: isPaused ? new Date() : null, updated_at: new Date() })
      .where('name', '=', name)
      .execute();
  }
}
