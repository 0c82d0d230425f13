import { Looks, type Signals } from '#platform';
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
  readonly #looks: Looks;

  constructor(private readonly parts: ConnectionCareParts) {
    this.#looks = new Looks({
      look: () => this.#look(),
      failed: (error) => parts.log.info('The connections could not be looked after for now', { error }),
      everyMs,
      hears: { signals: parts.signals, topic },
    });
  }

  async start(): Promise<void> {
    const { connections, troubles, signals } = this.parts;
    connections.onWritten(() => signals.publish(topic, null));
    await troubles.lookSoon();
    await this.#looks.start();
  }

  stop(): Promise<void> {
    return this.#looks.stop();
  }

  /** Takes over what other processes wrote, and tries what is to be tried. */
  async #look(): Promise<void> {
    await this.parts.connections.refresh();
    for (const name of await this.parts.troubles.due()) await this.#try(name);
  }

  async #try(name: string): Promise<void> {
    const { connections, troubles } = this.parts;
    // It was removed while a step was refused: there is nothing left that somebody could let in.
    if (!connections.names().has(name)) return troubles.settle(name);
    try {
      await connections.test(name, AbortSignal.timeout(testWithinMs));
      this.parts.log.info('A connection works again', { connection: name });
    } catch (error) {
      this.parts.log.info('A connection still needs authorisation', { connection: name, error });
    }
  }
}
