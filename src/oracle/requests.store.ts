import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { rethrowStoreError } from '#platform';

const keptDays = 2;

// The key is flushed with the event, which is stored next: whoever finds the event after a crash finds its key too.
const keyOfRequest = `
  insert into oracle_request as known (flow, fingerprint, key)
  select $1::text, $2::text, $3::text from (select set_config('synchronous_commit', 'off', true)) unflushed
  on conflict (flow, fingerprint) do update set
    key = case when known.at < now() - $4 * interval '1 ms' then excluded.key else known.key end,
    at = case when known.at < now() - $4 * interval '1 ms' then excluded.at else known.at end
  returning key`;

/** Remembers what adapters were asked, before anything is done about it. */
export class RequestsStore {
  constructor(private readonly pool: Pool) {}

  /** The key of the event that is stored for it: the same for what is asked again within the time. */
  async keyOf(flow: string, fingerprint: string, withinMs: number): Promise<string> {
    const key = randomUUID();
    const { rows } = await this.pool
      .query<{ key: string }>({
        name: 'oracle-request',
        text: keyOfRequest,
        values: [flow, fingerprint, key, withinMs],
      })
      .catch(rethrowStoreError);
    return rows[0]?.key ?? key;
  }

  async trim(): Promise<void> {
    await this.pool.query(`delete from oracle_request where at < now() - $1 * interval '1 day'`, [keptDays]);
  }
}
