import { createHash, randomBytes } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';

export type TokenKind = 'code' | 'access' | 'refresh';

export interface StoredToken {
  /** Id of an API key, or {@link testUser}. */
  readonly userId: string;
  readonly redirectUrl: string | undefined;
  readonly expiresAt: Date | undefined;
}

/** Whose requests are only tried out: the tests of IFTTT. */
export const testUser = 'test';

/** How long the refresh token before the present one still works: the answer that carried the new one may have been lost. */
const graceHours = 24;

/** Tokens that were given to IFTTT; only their hashes are kept. */
export class TokensStore {
  constructor(private readonly db: Kysely<Database>) {}

  newToken(): string {
    return randomBytes(32).toString('base64url');
  }

  async put(token: string, kind: TokenKind, { userId, redirectUrl, expiresAt }: StoredToken): Promise<void> {
    await this.db
      .insertInto('ifttt_token')
      .values({
        hash: hashOf(token),
        kind,
        user_id: userId,
        redirect_url: redirectUrl ?? null,
        expires_at: expiresAt ?? null,
      })
      .execute();
  }

  /** One that has not expired. */
  async find(token: string, kinds: readonly TokenKind[]): Promise<StoredToken | undefined> {
    const row = await this.db
      .selectFrom('ifttt_token')
      .select(['user_id', 'redirect_url', 'expires_at'])
      .where('hash', '=', hashOf(token))
      .where('kind', 'in', kinds)
      .where(sql<boolean>`(expires_at is null or expires_at > now())`)
      .executeTakeFirst();
    return (
      row && {
        userId: row.user_id,
        redirectUrl: row.redirect_url ?? undefined,
        expiresAt: row.expires_at ?? undefined,
      }
    );
  }

  /** @returns false when somebody else was faster: it works once */
  async takeCode(code: string): Promise<boolean> {
    const row = await this.db
      .deleteFrom('ifttt_token')
      .where('hash', '=', hashOf(code))
      .where('kind', '=', 'code')
      .returning('kind')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** It was used, and has a successor now. */
  async retireRefreshToken(token: string): Promise<void> {
    await sql`
      update ifttt_token set expires_at = now() + ${graceHours} * interval '1 hour'
      where hash = ${hashOf(token)} and kind = 'refresh' and expires_at is null
    `.execute(this.db);
  }

  async revokeAllOf(userId: string): Promise<void> {
    await this.db.deleteFrom('ifttt_token').where('user_id', '=', userId).execute();
  }

  async trim(): Promise<void> {
    await sql`delete from ifttt_token where expires_at < now()`.execute(this.db);
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
