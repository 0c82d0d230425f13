import type { Signals } from '#platform';
import type { Logger } from '#sdk';
import type { ConnectionTroubles } from './connection-troubles.js';
import type { ConnectionsService } from './connections.service.js';

export interface ConnectionCareParts {
  readonly connections: ConnectionsService;
  readonly troubles: ConnectionTroubles;
  readonly signals: Pick<Signals, 'on' | 'setInterest' | 'publish'>;
  readonly log: Logger;
}

const everyMs = 2_000;
const testWithinMs = 20_000;
const topic = 'connections';

/**
 * Keeps the connections of all processes alike: what one adds, changes or has authorised the others open anew, at once by
 * a signal, and within seconds without it. Tries those that need authorisation now and then, because what was wrong may
 * be put right on the other side.
 */
export class ConnectionCare {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isAsked = false;
  #unlisten: () => void = () => undefined;

  constructor(private readonly parts: ConnectionCareParts) {}

  async start(): Promise<void> {
    const { connections, troubles, signals } = this.parts;
    connections.onWritten(() => signals.publish(topic, null));
    this.#unlisten = signals.on(topic, () => void this.look());
    signals.setInterest(topic, true);
    await troubles.lookSoon();
    this.#timer = setInterval(() => void this.look(), everyMs);
    await this.look();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#unlisten();
    this.parts.signals.setInterest(topic, false);
    await this.#looking;
  }

  /** Takes over what other processes wrote, and tries what is to be tried. */
  look(): Promise<void> {
    this.#isAsked = true;
    this.#looking ??= this.#lookWhileAsked().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false;
      try {
        await this.parts.connections.refresh();
        for (const name of await this.parts.troubles.due()) await this.#try(name);
      } catch (error) {
        this.parts.log.info('The connections could not be looked after for now', { error });
      }
    }
  }

  async #try(name: string): Promise<void> {
    try {
      await this.parts.connections.test(name, AbortSignal.timeout(testWithinMs));
      this.parts.log.info('A connection works again', { connection: name });
    } catch (error) {
      this.parts.log.info('A connection still needs authorisation', { connection: name, error });
    }
  }
}
