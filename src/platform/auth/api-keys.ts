import { hash as digest, randomBytes, randomUUID } from 'node:crypto';

import { sql, type Kysely } from 'kysely';

import { PatchbayError, type Secret } from '#sdk';

import type { Database } from '../store/schema.js';
import { isScopeText } from './scopes.js';
import type { SendLimits } from './send-limits.js';

/** Who a request or a socket acts for. */
export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** What it may send to chains; absent: as its scopes say. */
  readonly limits?: SendLimits;
}

export interface ApiKeyInfo extends Caller {
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly limits?: SendLimits;
  readonly expiresAt?: Date;
}

interface Found {
  readonly caller: Caller;
  readonly expiresAt: Date | null;
}

interface Remembered {
  readonly caller: Caller;
  readonly until: number;
}

const prefix = 'pbk_';
const longestKey = 512;
/** How long a key that was revoked by another process may still work. */
const rememberMs = 10_000;
const mostRemembered = 1000;
const configuredAdmin = 'admin (configured)';

/** The keys of the API. Only their hashes are kept; a key is shown once, when it is made. */
export class ApiKeys {
  readonly #remembered = new Map<string, Remembered>();
  readonly #asking = new Map<string, Promise<Caller | undefined>>();

  constructor(
    private readonly db: Kysely<Database>,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws request.invalid – a scope is not known */
  async create(wanted: NewApiKey): Promise<{ readonly key: string; readonly info: ApiKeyInfo }> {
    return this.#insert(this.db, wanted);
  }

  /** Those that are neither revoked nor expired, newest first. */
  async list(): Promise<ApiKeyInfo[]> {
    const rows = await this.db
      .selectFrom('api_key')
      .selectAll()
      .where(isUsable)
      .orderBy('created_at', 'desc')
      .execute();
    return rows.map(toInfo);
  }

  /** @throws request.notFound */
  async revoke(id: string): Promise<ApiKeyInfo> {
    const row = await this.db
      .updateTable('api_key')
      .set({ revoked_at: sql<Date>`now()` })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (!row) throw new PatchbayError('request.notFound', { detail: `There is no key with the id ${id}` });
    this.#remembered.clear();
    // What was asked before may be answered as if nothing had happened.
    this.#asking.clear();
    return toInfo(row);
  }

  /** Who the key belongs to; nothing for a key that is unknown, expired or revoked. */
  async authenticate(key: string): Promise<Caller | undefined> {
    if (key.length > longestKey) return undefined;
    const hash = hashOf(key);
    const known = this.#recall(hash);
    if (known) return known;
    // A busy key is forgotten while many requests carry it; one of them asks for all.
    return this.#asking.get(hash) ?? this.#ask(hash);
  }

  /** Whether the key worked within the last seconds; asks no database. */
  recall(key: string): Caller | undefined {
    return key.length > longestKey ? undefined : this.#recall(hashOf(key));
  }

  /**
   * Makes sure that somebody can get in: the configured key has every right, and replaces the one configured before; without
   * one, a key is made when none with every right is left. Its text is given back this once.
   */
  async ensureAdminKey(configured?: Secret): Promise<{ readonly key?: string }> {
    return this.db.transaction().execute(async (trx) => {
      // Several processes may start at once; one of them makes the key.
      await sql`select pg_advisory_xact_lock(hashtext('patchbay.admin-key'))`.execute(trx);
      if (configured) {
        await this.#keepConfigured(trx, hashOf(configured.reveal()));
        return {};
      }
      const existing = await trx
        .selectFrom('api_key')
        .select('id')
        .where(isUsable)
        .where(sql<boolean>`'admin' = any(scopes)`)
        .executeTakeFirst();
      if (existing) return {};
      const { key } = await this.#insert(trx, { name: 'admin', scopes: ['admin'] });
      return { key };
    });
  }

  async #keepConfigured(trx: Kysely<Database>, hash: string): Promise<void> {
    const bytes = Buffer.from(hash, 'hex');
    await trx.deleteFrom('api_key').where('name', '=', configuredAdmin).where('hash', '!=', bytes).execute();
    await trx
      .insertInto('api_key')
      .values({ id: randomUUID(), name: configuredAdmin, hash: bytes, scopes: ['admin'] })
      .onConflict((conflict) =>
        conflict.column('hash').doUpdateSet({ scopes: ['admin'], revoked_at: null, expires_at: null }),
      )
      .execute();
  }

  async #insert(db: Kysely<Database>, { name, scopes, limits, expiresAt }: NewApiKey) {
    const unknown = scopes.filter((scope) => !isScopeText(scope));
    if (unknown.length > 0)
      throw new PatchbayError('request.invalid', { detail: `Unknown scopes: ${unknown.join(', ')}` });
    const key = prefix + randomBytes(32).toString('base64url');
    const row = await db
      .insertInto('api_key')
      .values({
        id: randomUUID(),
        name,
        hash: Buffer.from(hashOf(key), 'hex'),
        scopes: [...scopes],
        limits: limits === undefined ? null : JSON.stringify(limits),
        expires_at: expiresAt ?? null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { key, info: toInfo(row) };
  }

  #recall(hash: string): Caller | undefined {
    const known = this.#remembered.get(hash);
    return known && known.until > this.now() ? known.caller : undefined;
  }

  #ask(hash: string): Promise<Caller | undefined> {
    const asked: Promise<Caller | undefined> = this.#lookUp(hash)
      .then((found) => {
        if (found !== undefined && this.#asking.get(hash) === asked) this.#remember(hash, found);
        return found?.caller;
      })
      .finally(() => {
        if (this.#asking.get(hash) === asked) this.#asking.delete(hash);
      });
    this.#asking.set(hash, asked);
    return asked;
  }

  #remember(hash: string, { caller, expiresAt }: Found): void {
    if (this.#remembered.size >= mostRemembered) this.#remembered.clear();
    const until = Math.min(this.now() + rememberMs, expiresAt?.getTime() ?? Infinity);
    this.#remembered.set(hash, { caller, until });
  }

  async #lookUp(hash: string): Promise<Found | undefined> {
    const row = await this.db
      .updateTable('api_key')
      .set({ last_used_at: sql<Date>`now()` })
      .where('hash', '=', Buffer.from(hash, 'hex'))
      .where(isUsable)
      .returning(['id', 'name', 'scopes', 'limits', 'expires_at'])
      .executeTakeFirst();
    if (!row) return undefined;
    const { id, name, scopes, expires_at: expiresAt } = row;
    return { caller: { id, name, scopes, ...limitsOf(row) }, expiresAt };
  }
}

const isUsable = () => sql<boolean>`revoked_at is null and (expires_at is null or expires_at > now())`;

function hashOf(key: string): string {
  return digest('sha256', key, 'hex');
}

function toInfo(row: {
  id: string;
  name: string;
  scopes: string[];
  limits: unknown;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
}): ApiKeyInfo {
  const { id, name, scopes } = row;
  return {
    id,
    name,
    scopes,
    ...limitsOf(row),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  };
}

function limitsOf({ limits }: { readonly limits: unknown }): { limits?: SendLimits } {
  // Written by `create`, which takes nothing else.
  return limits === null ? {} : { limits: limits as SendLimits };
}
