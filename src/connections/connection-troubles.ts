import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import { PatchbayError } from '#sdk';

/** The other side does not let this connection in, and nothing but a person can change that. */
export interface ConnectionTrouble {
  readonly reason: string;
  readonly fix?: string;
  readonly since: Date;
}

/** A run waits in the table and is released as soon as it may go on; this only bounds what a lost release costs. */
const waitMs = 60 * 60_000;
/** A connection was opened anew while a step used the old one. */
const soonMs = 500;

/** Which connections need authorisation, as rows, so that every process knows; and as this process last read them. */
export class ConnectionTroubles {
  #known: ReadonlyMap<string, ConnectionTrouble> = new Map();
  /** Looks are numbered as they ask, because their answers may come in another order. */
  #lastAsked = 0;
  #lastKnown = 0;

  readonly #whenOver = new Set<(connection: string) => void>();

  constructor(private readonly db: Kysely<Database>) {}

  of(connection: string): ConnectionTrouble | undefined {
    return this.#known.get(connection);
  }

  onOver(listener: (connection: string) => void): void {
    this.#whenOver.add(listener);
  }

  /** @throws connection.waiting while the connection needs authorisation */
  refuse(connection: string): void {
    const trouble = this.#known.get(connection);
    if (trouble !== undefined) throw waitingFor(connection, trouble);
  }

  /** Keeps that the connection needs authorisation, and since when. @returns what a step that needs it fails with meanwhile */
  async note(connection: string, { detail, fix }: PatchbayError): Promise<PatchbayError> {
    await this.db
      .insertInto('connection_trouble')
      .values({ connection, reason: detail, fix: fix ?? null, look_at: sql`now() + interval '5 seconds'` })
      .onConflict((conflict) => conflict.column('connection').doNothing())
      .execute();
    await this.refresh();
    return waitingFor(connection, { reason: detail, ...(fix !== undefined && { fix }) });
  }

  /** It works again, or its settings were changed, or it is gone: whatever waits for it may try. */
  async settle(connection: string): Promise<void> {
    await this.db.deleteFrom('connection_trouble').where('connection', '=', connection).execute();
    await this.refresh();
  }

  async refresh(): Promise<void> {
    const look = (this.#lastAsked += 1);
    const rows = await this.db.selectFrom('connection_trouble').selectAll().execute();
    if (look < this.#lastKnown) return;
    this.#lastKnown = look;
    const before = this.#known;
    this.#known = new Map(
      rows.map(({ connection, reason, fix, since }) => [connection, { reason, since, ...(fix !== null && { fix }) }]),
    );
    for (const connection of before.keys()) {
      if (!this.#known.has(connection)) for (const listener of this.#whenOver) listener(connection);
    }
  }

  /** Those whose turn it is to be tried; each goes to one process, at growing intervals. */
  async due(): Promise<string[]> {
    const { rows } = await sql<{ connection: string }>`
      update connection_trouble
      set looks = looks + 1, look_at = now() + least(interval '10 minutes', interval '10 seconds' * 2 ^ least(looks, 10))
      where connection in (
        select connection from connection_trouble where look_at <= now() for update skip locked)
      returning connection`.execute(this.db);
    return rows.map(({ connection }) => connection);
  }

  /** The hub was started, perhaps because its configuration file was changed. */
  async lookSoon(): Promise<void> {
    await this.db.updateTable('connection_trouble').set({ looks: 0, look_at: new Date() }).execute();
  }
}

/** The step used a client that was replaced while it did. */
export function replacedMeanwhile(connection: string): PatchbayError {
  return new PatchbayError('connection.waiting', {
    detail: `The connection ${connection} was opened anew while the step used it`,
    retryAfterMs: soonMs,
    connection,
  });
}

function waitingFor(connection: string, { reason, fix }: Omit<ConnectionTrouble, 'since'>): PatchbayError {
  return new PatchbayError('connection.waiting', {
    detail: `The connection ${connection} needs authorisation: ${reason.replace(/^The connection needs authorisation: /, '')}`,
    fix: fix ?? `Change its settings, or: npx patchbay connection authorize ${connection}`,
    retryAfterMs: waitMs,
    connection,
  });
}
