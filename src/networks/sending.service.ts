import { PatchbayError, type Logger } from '#sdk';

/** The networks, as far as sending goes. */
export interface StartableNetworks {
  list(): readonly { readonly name: string }[];
  get(name: string): Promise<{ startSending(): void }>;
}

const againMs = 10_000;

/**
 * Lets this process send what any process accepts, on every network; one that cannot be opened is tried again, and one
 * that was opened anew, with other settings, starts anew.
 */
export class SendingService {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly networks: StartableNetworks,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => this.#startAll(), againMs).unref();
    this.#startAll();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One that is slow to open holds up none of the others. */
  #startAll(): void {
    for (const { name } of this.networks.list()) void this.#start(name);
  }

  async #start(name: string): Promise<void> {
    try {
      (await this.networks.get(name)).startSending();
    } catch (error) {
      this.log.info('Nothing can be sent on a network for now', {
        network: name,
        reason: PatchbayError.from(error).message,
      });
    }
  }
}
