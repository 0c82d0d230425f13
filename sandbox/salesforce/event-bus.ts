const hourMs = 3_600_000;
const pruneEveryMs = 60_000;

export interface BusEvent {
  /** A change event is heard on the channel of its object and on the one of all objects. */
  readonly channels: readonly string[];
  readonly replayId: number;
  readonly at: number;
  readonly data: unknown;
}

export interface EventBusState {
  readonly lastReplayId: number;
  readonly events: readonly BusEvent[];
}

export interface EventBusOptions {
  readonly now: () => Date;
  /** At most this many events are kept, besides the time that their kind is kept. */
  readonly eventsKept: number;
  readonly onEvent: (event: BusEvent) => void;
}

export interface Purge {
  /** Only what was published on this channel. */
  readonly channel?: string;
  /** Which part of it, the oldest first: 0.5 is half. Default 1. */
  readonly share?: number;
}

/** Keeps events for replay: those of push topics for 24 hours, change and platform events for 72. */
export class EventBus {
  readonly #options: EventBusOptions;
  #events: BusEvent[] = [];
  #lastReplayId = 100;
  #prunedAt = 0;

  constructor(options: EventBusOptions) {
    this.#options = options;
  }

  publish(channels: readonly string[], data: (replayId: number) => unknown): BusEvent {
    // Ids grow with gaps: other tenants use the same numbers.
    this.#lastReplayId += 1 + Math.floor(Math.random() * 4);
    const replayId = this.#lastReplayId;
    const event = { channels, replayId, at: this.#options.now().getTime(), data: data(replayId) };
    this.#events.push(event);
    this.#prune();
    this.#options.onEvent(event);
    return event;
  }

  /** Kept events of a channel after an id; undefined when the id is not one of them. */
  since(channel: string, replayId: number): BusEvent[] | undefined {
    this.#prune();
    if (replayId === -1) return [];
    const events = this.kept(channel);
    if (replayId === -2) return events;
    const index = events.findIndex((event) => event.replayId === replayId);
    return index < 0 ? undefined : events.slice(index + 1);
  }

  kept(channel: string): BusEvent[] {
    return this.#events.filter(({ channels }) => channels.includes(channel));
  }

  /** Forgets what is kept, as if its time were over. @returns how many events */
  purge({ channel, share = 1 }: Purge = {}): number {
    const meant = channel === undefined ? this.#events : this.kept(channel);
    const gone = new Set(meant.slice(0, Math.ceil(meant.length * share)));
    this.#events = this.#events.filter((event) => !gone.has(event));
    return gone.size;
  }

  export(): EventBusState {
    return { lastReplayId: this.#lastReplayId, events: this.#events };
  }

  import(state: EventBusState): void {
    this.#lastReplayId = state.lastReplayId;
    this.#events = [...state.events];
  }

  #prune(): void {
    const excess = this.#events.length - this.#options.eventsKept;
    if (excess > 0) this.#events.splice(0, excess);
    const now = this.#options.now().getTime();
    // Purging may lag, and looking through all events for each one that is published would take too long.
    if (Math.abs(now - this.#prunedAt) < pruneEveryMs) return;
    this.#prunedAt = now;
    const keptMs = ([first = '']: readonly string[]) => (first.startsWith('/topic/') ? 24 : 72) * hourMs;
    this.#events = this.#events.filter(({ channels, at }) => now - at <= keptMs(channels));
  }
}
