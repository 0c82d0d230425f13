import { PatchbayError } from '#sdk';
import type { PlacedEvent, Portion, StreamRetraction } from './stream-source.js';

/** What goes out together, and what is true once it has. */
export interface Gathering {
  readonly events: PlacedEvent[];
  /** Heard again after a reorganisation: not delivered anew, but noted at their new place. */
  readonly again: PlacedEvent[];
  /** After these everything up to here is done; undefined: no portion ended. */
  cursor: string | undefined;
  /** Position of the last event beyond `cursor`; null: there is none. Undefined: as before. */
  delivered: string | null | undefined;
  tracedFrom: string;
  /** Comes after these. */
  retraction: StreamRetraction | undefined;
}

export type Judgement = 'new' | 'again' | 'done';

interface HeldPortion {
  readonly portion: Portion;
  readonly size: number;
  /** Position from which on it belongs to blocks that were abandoned. */
  cutFrom: string | undefined;
}

/**
 * Between a source and a pump: holds a bounded number of events, keeps the source waiting when it is full, and gathers
 * batches. What a reorganisation takes back before it went out is left out.
 */
export class StreamBuffer {
  readonly #items: (HeldPortion | { readonly retraction: StreamRetraction })[] = [];
  readonly #judge: (event: PlacedEvent) => Judgement;
  readonly #limit: number;
  #held = 0;
  #staged: Gathering | undefined;
  #isEnded = false;
  #failure: unknown;
  #wakeReader: () => void = () => undefined;
  #wakeGatherer: () => void = () => undefined;

  constructor({ limit, judge }: { readonly limit: number; readonly judge: (event: PlacedEvent) => Judgement }) {
    this.#limit = limit;
    this.#judge = judge;
  }

  /** Resolves when there is room for more. */
  async add(portion: Portion): Promise<void> {
    this.#items.push({ portion, size: portion.left, cutFrom: undefined });
    this.#held += portion.left;
    this.#wakeGatherer();
    while (this.#held > this.#limit && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  retract(retraction: StreamRetraction): void {
    for (const item of this.#items) {
      if ('portion' in item && (item.cutFrom === undefined || item.cutFrom > retraction.from))
        item.cutFrom = retraction.from;
    }
    for (const list of [this.#staged?.events ?? [], this.#staged?.again ?? []]) {
      const kept = list.filter((event) => event.position < retraction.from);
      list.splice(0, list.length, ...kept);
    }
    this.#items.push({ retraction });
    this.#wakeGatherer();
  }

  /** Nothing more comes; whoever waits is let go. */
  end(failure?: unknown): void {
    this.#failure ??= failure;
    this.#isEnded = true;
    this.#wakeReader();
    this.#wakeGatherer();
  }

  /**
   * Up to `size` events, or what has come within `timeoutMs` of the first; earlier when nothing but a change of place is to be
   * noted. Undefined once the buffer was ended. Until it is taken, what a reorganisation takes back vanishes from it.
   *
   * @throws what the source failed with
   */
  async gather(size: number, timeoutMs: number): Promise<Gathering | undefined> {
    const gathering: Gathering = {
      events: [],
      again: [],
      cursor: undefined,
      delivered: undefined,
      tracedFrom: '',
      retraction: undefined,
    };
    this.#staged = gathering;
    let deadline: number | undefined;
    for (;;) {
      if (this.#isEnded) {
        if (this.#failure !== undefined) throw PatchbayError.from(this.#failure);
        return undefined;
      }
      this.#draw(gathering, size);
      const { events, again, cursor, retraction } = gathering;
      if (events.length >= size || retraction) return gathering;
      if (events.length === 0 && (cursor !== undefined || again.length > 0)) return gathering;
      if (events.length > 0) deadline ??= performance.now() + timeoutMs;
      if (deadline !== undefined && performance.now() >= deadline) return gathering;
      await this.#more(deadline);
    }
  }

  /** The last gathering goes out now; what it holds stays. */
  take(): void {
    this.#staged = undefined;
  }

  /** Event time of the oldest that waits here. */
  get oldest(): string | undefined {
    return this.#staged?.events[0]?.event.time;
  }

  #draw(gathering: Gathering, size: number): void {
    for (let item = this.#items[0]; item !== undefined; item = this.#items[0]) {
      if ('retraction' in item) {
        gathering.retraction = item.retraction;
        this.#items.shift();
        return;
      }
      const { portion } = item;
      if (portion.tracedFrom > gathering.tracedFrom) gathering.tracedFrom = portion.tracedFrom;
      this.#drawFrom(item, gathering, size);
      if (portion.left > 0) return;
      this.#items.shift();
      this.#held -= item.size;
      if (portion.isSafe) {
        gathering.cursor = portion.cursor;
        gathering.delivered = null;
      }
      this.#wakeReader();
    }
  }

  #drawFrom({ portion, cutFrom }: HeldPortion, gathering: Gathering, size: number): void {
    const { events, again } = gathering;
    while (events.length < size) {
      const event = portion.next();
      if (event === undefined) return;
      if (cutFrom !== undefined && event.position >= cutFrom) continue;
      const judgement = this.#judge(event);
      if (judgement === 'new') {
        events.push(event);
        gathering.delivered = event.position;
      } else if (judgement === 'again') again.push(event);
    }
  }

  async #more(deadline: number | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = deadline === undefined ? undefined : setTimeout(resolve, Math.max(1, deadline - performance.now()));
      this.#wakeGatherer = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
