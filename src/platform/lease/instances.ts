import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { sql } from 'kysely';
import type { Logger } from '#sdk';
import type { Role } from '../config/config.schema.js';
import type { Store } from '../store/store.js';

/** A process of the hub, as the others see it: a row with a heartbeat, and a lock that ends with its connection. */
export interface Instance {
  readonly id: string;
  /** Called once when the others have taken this process for dead and its row is gone: it must not act any more. */
  onLost(callback: () => void): void;
  leave(): Promise<void>;
}

export interface JoinOptions {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly log: Logger;
  readonly heartbeatMs?: number;
}

/** Marks advisory locks as those of instances. */
const lockSpace = 1_346_523_209;

/** Joins the processes of the hub. A lost connection is made anew, and the instance stays the same. */
export async function joinInstances(store: Store, options: JoinOptions): Promise<Instance> {
  const row = await store.db
    .insertInto('instance')
    .values({ name: options.name, roles: [...options.roles] })
    .returning('id')
    .executeTakeFirstOrThrow();
  const membership = new Membership(store, row.id, options);
  await membership.join();
  return membership;
}

/**
 * Instances that ended without a word: their lock is free, or they have been silent for long (frozen, or cut off).
 * After a restart of the database everybody gets the time to come back.
 */
export async function findDeadInstances(
  store: Store,
  { graceMs = 3000, silenceMs = 15_000 }: { readonly graceMs?: number; readonly silenceMs?: number } = {},
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with silent as materialized (
      select id, extract(epoch from now() - greatest(heartbeat_at, pg_postmaster_start_time())) * 1000 as ms
      from instance
    )
    select id from silent
    where ms > ${silenceMs} or (ms > ${graceMs} and pg_try_advisory_xact_lock(${lockSpace}, id::int))
  `.execute(store.db);
  return rows.map((row) => row.id);
}

/** Removes a dead instance: what it held is free, and should it wake up, it learns that it is lost. */
export async function buryInstance(store: Store, id: string): Promise<void> {
  await store.db.deleteFrom('instance').where('id', '=', id).execute();
}

class Membership implements Instance {
  readonly #callbacks: (() => void)[] = [];
  #client: pg.Client | undefined;
  #hasLock = false;
  #isOver = false;
  #isConnected = true;
  /** Ends the pause between two heartbeats. */
  #alarm = new AbortController();
  #beating: Promise<void> | undefined;

  constructor(
    private readonly store: Store,
    readonly id: string,
    private readonly options: JoinOptions,
  ) {}

  /** Gives signs of life from now on, one at a time: two at once would make two connections, and the lock be with the forgotten one. */
  async join(): Promise<void> {
    await this.#beat();
    this.#beating = this.#keepBeating(this.options.heartbeatMs ?? 2000);
  }

  onLost(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  async leave(): Promise<void> {
    this.#isOver = true;
    this.#alarm.abort();
    await this.#beating;
    await this.#disconnect();
    await buryInstance(this.store, this.id);
  }

  /** One sign of life over the connection that holds the lock; both are made anew when they are gone. */
  async #beat(): Promise<void> {
    const client = (this.#client ??= await this.#connect());
    if (!this.#hasLock) {
      const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2::int) as got', [
        lockSpace,
        this.id,
      ]);
      this.#hasLock = rows[0]?.got === true;
    }
    const { rowCount } = await client.query('update instance set heartbeat_at = now() where id = $1', [this.id]);
    if (rowCount === 0) this.#lose();
  }

  async #keepBeating(heartbeatMs: number): Promise<void> {
    while (!this.#isOver) {
      // Without a connection the lock is free, and others wait only a few seconds before they act on that.
      await this.#nap(this.#hasLock ? heartbeatMs : Math.min(heartbeatMs, 250));
      if (this.#isOver) return;
      await this.#beat().then(
        () => this.#noteConnection(true),
        async (error: unknown) => {
          this.#noteConnection(false, error);
          await this.#disconnect();
        },
      );
    }
  }

  async #nap(ms: number): Promise<void> {
    this.#alarm = new AbortController();
    await delay(ms, undefined, { signal: this.#alarm.signal, ref: false }).catch(() => undefined);
  }

  #noteConnection(isConnected: boolean, error?: unknown): void {
    if (isConnected === this.#isConnected) return;
    this.#isConnected = isConnected;
    if (isConnected) this.options.log.info('The instance is connected again', { instance: this.id });
    else this.options.log.warn('The instance has lost its connection to the database', { instance: this.id, error });
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      ...this.store.connection,
      application_name: 'patchbay-instance',
      query_timeout: 5000,
      // So that the server, too, notices soon when this machine is gone, and frees the lock.
      options: '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3',
    });
    client.on('error', () => undefined);
    client.once('end', () => {
      if (this.#client !== client) return;
      this.#forget();
      this.#alarm.abort();
    });
    await client.connect();
    return client;
  }

  #forget(): void {
    this.#client = undefined;
    this.#hasLock = false;
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#forget();
    await client?.end().catch(() => undefined);
  }

  #lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.options.log.error('Other processes have taken this one for dead', { instance: this.id });
    for (const callback of this.#callbacks) callback();
  }
}
