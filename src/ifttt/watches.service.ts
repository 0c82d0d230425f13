import type { Kysely } from 'kysely';
import { Looks, Watches, runWithLogContext, type Database, type Lease, type Leases, type Watch } from '#platform';
import type { Logger } from '#sdk';
import type { BuiltInTrigger } from './built-in/built-in-trigger.js';
import type { IdentitiesStore, Identity } from './identities.store.js';
import type { ItemsStore } from './items.store.js';

export interface WatchesParts {
  readonly builtIn: ReadonlyMap<string, BuiltInTrigger>;
  readonly identities: IdentitiesStore;
  readonly items: ItemsStore;
  /** Drops what nobody can need any more; it is called now and then. */
  readonly trim: () => Promise<void>;
  readonly leases: Leases;
  readonly log: Logger;
}

const checkEveryMs = 1_000;
const trimEveryMs = 60_000;

/**
 * Watches for every identity of a built-in trigger, in whichever process holds the lease: from its first poll on, until
 * IFTTT says that nobody uses it. A watch that fails is begun again where it left off, and disturbs no other.
 */
export class WatchesService {
  readonly #watches = new Watches();
  readonly #looks: Looks;
  #lease: Lease | undefined;
  #trimmedAt = 0;

  constructor(private readonly parts: WatchesParts) {
    this.#looks = new Looks({
      look: () => this.#arrange(),
      failed: (error) => parts.log.info('What IFTTT waits for cannot be watched for now', { error }),
      everyMs: checkEveryMs,
    });
  }

  start(): void {
    void this.#looks.start();
  }

  async stop(): Promise<void> {
    await this.#looks.stop();
    await this.#leave();
  }

  async #arrange(): Promise<void> {
    if (this.#lease?.signal.aborted) await this.#leave();
    this.#lease ??= await this.parts.leases.acquire('ifttt watches');
    if (this.#lease === undefined) return;
    await this.#trim();
    const wanted = await this.parts.identities.watched([...this.parts.builtIn.keys()]);
    const watches = wanted.map((one) => [one.identity, this.#watchOf(one)] as const);
    await this.#watches.align(new Map(watches), this.#lease.signal);
  }

  #watchOf(identity: Identity): Watch {
    const { identities, log } = this.parts;
    return {
      listen: (signal) => runWithLogContext({ trigger: identity.slug }, () => this.#watch(identity, signal)),
      failed: async ({ code, detail }) => {
        log.warn('A watch for IFTTT stopped and will be begun again', { slug: identity.slug, code, detail });
        await identities.fail(identity.identity, { code, message: detail });
      },
    };
  }

  async #watch({ identity, slug, feed, fields }: Identity, signal: AbortSignal): Promise<void> {
    const { builtIn, identities, items } = this.parts;
    const cursor = await identities.placeOf(identity);
    let from = cursor;
    await builtIn.get(slug)?.watch({
      fields,
      cursor,
      signal,
      deliver: async (found, to) => {
        signal.throwIfAborted();
        const isNews = found.length > 0;
        const keep = isNews ? (db: Kysely<Database>) => items.keep(db, feed, found) : undefined;
        await identities.move(identity, { from, to, isNews }, keep);
        from = to;
      },
      retract: async (position, to) => {
        signal.throwIfAborted();
        await identities.move(identity, { from, to, isNews: false }, (db) => items.retract(db, feed, position));
        from = to;
      },
    });
  }

  async #trim(): Promise<void> {
    if (Date.now() - this.#trimmedAt < trimEveryMs) return;
    this.#trimmedAt = Date.now();
    await this.parts.trim();
  }

  async #leave(): Promise<void> {
    await this.#watches.stop();
    await this.#lease?.release();
    this.#lease = undefined;
  }
}
