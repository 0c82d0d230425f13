import { sql, type Kysely } from 'kysely';

import { Batcher } from '../store/batcher.js';
import type { Database } from '../store/schema.js';
import { storableJson } from '../store/storable-json.js';

export interface AuditEntry {
  /** The name of the key, or `hub` for what the hub does by itself. */
  readonly actor: string;
  /** What, and what was done to it: `key.create`, `flow.pause`. */
  readonly action: string;
  readonly subject?: string;
  /** No secrets: everybody with `audit:read` sees it. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface AuditRecord extends AuditEntry {
  readonly seq: string;
  readonly at: Date;
}

/** Notes who did what. Within a transaction the note exists exactly if the deed does. */
export async function writeAudit(db: Kysely<Database>, ...entries: readonly AuditEntry[]): Promise<void> {
  const rows = entries.map(({ actor, action, subject = null, detail = null }) => ({ actor, action, subject, detail }));
  await sql`
    insert into audit (actor, action, subject, detail)
    select actor, action, subject, nullif(detail, 'null')
    from jsonb_to_recordset(${storableJson(rows)}::jsonb) as row (actor text, action text, subject text, detail jsonb)
  `.execute(db);
}

/** The notes of {@link writeAudit}, with the hub's own database. */
export class AuditLog {
  readonly #entries: Batcher<AuditEntry, undefined>;

  constructor(private readonly db: Kysely<Database>) {
    this.#entries = new Batcher(
      async (entries) => {
        await writeAudit(this.db, ...entries);
        return entries.map(() => undefined);
      },
      { size: 200, parallel: 1 },
    );
  }

  write(entry: AuditEntry): Promise<void> {
    return this.#entries.add(entry);
  }

  /** Newest first; `before` is the `seq` of the last one already seen. */
  async list({ before, limit = 100 }: { readonly before?: string; readonly limit?: number } = {}): Promise<
    AuditRecord[]
  > {
    let query = this.db.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(limit);
    if (before !== undefined) query = query.where('seq', '<', before);
    return (await query.execute()).map(({ subject, detail, ...rest }) => ({
      ...rest,
      ...(subject !== null && { subject }),
      // Written by `writeAudit`, which takes nothing but objects.
      ...(detail !== null && { detail: detail as Record<string, unknown> }),
    }));
  }
}
