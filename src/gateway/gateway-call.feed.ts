import { sql, type Kysely } from 'kysely';
import type { GatewayCall } from '#evm';
import { storableJson, type Database, type Signals } from '#platform';
import type { Feed, FeedEntry } from '#sdk';

/** Where calls are added to; see {@link KyselyGatewayCallFeed}. */
export interface GatewayCallFeed extends Feed<GatewayCall> {
  add(call: GatewayCall): Promise<void>;
}

const topic = 'gateway-calls';

/**
 * The calls that flows wait for, in PostgreSQL. Numbers are given before a row is committed, so readers stop before the
 * oldest transaction that is still open: a row that becomes visible late is not passed over.
 */
export class KyselyGatewayCallFeed implements GatewayCallFeed {
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly db: Kysely<Database>,
    private readonly signals: Signals,
  ) {
    signals.on(topic, () => this.#tell());
  }

  /** The same id again is the same call. */
  async add(call: GatewayCall): Promise<void> {
    await this.db
      .insertInto('gateway_call')
      .values({ id: call.id, item: storableJson(call) })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    this.signals.publish(topic, null);
  }

  async read(after: string | undefined, limit: number): Promise<readonly FeedEntry<GatewayCall>[]> {
    const [xid, seq] = after === undefined ? ['0', '0'] : parseCursor(after);
    const { rows } = await sql<{ xid: string; seq: string; item: GatewayCall }>`
      select xid::text as xid, seq::text as seq, item from gateway_call
      where (xid, seq) > (${xid}::xid8, ${seq}::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
      order by xid, seq limit ${limit}`.execute(this.db);
    return rows.map((row) => ({ item: row.item, cursor: formatCursor(row.xid, row.seq) }));
  }

  async tail(): Promise<string> {
    const { rows } = await sql<{ xid: string }>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as xid`.execute(this.db);
    return formatCursor(rows[0]?.xid ?? '0', '0');
  }

  onMore(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.signals.setInterest(topic, true);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.signals.setInterest(topic, false);
    };
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** As long as the largest numbers can get, so that cursors sort as text. */
function formatCursor(xid: string, seq: string): string {
  return `${xid.padStart(20, '0')}:${seq.padStart(19, '0')}`;
}

function parseCursor(cursor: string): [xid: string, seq: string] {
  const [xid = '0', seq = '0'] = cursor.split(':').map((part) => BigInt(part).toString());
  return [xid, seq];
}
