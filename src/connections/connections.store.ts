import type { Kysely } from 'kysely';
import type { Database, Vault } from '#platform';

export interface StoredConnection {
  readonly name: string;
  readonly connector: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Connections that were added by hand; their settings are sealed as a whole. */
export class ConnectionsStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly vault: Vault,
  ) {}

  async list(): Promise<StoredConnection[]> {
    const rows = await this.db.selectFrom('connection').selectAll().orderBy('name').execute();
    return rows.map((row) => ({
      name: row.name,
      connector: row.connector,
      settings: JSON.parse(this.vault.open(row.sealed, sealContext(row.name))) as Record<string, unknown>,
    }));
  }

  async put(connection: StoredConnection): Promise<void> {
    const sealed = this.vault.seal(JSON.stringify(connection.settings), sealContext(connection.name));
    await this.db
      .insertInto('connection')
      .values({ name: connection.name, connector: connection.connector, sealed })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ connector: connection.connector, sealed, updated_at: new Date() }),
      )
      .execute();
  }

  async delete(name: string): Promise<boolean> {
    const result = await this.db.deleteFrom('connection').where('name', '=', name).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }
}

function sealContext(name: string): string {
  return `connection:${name}`;
}
