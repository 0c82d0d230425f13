import type { Logger } from '#sdk';

/**
 * Who works with which client. One that is replaced is closed when nobody works with it any more: a call that is cut off may
 * have been carried out already, and would be made again.
 */
export class ClientsInUse {
  readonly #users = new Map<unknown, number>();
  readonly #waiting = new Map<unknown, () => void>();

  constructor(private readonly log: Logger) {}

  async during<T>(client: unknown, work: () => Promise<T>): Promise<T> {
    this.#users.set(client, (this.#users.get(client) ?? 0) + 1);
    try {
      return await work();
    } finally {
      this.#leave(client);
    }
  }

  closeWhenIdle(client: unknown, close: (client: unknown) => Promise<void> | void): void {
    void this.#untilIdle(client)
      .then(() => close(client))
      .catch((error: unknown) => this.log.info('A connection did not close in order', { error }));
  }

  #untilIdle(client: unknown): Promise<void> {
    if (!this.#users.has(client)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(client, resolve));
  }

  #leave(client: unknown): void {
    const left = (this.#users.get(client) ?? 1) - 1;
    if (left > 0) return void this.#users.set(client, left);
    this.#users.delete(client);
    this.#waiting.get(client)?.();
    this.#waiting.delete(client);
  }
}
