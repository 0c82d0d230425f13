import type { AnyConnection, Logger } from '#sdk';
import { ClientsInUse } from './clients-in-use.js';

interface Opening {
  readonly opening: Promise<unknown>;
  /** Of the connector that opened it: the name may have passed to another one since. */
  readonly close: AnyConnection['close'];
  /** Once it is open. */
  client?: unknown;
}

/** The client of each connection by its name: opened at most once, until it is forgotten. */
export class OpenClients {
  readonly #openings = new Map<string, Opening>();
  readonly #turns = new Map<string, number>();
  readonly #inUse: ClientsInUse;

  constructor(log: Logger) {
    this.#inUse = new ClientsInUse(log);
  }

  /** A failed attempt is forgotten, so that the next one tries again. */
  open(name: string, { open, close }: { open: () => Promise<unknown>; close: Opening['close'] }): Promise<unknown> {
    const present = this.#openings.get(name);
    if (present !== undefined) return present.opening;
    const opened: Opening = { opening: open(), close };
    this.#openings.set(name, opened);
    opened.opening.then(
      (client) => (opened.client = client),
      // One that took so long that the connection was opened anew meanwhile says nothing of the new one.
      () => this.#openings.get(name) === opened && this.#openings.delete(name),
    );
    return opened.opening;
  }

  /** It is open, or being opened. */
  isOpen(name: string): boolean {
    return this.#openings.has(name);
  }

  /** Undefined until it is open. */
  of(name: string): unknown {
    return this.#openings.get(name)?.client;
  }

  /** Another one as soon as the client is forgotten, whether it was open or could not be opened. */
  turn(name: string): number {
    return this.#turns.get(name) ?? 0;
  }

  /** The client is not closed before `work` ends. */
  during<T>(client: unknown, work: () => Promise<T>): Promise<T> {
    return this.#inUse.during(client, work);
  }

  /** Whoever asks next opens it anew. Nobody waits for the old one: it is closed when it is open and nobody works with it. */
  forget(name: string): void {
    this.#turns.set(name, this.turn(name) + 1);
    const { opening, close } = this.#openings.get(name) ?? {};
    this.#openings.delete(name);
    if (close === undefined) return;
    opening?.then(
      (client) => this.#inUse.closeWhenIdle(client, close),
      () => undefined,
    );
  }

  /** Closes all of them now, whoever works with them. */
  async close(): Promise<void> {
    const openings = [...this.#openings.values()];
    this.#openings.clear();
    await Promise.all(openings.map(({ opening, close }) => opening.then(close, () => undefined)));
  }
}
