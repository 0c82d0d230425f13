import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';

const keptDays = 2;

/** The key is flushed with the event, which is stored next: whoever finds the event after a crash finds its key too. */
const unflushed = sql`select set_config('synchronous_commit', 'off', true)`;

/** Remembers what adapters were asked, before anything is done about it. */
export class RequestsStore {
  constructor(private readonly db: Kysely<Database>) {}

  /** The key of the event that is stored for it: the same for what is asked again within the time. */
  async keyOf(flow: string, fingerprint: string, withinMs: number): Promise<string> {
    const key = randomUUID();
    const { rows } = await sql<{ key: string }>`
      insert into oracle_request as known (flow, fingerprint, key)
      select ${flow}::text, ${fingerprint}::text, ${key}::text from (${unflushed}) unflushed
      on conflict (flow, fingerprint) do update set
        key = case when known.at < now() - ${withinMs} * interval '1 ms' then excluded.key else known.key end,
        at = case when known.at < now() - ${withinMs} * interval '1 ms' then excluded.at else known.at end
      returning key
    `.execute(this.db);
    return rows[0]?.key ?? key;
  }

  async trim(): Promise<void> {
    await sql`delete from oracle_request where at < now() - ${keptDays} * interval '1 day'`.execute(this.db);
  }
}
