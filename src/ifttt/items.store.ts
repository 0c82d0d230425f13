import { sql, type Kysely } from 'kysely';
import { storableJson, Batcher, rethrowStoreError, type Database } from '#platform';

export interface NewItem {
  /** The same when the same thing is heard again: IFTTT fires once for each. */
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  /** Order of what has the same time; an item with a place may move when it is heard again. */
  readonly position?: string;
  readonly ingredients: Readonly<Record<string, string>>;
}

interface FeedItem {
  readonly feed: string;
  readonly item: NewItem;
}

export interface StoredItem {
  readonly id: string;
  readonly time: Date;
  readonly ingredients: Readonly<Record<string, string>>;
}

/** More than IFTTT ever asks for. */
export const historySize = 200;

/** The history of each trigger: kept across restarts, never emptied by a poll. */
export class ItemsStore {
  readonly #batcher: Batcher<FeedItem, boolean>;

  constructor(private readonly db: Kysely<Database>) {
    this.#batcher = new Batcher((batch) => this.#add(batch), { size: 500, parallel: 2 });
  }

  /**
   * Adds to the history of a feed, and notes for every identity that reads it that IFTTT should be told.
   *
   * @returns whether the item was not there before
   */
  async add(feed: string, items: readonly NewItem[]): Promise<readonly boolean[]> {
    if (items.length === 0) return [];
    return Promise.all(items.map((item) => this.#batcher.add({ feed, item }))).catch(rethrowStoreError);
  }

  /** Newest first. */
  async newest(feed: string, limit: number): Promise<readonly StoredItem[]> {
    return this.db
      .selectFrom('ifttt_item')
      .select(['id', 'time', 'ingredients'])
      .where('feed', '=', feed)
      .orderBy('time', 'desc')
      .orderBy(sql`position desc nulls last`)
      .orderBy('seq', 'desc')
      .limit(limit)
      .execute();
  }

  /** Adds in the transaction of whoever notes by himself that IFTTT should be told. */
  async keep(db: Kysely<Database>, feed: string, items: readonly NewItem[]): Promise<void> {
    await write(
      db,
      items.map((item) => ({ feed, item })),
    );
  }

  /** What stands at this position or after it is no longer so. */
  async retract(db: Kysely<Database>, feed: string, position: string): Promise<void> {
    await db.deleteFrom('ifttt_item').where('feed', '=', feed).where('position', '>=', position).execute();
  }

  /** Drops what has fallen off the end of each history. */
  async trim(): Promise<void> {
    await sql`
      delete from ifttt_item where seq in (
        select seq from (
          select seq, row_number() over (partition by feed order by time desc, position desc nulls last, seq desc) as place
          from ifttt_item) as ranked
        where place > ${historySize})
    `.execute(this.db);
  }

  async #add(batch: readonly FeedItem[]): Promise<boolean[]> {
    const created = await write(this.db, batch);
    await this.#noteUntold([...new Set(batch.map(({ feed }) => feed))]);
    // Of two that are the same in one batch, the first is the new one.
    return batch.map(({ feed, item }) => created.delete(keyOf(feed, item.id)));
  }

  /**
   * After the items are committed, or IFTTT could be told before there is anything to find. Whoever writes several identities
   * locks them in the order of their names, so that two never wait for each other.
   */
  async #noteUntold(feeds: readonly string[]): Promise<void> {
    await sql`
      update ifttt_identity set is_dirty = true
      from (
        select identity from ifttt_identity where feed = any(${feeds}) and not is_dirty
        order by identity for no key update) as due
      where ifttt_identity.identity = due.identity
    `.execute(this.db);
  }
}

/** @returns the keys of those that were not there before */
async function write(db: Kysely<Database>, batch: readonly FeedItem[]): Promise<Set<string>> {
  const rows = new Map(
    batch.map(({ feed, item }) => [
      keyOf(feed, item.id),
      { feed, id: item.id, position: item.position ?? null, time: item.time, ingredients: item.ingredients },
    ]),
  );
  // In one order, so that two batches never wait for each other.
  const sorted = [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  const { rows: written } = await sql<{ feed: string; id: string; is_new: boolean }>`
    insert into ifttt_item (feed, id, position, time, ingredients)
    select feed, id, position, time, ingredients
    from jsonb_to_recordset(${storableJson(sorted)}::jsonb)
      as item (feed text, id text, position text, time timestamptz, ingredients jsonb)
    on conflict (feed, id) do update
      set position = excluded.position, time = excluded.time, ingredients = excluded.ingredients
      where excluded.position is not null
    returning feed, id, (xmax = 0) as is_new
  `.execute(db);
  return new Set(written.filter((row) => row.is_new).map(({ feed, id }) => keyOf(feed, id)));
}

function keyOf(feed: string, id: string): string {
  return `${feed}\n${id}`;
}
