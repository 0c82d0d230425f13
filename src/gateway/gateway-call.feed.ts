import { sql, type Kysely } from 'kysely';
import type { GatewayCall } from '#evm';
import type { Database, Signals } from '#platform';
import type { Feed, FeedEntry } from '#sdk';
import { keepGatewayCalls } from '#transactions';

/** Where calls are added to; see {@link KyselyGatewayCallFeed}. */
export interface GatewayCallFeed extends Feed<GatewayCall> {
  add(call: GatewayCall): Promise<void>;
  /** One was kept together with its transaction. */
  tell(): void;
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
    signals.on(topic, () => this.#hear());
  }

  async add(call: GatewayCall): Promise<void> {
    await keepGatewayCalls(this.db, [call]);
    this.tell();
  }

  tell(): void {
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

  #hear(): void {
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
