import { sql, type Kysely } from 'kysely';
import type { Database, Vault } from '#platform';

export interface StoredConnection {
  readonly name: string;
  readonly connector: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface VersionedConnection extends StoredConnection {
  readonly version: string;
}

/** As text, because a Date would lose the microseconds. */
const version = sql<string>`updated_at::text`.as('version');

/** Connections that were added by hand; their settings are sealed as a whole. */
export class ConnectionsStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly vault: Vault,
  ) {}

  async list(): Promise<VersionedConnection[]> {
    const rows = await this.db.selectFrom('connection').selectAll().select(version).orderBy('name').execute();
    return rows.map((row) => ({
      name: row.name,
      connector: row.connector,
      settings: JSON.parse(this.vault.open(row.sealed, sealContext(row.name))) as Record<string, unknown>,
      version: row.version,
    }));
  }

  /** What has come, changed or gone, for whoever knows these versions by name; the settings are read only where something has. */
  async changesSince(
    known: ReadonlyMap<string, string>,
  ): Promise<{ readonly gone: readonly string[]; readonly changed: readonly VersionedConnection[] }> {
    const rows = await this.db.selectFrom('connection').select(['name', version]).execute();
    const names = new Set(rows.map(({ name }) => name));
    const gone = [...known.keys()].filter((name) => !names.has(name));
    const isKnown = (row: { name: string; version: string }): boolean => known.get(row.name) === row.version;
    if (rows.every(isKnown)) return { gone, changed: [] };
    return { gone, changed: (await this.list()).filter((connection) => !isKnown(connection)) };
  }

  /** @returns the version that is kept now */
  async put(connection: StoredConnection): Promise<string> {
    const row = this.#row(connection);
    const kept = await this.db
      .insertInto('connection')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ ...row, updated_at: sql`clock_timestamp()` }))
      .returning(version)
      .executeTakeFirstOrThrow();
    return kept.version;
  }

  /**
   * Puts it over a version only, or where nothing is kept yet.
   * @returns the version that is kept now; undefined: something else has come or gone meanwhile, and that holds
   */
  async replace(connection: StoredConnection, over: string | undefined): Promise<string | undefined> {
    const row = this.#row(connection);
    const kept =
      over === undefined
        ? await this.db
            .insertInto('connection')
            .values(row)
            .onConflict((conflict) => conflict.column('name').doNothing())
            .returning(version)
            .executeTakeFirst()
        : await this.db
            .updateTable('connection')
            .set({ ...row, updated_at: sql`clock_timestamp()` })
            .where('name', '=', row.name)
            .where(sql`updated_at::text`, '=', over)
            .returning(version)
            .executeTakeFirst();
    return kept?.version;
  }

  async delete(name: string): Promise<boolean> {
    const result = await this.db.deleteFrom('connection').where('name', '=', name).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  #row({ name, connector, settings }: StoredConnection) {
    return { name, connector, sealed: this.vault.seal(JSON.stringify(settings), sealContext(name)) };
  }
}

function sealContext(name: string): string {
  return `connection:${name}`;
}
