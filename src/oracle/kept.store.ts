import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import type { OracleKept } from '#sdk';

/** Longer than a step is tried again, with room for somebody who retries it by hand. */
const keptDays = 30;

/** What pipelines keep from one attempt to the next. */
export class KeptStore implements OracleKept {
  constructor(private readonly db: Kysely<Database>) {}

  async find(key: string): Promise<string | undefined> {
    const row = await this.db.selectFrom('oracle_kept').select('content').where('key', '=', key).executeTakeFirst();
    return row?.content;
  }

  async keep(key: string, content: string): Promise<void> {
    await sql`
      insert into oracle_kept (key, content) values (${key}, ${content})
      on conflict (key) do update set content = excluded.content, at = now()
    `.execute(this.db);
  }

  async trim(): Promise<void> {
    await sql`delete from oracle_kept where at < now() - ${keptDays} * interval '1 day'`.execute(this.db);
  }
}
