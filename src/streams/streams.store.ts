import { sql, type Kysely } from 'kysely';
import { versionText, type Database, type Vault } from '#platform';
import { PatchbayError } from '#sdk';
import { parseStream, unmask, type StreamDocument } from './stream-document.js';
import type { StreamDefinition } from './stream.schema.js';

export interface StoredStream {
  readonly id: string;
  readonly name: string;
  readonly state: 'running' | 'suspended';
  readonly reason: string | null;
  readonly document: StreamDocument;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Another one whenever anything about the stream was changed. */
  readonly version: string;
}

export interface OpenedStream extends Pick<StoredStream, 'document' | 'version'> {
  readonly definition: StreamDefinition;
}

export interface StoredPosition {
  readonly stream: string;
  readonly consumer: string;
  readonly cursor: string | null;
  readonly batchNumber: number;
  readonly events: number;
  readonly failures: number;
  readonly error: unknown;
  readonly retryAt: Date | null;
  readonly deliveredAt: Date | null;
}

export interface StreamDeadLetter {
  readonly id: string;
  readonly consumer: string;
  readonly batch: string;
  readonly events: readonly unknown[];
  readonly error: unknown;
  readonly createdAt: Date;
}

const version = versionText.as('version');

/** Definitions of streams, with their secrets sealed, and what is kept beside them. */
export class StreamsStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly vault: Vault,
  ) {}

  async list(): Promise<StoredStream[]> {
    const rows = await this.db.selectFrom('stream').selectAll().select(version).orderBy('name').execute();
    return rows.map(streamOf);
  }

  async find(name: string): Promise<StoredStream | undefined> {
    const found = this.db.selectFrom('stream').selectAll().select(version).where('name', '=', name);
    const row = await found.executeTakeFirst();
    return row && streamOf(row);
  }

  /** With its secrets. @throws stream.invalid when it was written by another version, vault.unreadable */
  async definition(id: string): Promise<OpenedStream> {
    const found = this.db.selectFrom('stream').selectAll().select(version).where('id', '=', id);
    const row = await found.executeTakeFirst();
    if (!row) throw new PatchbayError('stream.notFound');
    const document = unmask(row.definition as StreamDocument, this.#open(row.id, row.sealed));
    return { definition: parseStream(document).definition, document, version: row.version };
  }

  async create(
    document: StreamDocument,
    {
      createdBy,
      cursor,
      state,
    }: {
      readonly createdBy: string;
      /** Where it begins, when that is known by now. */
      readonly cursor: string | undefined;
      readonly state: StoredStream['state'];
    },
  ): Promise<void> {
    const { definition, masked, secrets } = parseStream(document);
    await this.db.transaction().execute(async (transaction) => {
      const created = await transaction
        .insertInto('stream')
        .values({ name: definition.name, definition: JSON.stringify(masked), state, created_by: createdBy })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .returning('id')
        .executeTakeFirst();
      if (!created) {
        throw new PatchbayError('request.conflict', {
          detail: `There is an event stream called ${definition.name} already.`,
        });
      }
      const { id } = created;
      await transaction
        .updateTable('stream')
        .set({ sealed: this.#seal(id, secrets) })
        .where('id', '=', id)
        .execute();
      if (cursor === undefined) return;
      await transaction.insertInto('stream_position').values({ stream_id: id, consumer: '', cursor }).execute();
    });
  }

  /**
   * @param seen – the version that was read
   * @param change.cursor – a new place for every consumer; undefined: they stay where they are
   * @returns false: it is another one by now, and stays as it is
   */
  async change(
    id: string,
    seen: string,
    { document, cursor }: { readonly document: StreamDocument; readonly cursor: string | undefined },
  ): Promise<boolean> {
    const { masked, secrets } = parseStream(document);
    return this.db.transaction().execute(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('stream')
        .set({
          definition: JSON.stringify(masked),
          sealed: this.#seal(id, secrets),
          updated_at: sql<Date>`clock_timestamp()`,
        })
        .where('id', '=', id)
        .where(versionText, '=', seen)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      if (cursor !== undefined) await moveAll(transaction, id, cursor);
      return true;
    });
  }

  /**
   * @param seen – only the stream of this version; undefined: whatever it is by now
   * @returns whether its state was another one
   */
  async setState(id: string, state: StoredStream['state'], reason: string | null, seen?: string): Promise<boolean> {
    const update = this.db
      .updateTable('stream')
      .set({ state, reason, updated_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', id)
      .where('state', '<>', state)
      .$if(seen !== undefined, (any) => any.where(versionText, '=', seen!));
    return (await update.executeTakeFirst()).numUpdatedRows > 0n;
  }

  /**
   * Every consumer goes on from there.
   *
   * @param seen – the version that the place was found for
   * @returns false: it is another one by now, and stays where it is
   */
  async reset(id: string, seen: string, cursor: string): Promise<boolean> {
    return this.db.transaction().execute(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('stream')
        .set({ updated_at: sql<Date>`clock_timestamp()` })
        .where('id', '=', id)
        .where(versionText, '=', seen)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await moveAll(transaction, id, cursor);
      return true;
    });
  }

  async delete(id: string): Promise<void> {
    await this.db.deleteFrom('stream').where('id', '=', id).execute();
  }

  async positions(ids: readonly string[]): Promise<StoredPosition[]> {
    if (ids.length === 0) return [];
    const rows = await this.db
      .selectFrom('stream_position')
      .selectAll()
      .where('stream_id', 'in', [...ids])
      .orderBy('consumer')
      .execute();
    return rows.map((row) => ({
      stream: row.stream_id,
      consumer: row.consumer,
      cursor: row.cursor,
      batchNumber: Number(row.batch_number),
      events: Number(row.events),
      failures: row.failures,
      error: row.error,
      retryAt: row.retry_at,
      deliveredAt: row.delivered_at,
    }));
  }

  async deadLetters(id: string, limit: number): Promise<StreamDeadLetter[]> {
    const rows = await this.db
      .selectFrom('stream_dead_letter')
      .selectAll()
      .where('stream_id', '=', id)
      .orderBy('created_at', 'desc')
      .limit(limit)
      .execute();
    return rows.map(deadLetterOf);
  }

  async findDeadLetter(streamId: string, id: string): Promise<StreamDeadLetter | undefined> {
    const row = await this.db
      .selectFrom('stream_dead_letter')
      .selectAll()
      .where('stream_id', '=', streamId)
      .where('id', '=', id)
      .executeTakeFirst();
    return row && deadLetterOf(row);
  }

  async dropDeadLetter(id: string): Promise<void> {
    await this.db.deleteFrom('stream_dead_letter').where('id', '=', id).execute();
  }

  #seal(id: string, secrets: Readonly<Record<string, string>>): Buffer | null {
    return Object.keys(secrets).length === 0 ? null : this.vault.seal(JSON.stringify(secrets), `stream:${id}`);
  }

  #open(id: string, sealed: Buffer | null): Readonly<Record<string, string>> {
    // Sealed by `#seal`, which takes nothing else.
    return sealed === null ? {} : (JSON.parse(this.vault.open(sealed, `stream:${id}`)) as Record<string, string>);
  }
}

/** Whoever pumps at the moment is barred by an epoch beyond that of its lease; the next holder has it. */
async function moveAll(db: Kysely<Database>, id: string, cursor: string): Promise<void> {
  await sql`
    update stream_position p set cursor = ${cursor}, delivered = null, traced_from = '', failures = 0, error = null,
      retry_at = null, updated_at = now(),
      epoch = 1 + coalesce((select epoch from lease where name = ${leaseName(id, '')} || p.consumer), 0)
    where stream_id = ${id}`.execute(db);
  await db.deleteFrom('stream_delivered').where('stream_id', '=', id).execute();
}

export function leaseName(streamId: string, consumer: string): string {
  return `stream ${streamId} ${consumer}`;
}

function streamOf(row: {
  id: string;
  name: string;
  state: StoredStream['state'];
  reason: string | null;
  definition: unknown;
  created_by: string;
  created_at: Date;
  updated_at: Date;
  version: string;
}): StoredStream {
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    reason: row.reason,
    document: row.definition as StreamDocument,
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

function deadLetterOf(row: {
  id: string;
  consumer: string;
  batch_id: string;
  events: unknown;
  error: unknown;
  created_at: Date;
}): StreamDeadLetter {
  return {
    id: row.id,
    consumer: row.consumer,
    batch: row.batch_id,
    events: row.events as readonly unknown[],
    error: row.error,
    createdAt: row.created_at,
  };
}
