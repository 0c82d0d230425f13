import { sql, type Kysely } from 'kysely';
import type { Pool } from 'pg';
import { inTransaction, type Database } from '#platform';
import type { OracleTurns } from '#sdk';

const keptDays = 7;

/** Lines that are served at a limited pace, by all processes of the hub together. */
export class TurnsStore implements OracleTurns {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly pool: Pool,
  ) {}

  take({ line, key, everyMs }: { line: string; key: string; everyMs: number }): Promise<number> {
    return inTransaction(this.pool, async (client) => {
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 17))', [line]);
      const { rows } = await client.query<{ waitMs: string }>(
        `with known as (select at from oracle_turn where line = $1 and key = $2),
         taken as (
           insert into oracle_turn (line, key, at)
           select $1, $2, greatest(now(), (select max(at) from oracle_turn where line = $1) + $3 * interval '1 ms')
           where not exists (select from known)
           returning at)
         select ceil(extract(epoch from at - now()) * 1000)::bigint as "waitMs"
         from (select at from known union all select at from taken) turn`,
        [line, key, everyMs],
      );
      return Math.max(0, Number(rows[0]?.waitMs ?? 0));
    });
  }

  async trim(): Promise<void> {
    await sql`delete from oracle_turn where at < now() - ${keptDays} * interval '1 day'`.execute(this.db);
  }
}
