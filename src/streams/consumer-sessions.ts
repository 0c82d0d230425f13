import { hasScope, type ApiKeys, type Caller } from '#platform';
import { PatchbayError, type Logger } from '#sdk';
import { ConsumerSession, type ConsumerLink, type ConsumerStreams } from './consumer-session.js';

export interface ConsumerTimes {
  /** How long a client may take to show its key. */
  readonly authMs: number;
  /** How often a client must give a sign of life, and its key is looked at again. */
  readonly aliveMs: number;
}

const usualTimes: ConsumerTimes = { authMs: 10_000, aliveMs: 25_000 };

interface Open {
  readonly key: string;
  readonly session: ConsumerSession;
}

/** Everybody who receives batches over a connection of their own, whatever the transport. */
export class ConsumerSessions {
  readonly times: ConsumerTimes;
  readonly #open = new Map<ConsumerLink, Open>();
  readonly #closing = new Set<Promise<void>>();
  readonly #watch: NodeJS.Timeout;
  #isStopping = false;

  constructor(
    private readonly parts: {
      readonly streams: ConsumerStreams;
      readonly keys: ApiKeys;
      readonly log: Logger;
      readonly times?: ConsumerTimes;
    },
  ) {
    this.times = parts.times ?? usualTimes;
    this.#watch = setInterval(() => void this.#dropRevoked(), this.times.aliveMs);
    this.#watch.unref();
  }

  /** @throws auth.missing, auth.invalid, auth.forbidden, hub.stopping */
  async open(key: unknown, link: ConsumerLink): Promise<ConsumerSession> {
    await this.authorise(key);
    if (this.#isStopping) throw new PatchbayError('hub.stopping');
    const session = new ConsumerSession(link, this.parts.streams);
    this.#open.set(link, { key: String(key), session });
    return session;
  }

  /** @throws auth.missing, auth.invalid, auth.forbidden */
  async authorise(key: unknown): Promise<Caller> {
    if (typeof key !== 'string' || key === '') throw new PatchbayError('auth.missing');
    const caller = await this.parts.keys.authenticate(key);
    if (caller === undefined) throw new PatchbayError('auth.invalid');
    if (hasScope(caller.scopes, 'streams:consume')) return caller;
    throw new PatchbayError('auth.forbidden', { detail: `The key "${caller.name}" lacks streams:consume` });
  }

  /** To be called when the connection is gone; what was in flight goes out again, to whoever listens. */
  close(link: ConsumerLink): void {
    const open = this.#open.get(link);
    if (open === undefined) return;
    this.#open.delete(link);
    const closing = open.session
      .close()
      .catch((error: unknown) => this.parts.log.warn('A consumer of a stream did not end in order', { error }))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Ends every connection and hands back what they hold. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#watch);
    for (const [link, { session }] of this.#open) {
      session.end(new PatchbayError('hub.stopping'));
      this.close(link);
    }
    await Promise.all(this.#closing);
  }

  async #dropRevoked(): Promise<void> {
    for (const { key, session } of [...this.#open.values()]) {
      try {
        await this.authorise(key);
      } catch (thrown) {
        const error = PatchbayError.from(thrown);
        // While the database is away nobody is thrown out.
        if (error.code === 'auth.invalid' || error.code === 'auth.forbidden') session.end(error);
      }
    }
  }
}
