import { PatchbayError, type Logger } from '#sdk';
import type { NetworksService } from './networks.service.js';

const againMs = 10_000;

/** Lets this process send what any process accepts, on every network; one that cannot be opened is tried again. */
export class SendingService {
  readonly #started = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly networks: NetworksService,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.#startAll(), againMs).unref();
    void this.#startAll();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #startAll(): Promise<void> {
    for (const { name } of this.networks.list()) {
      if (this.#started.has(name)) continue;
      this.#started.add(name);
      try {
        (await this.networks.get(name)).startSending();
      } catch (error) {
        this.#started.delete(name);
        this.log.info('Nothing can be sent on a network for now', {
          network: name,
          reason: PatchbayError.from(error).message,
        });
      }
    }
  }
}
