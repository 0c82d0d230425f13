import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { HubProcess } from './hub-process.js';

/** Webhooks as a careful sender sends them: each again under the same key until the hub has accepted it. */
export class WebhookTraffic {
  accepted = 0;
  readonly #name = randomBytes(4).toString('hex');
  #next = 0;
  #isOn = true;
  readonly #ended: Promise<unknown>;

  constructor(
    private readonly hub: HubProcess,
    private readonly flow: string,
    { callers, everyMs }: { readonly callers: number; readonly everyMs: number },
  ) {
    this.#ended = Promise.all(Array.from({ length: callers }, () => this.#call(everyMs)));
  }

  /** Waits for the last ones. @returns how many were accepted */
  async stop(): Promise<number> {
    this.#isOn = false;
    await this.#ended;
    return this.accepted;
  }

  async #call(everyMs: number): Promise<void> {
    while (this.#isOn) {
      const id = `${this.#name}-${(this.#next += 1)}`;
      while (!(await this.#send(id))) await delay(50);
      this.accepted += 1;
      await delay(everyMs);
    }
  }

  async #send(id: string): Promise<boolean> {
    try {
      await this.hub.post(`/hooks/${this.flow}`, { id }, { 'idempotency-key': id });
      return true;
    } catch {
      return false;
    }
  }
}
