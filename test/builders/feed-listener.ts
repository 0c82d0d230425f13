import type { Heard } from '#sdk';
import { feedUpdated } from '../../connectors/oracle/feed-updated.trigger.js';
import { silentLog } from './action-call.js';
import { eventually } from './eventually.js';
import type { FeedStage } from './feed-stage.js';

type FeedEvent = Heard<{ raw: string; phase: number; aggregator: string; roundId: string; answer: string }>;

/** Hears of feeds as the hub does: keeps what is emitted and the place, and begins again where it left off. */
export class FeedListener {
  readonly heard: FeedEvent[] = [];
  retracted = 0;
  #cursor: string | undefined;
  readonly #open = new Set<() => Promise<void>>();

  constructor(private readonly stage: FeedStage) {}

  get raws(): string[] {
    return this.heard.map(({ event }) => event.raw);
  }

  /** Resolves once what happens from now on is heard. @returns what ends it */
  async begin(contract: string, more: object = {}): Promise<() => Promise<void>> {
    const stop = new AbortController();
    let hasBegun = false;
    const listen = (): Promise<void> =>
      feedUpdated.listen!({
        input: feedUpdated.input.parse({ contract, ...more }),
        client: undefined,
        cursor: this.#cursor,
        signal: stop.signal,
        log: silentLog,
        use: this.stage.use,
        emit: (events, options) => {
          hasBegun = true;
          this.#cursor = options?.cursor;
          for (const one of [events].flat()) this.heard.push({ ...one, event: feedUpdated.event.parse(one.event) });
          return Promise.resolve();
        },
        retract: () => Promise.resolve(void (this.retracted += 1)),
        recall: () => Promise.resolve(new Map(this.heard.map((one) => [one.subject ?? '', one as never]))),
        report: () => Promise.resolve(),
      });
    const keep = async (): Promise<void> => {
      while (!stop.signal.aborted) await listen();
    };
    const ended = keep();
    const end = async (): Promise<void> => {
      stop.abort();
      await ended;
    };
    this.#open.add(end);
    await eventually(async () => {
      await this.stage.chain.mine();
      return hasBegun;
    });
    return end;
  }

  async close(): Promise<void> {
    for (const end of this.#open) await end();
  }
}
