import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import { PatchbayError } from '#sdk';
import type { FieldValues } from './offer.js';

/** Applets of one user with the same trigger and the same field values. */
export interface Identity {
  readonly identity: string;
  readonly slug: string;
  /** Whose history it reads. */
  readonly feed: string;
  readonly fields: FieldValues;
}

/** A watch that goes on. */
export interface Move {
  /** Where it left off. */
  readonly from: string | undefined;
  readonly to: string;
  /** IFTTT is to be told. */
  readonly isNews: boolean;
}

/** Identities that IFTTT is being told of, and since when. */
export type Telling = ReadonlyMap<string, string>;

/** Feeds that belong to one identity, because the hub watches for it alone. */
export function feedOfIdentity(identity: string): string {
  return `identity:${identity}`;
}

/** Feeds of what flows publish. */
export function feedOfSlug(slug: string): string {
  return `published:${slug}`;
}

/** Longer than any pause between the polls of an Applet that is on. */
const unpolledDays = 14;

/** Who polls what, and whom IFTTT is yet to be told about. */
export class IdentitiesStore {
  constructor(private readonly db: Kysely<Database>) {}

  /** The first sight of an identity is its beginning. */
  async see({ identity, slug, feed, fields }: Identity): Promise<void> {
    await sql`
      insert into ifttt_identity (identity, slug, feed, fields)
      values (${identity}, ${slug}, ${feed}, ${JSON.stringify(fields)}::jsonb)
      on conflict (identity) do update set polled_at = now()
      where ifttt_identity.polled_at < now() - interval '1 minute'
    `.execute(this.db);
  }

  /** With the history that nobody else reads, both or neither. */
  async remove(identity: string): Promise<void> {
    await this.db.transaction().execute(async (trx) => {
      await trx.deleteFrom('ifttt_identity').where('identity', '=', identity).execute();
      await trx.deleteFrom('ifttt_item').where('feed', '=', feedOfIdentity(identity)).execute();
    });
  }

  /** Those that the hub watches for. */
  async watched(slugs: readonly string[]): Promise<readonly Identity[]> {
    return this.db
      .selectFrom('ifttt_identity')
      .select(['identity', 'slug', 'feed', 'fields'])
      .where('slug', 'in', slugs)
      .execute();
  }

  /** Where the watch for an identity left off; undefined: it has not begun. */
  async placeOf(identity: string): Promise<string | undefined> {
    const row = await this.db
      .selectFrom('ifttt_identity')
      .select('cursor')
      .where('identity', '=', identity)
      .executeTakeFirst();
    return row?.cursor ?? undefined;
  }

  /**
   * Moves the place, together with what was found on the way, if anything was: both or neither.
   *
   * @throws lease.lost when the place is not where the watch left it: another process watches, or nobody is to
   */
  async move(identity: string, move: Move, keep?: (db: Kysely<Database>) => Promise<void>): Promise<void> {
    // Most moves are over blocks with nothing in them, every second of every watch.
    if (keep === undefined) return this.#move(this.db, identity, move);
    await this.db.transaction().execute(async (trx) => {
      await this.#move(trx, identity, move);
      await keep(trx);
    });
  }

  async #move(db: Kysely<Database>, identity: string, { from, to, isNews }: Move): Promise<void> {
    const { numUpdatedRows } = await db
      .updateTable('ifttt_identity')
      .set({ cursor: to, error: null, ...(isNews && { is_dirty: true }) })
      .where('identity', '=', identity)
      .where((where) => where.or([where('cursor', 'is', null), where('cursor', '=', from ?? null)]))
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) {
      throw new PatchbayError('lease.lost', { detail: `The watch for ${identity} is another's, or over.` });
    }
  }

  async fail(identity: string, error: { readonly code: string; readonly message: string }): Promise<void> {
    await this.db
      .updateTable('ifttt_identity')
      .set({ error: JSON.stringify(error) })
      .where('identity', '=', identity)
      .execute();
  }

  /** Those that IFTTT is to be told of, first those that wait the longest; they stay until {@link told} is called. */
  async untold(limit: number): Promise<Telling> {
    const { rows } = await sql<{ identity: string; at: string }>`
      with due as (
        select identity from ifttt_identity where is_dirty or is_being_told
        order by told_at nulls first, identity limit ${limit}),
      mine as (
        select identity from ifttt_identity where identity in (select identity from due)
        order by identity for no key update)
      update ifttt_identity set is_dirty = false, is_being_told = true, told_at = clock_timestamp()
      from mine where ifttt_identity.identity = mine.identity
      returning ifttt_identity.identity, told_at::text as at
    `.execute(this.db);
    return new Map(rows.map(({ identity, at }) => [identity, at]));
  }

  /** Those that somebody else has begun to tell of since stay. */
  async told(telling: Telling): Promise<void> {
    await sql`
      with told as (
        select identity from ifttt_identity
        join unnest(${[...telling.keys()]}::text[], ${[...telling.values()]}::timestamptz[]) as telling (identity, at)
          using (identity)
        where told_at = telling.at
        order by identity for no key update of ifttt_identity)
      update ifttt_identity set is_being_told = false from told where ifttt_identity.identity = told.identity
    `.execute(this.db);
  }

  /** Forgets whoever IFTTT has stopped asking for without saying so, with what was kept for them. */
  async trim(): Promise<void> {
    await sql`
      with gone as (
        delete from ifttt_identity where polled_at < now() - ${unpolledDays} * interval '1 day' returning feed)
      delete from ifttt_item where feed in (select feed from gone where feed like 'identity:%')
    `.execute(this.db);
  }

  async counts(): Promise<{ identities: number; watched: number; untold: number; failing: number }> {
    const { rows } = await sql<{ identities: string; watched: string; untold: string; failing: string }>`
      select count(*) as identities, count(cursor) as watched, count(*) filter (where is_dirty or is_being_told) as untold,
        count(*) filter (where error is not null) as failing
      from ifttt_identity
    `.execute(this.db);
    const [row] = rows;
    return {
      identities: Number(row?.identities ?? 0),
      watched: Number(row?.watched ?? 0),
      untold: Number(row?.untold ?? 0),
      failing: Number(row?.failing ?? 0),
    };
  }
}
