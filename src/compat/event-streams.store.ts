import { sql, type Kysely, type Selectable } from 'kysely';
import { versionText, type Database, type Vault } from '#platform';
import { PatchbayError } from '#sdk';
import type { OldHeaders, OldStream } from './event-stream-body.js';

export interface StoredOldStream {
  readonly id: string;
  readonly stream: OldStream;
  readonly headers: OldHeaders;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Another one whenever it was changed. */
  readonly version: string;
}

type Row = Selectable<Database['ethconnect_stream']> & { readonly version: string };

const version = versionText.as('version');

/** Event streams of old clients; the headers of webhooks are sealed. */
export class OldStreamsStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly vault: Vault,
  ) {}

  async list(): Promise<StoredOldStream[]> {
    const found = this.db.selectFrom('ethconnect_stream').selectAll().select(version);
    const rows = await found.orderBy('created_at').execute();
    return rows.map((row) => this.#read(row));
  }

  /** @throws stream.notFound */
  async get(id: string): Promise<StoredOldStream> {
    const found = this.db.selectFrom('ethconnect_stream').selectAll().select(version).where('id', '=', id);
    const row = await found.executeTakeFirst();
    if (row) return this.#read(row);
    throw new PatchbayError('stream.notFound', { detail: `There is no event stream ${id.slice(0, 100)}` });
  }

  async create(
    id: string,
    { stream, headers }: Pick<StoredOldStream, 'stream' | 'headers'>,
    createdBy: string,
  ): Promise<void> {
    const values = { id, definition: JSON.stringify(stream), sealed: this.#seal(id, headers), created_by: createdBy };
    await this.db.insertInto('ethconnect_stream').values(values).execute();
  }

  /**
   * @param seen – the version that was read
   * @returns false: it is another one by now, and stays as it is
   */
  async change(
    id: string,
    seen: string,
    { stream, headers }: Pick<StoredOldStream, 'stream' | 'headers'>,
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('ethconnect_stream')
      .set({
        definition: JSON.stringify(stream),
        sealed: this.#seal(id, headers),
        updated_at: sql<Date>`clock_timestamp()`,
      })
      .where('id', '=', id)
      .where(versionText, '=', seen)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async delete(id: string): Promise<void> {
    await this.db.deleteFrom('ethconnect_stream').where('id', '=', id).execute();
  }

  #seal(id: string, headers: OldHeaders): Buffer | null {
    if (Object.keys(headers).length === 0) return null;
    return this.vault.seal(JSON.stringify(headers), `ethconnect_stream:${id}`);
  }

  #read({ id, definition, sealed, created_at, updated_at, version: seen }: Row): StoredOldStream {
    const headers = sealed === null ? '{}' : this.vault.open(sealed, `ethconnect_stream:${id}`);
    return {
      id,
      // Both were written by `create` and `change`.
      stream: definition as OldStream,
      headers: JSON.parse(headers) as OldHeaders,
      createdAt: created_at,
      updatedAt: updated_at,
      version: seen,
    };
  }
}
