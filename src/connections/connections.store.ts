import { sql, type Kysely } from 'kysely';
import type { Database, Vault } from '#platform';

export interface StoredConnection {
  readonly name: string;
  readonly connector: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** As text, because a Date would lose the microseconds. */
const version = sql<string>`updated_at::text`.as('version');

/** Connections that were added by hand; their settings are sealed as a whole. */
export class ConnectionsStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly vault: Vault,
  ) {}

  async list(): Promise<(StoredConnection & { readonly version: string })[]> {
    const rows = await this.db.selectFrom('connection').selectAll().select(version).orderBy('name').execute();
    return rows.map((row) => ({
      name: row.name,
      connector: row.connector,
      settings: JSON.parse(this.vault.open(row.sealed, sealContext(row.name))) as Record<string, unknown>,
      version: row.version,
    }));
  }

  /** Which version of each there is, to tell whether another process has changed one. */
  async versions(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.db.selectFrom('connection').select(['name', version]).execute();
    return new Map(rows.map((row) => [row.name, row.version]));
  }

  /** @returns the version that is kept now */
  async put(connection: StoredConnection): Promise<string> {
    const sealed = this.vault.seal(JSON.stringify(connection.settings), sealContext(connection.name));
    const row = await this.db
      .insertInto('connection')
      .values({ name: connection.name, connector: connection.connector, sealed })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ connector: connection.connector, sealed, updated_at: sql`clock_timestamp()` }),
      )
      .returning(version)
      .executeTakeFirstOrThrow();
    return row.version;
  }

  async delete(name: string): Promise<boolean> {
    const result = await this.db.deleteFrom('connection').where('name', '=', name).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }
}

function sealContext(name: string): string {
  return `connection:${name}`;
}
