import pg from 'pg';
import type { Logger } from '#sdk';

interface Message {
  readonly from: string;
  readonly topic: string;
  readonly payload: unknown;
}

type Listener = (payload: unknown) => void;

const channel = 'patchbay';
const interestTopic = 'interest';
const interestEveryMs = 3_000;
const interestLastsMs = 8_000;
/** PostgreSQL refuses notifications of 8,000 bytes and more. */
const longestBytes = 7_900;

/**
 * Short messages between the processes of one hub, over PostgreSQL's NOTIFY. They may get lost: whatever must not be lost
 * is a row. A topic that nobody listens to costs nothing.
 */
export class Signals {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #heardElsewhere = new Map<string, number>();
  readonly #interests = new Set<string>();
  #client: pg.Client | undefined;
  #connecting: Promise<void> | undefined;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  readonly #beat: NodeJS.Timeout;

  constructor(
    private readonly parts: {
      readonly connection: pg.ClientConfig;
      readonly pool: pg.Pool;
      readonly name: string;
      readonly log: Logger;
    },
  ) {
    this.#beat = setInterval(() => this.#declareInterests(), interestEveryMs).unref();
  }

  async start(): Promise<void> {
    if (this.#isClosed) return;
    const client = new pg.Client({ ...this.parts.connection, keepAlive: true });
    client.on('error', () => this.#reconnect(client));
    client.on('end', () => this.#reconnect(client));
    client.on('notification', ({ payload }) => this.#receive(payload ?? ''));
    try {
      this.#connecting = this.#connect(client);
      await this.#connecting;
      await client.query(`listen ${channel}`);
    } catch (error) {
      if (this.#isClosed) return;
      this.parts.log.info('Signals of other processes cannot be heard for now', { error });
      this.#reconnect(client);
    }
  }

  /** @returns a function that stops listening */
  on(topic: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** While interest is on, other processes send this topic. */
  setInterest(topic: string, isInterested: boolean): void {
    if (isInterested) this.#interests.add(topic);
    else this.#interests.delete(topic);
    this.#declareInterests();
  }

  isHeard(topic: string): boolean {
    return this.#interests.has(topic) || this.#isHeardElsewhere(topic);
  }

  publish(topic: string, payload: unknown): void {
    if (this.#interests.has(topic)) this.#deliver(topic, payload);
    if (topic !== interestTopic && !this.#isHeardElsewhere(topic)) return;
    const message: Message = { from: this.parts.name, topic, payload };
    const text = JSON.stringify(message);
    if (Buffer.byteLength(text) > longestBytes) return;
    this.parts.pool.query('select pg_notify($1, $2)', [channel, text]).catch((error: unknown) => {
      this.parts.log.debug('A signal was not sent', { topic, error });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#beat);
    clearTimeout(this.#retry);
    // A client cannot be ended before it has connected.
    await this.#connecting?.catch(() => undefined);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(client: pg.Client): Promise<void> {
    await client.connect();
    this.#client = client;
  }

  #isHeardElsewhere(topic: string): boolean {
    return (this.#heardElsewhere.get(topic) ?? 0) > Date.now();
  }

  #declareInterests(): void {
    for (const topic of this.#interests) this.publish(interestTopic, topic);
  }

  #receive(text: string): void {
    const { from, topic, payload } = JSON.parse(text) as Message;
    if (from === this.parts.name) return;
    if (topic === interestTopic) this.#heardElsewhere.set(String(payload), Date.now() + interestLastsMs);
    else this.#deliver(topic, payload);
  }

  #deliver(topic: string, payload: unknown): void {
    for (const listener of this.#listeners.get(topic) ?? []) listener(payload);
  }

  #reconnect(client: pg.Client): void {
    client.removeAllListeners('end');
    if (this.#client === client) this.#client = undefined;
    if (this.#isClosed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.start();
    }, 500);
  }
}
