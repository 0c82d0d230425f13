import { z, type PatchbayError } from '#sdk';

const changeSchema = z.object({
  event: z.object({
    createdDate: z.string().optional(),
    replayId: z.number().int(),
    type: z.enum(['created', 'updated', 'deleted', 'undeleted']),
  }),
  sobject: z.record(z.string(), z.unknown()),
});

export type TopicEvent = z.output<typeof changeSchema>;

/** A place in the stream of one org; ids of another org mean nothing. */
export interface StreamPlace {
  readonly orgId: string;
  readonly replayId: number;
}

export interface HeardChange {
  readonly place: StreamPlace;
  readonly change: TopicEvent;
}

export interface ListenRequest {
  /** Such as `/topic/WonOpportunities`. */
  readonly channel: string;
  readonly after: StreamPlace | undefined;
  /** Where to begin without a place. */
  readonly start: 'new' | 'earliest';
  /** What to do when the place is no longer kept. */
  readonly onExpired: 'earliest' | 'new' | 'fail';
  readonly signal: AbortSignal;
}

const batchSize = 200;

/** One who listens to a channel: what it waits for, where it is, and what it has not taken yet. */
export class TopicListener {
  readonly request: ListenRequest;
  /** Undefined: it has no place yet and begins as `begin` says. */
  place: StreamPlace | undefined;
  begin: 'new' | 'earliest';
  readonly #onTaken: () => void;
  #waiting: HeardChange[] = [];
  #failure: PatchbayError | undefined;
  #wake: () => void = () => undefined;

  constructor(request: ListenRequest, onTaken: () => void) {
    this.request = request;
    this.place = request.after;
    this.begin = request.start;
    this.#onTaken = onTaken;
    request.signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes an event of the channel, unless it was taken before. Whether it could be read. */
  accept(orgId: string, data: unknown): boolean {
    const { success, data: change } = changeSchema.safeParse(data);
    if (!success) return false;
    const { replayId } = change.event;
    if (this.place !== undefined && replayId <= this.place.replayId) return true;
    this.place = { orgId, replayId };
    this.#waiting.push({ place: this.place, change });
    this.#wake();
    return true;
  }

  fail(error: PatchbayError): void {
    this.#failure = error;
    this.#wake();
  }

  /** The next events, at least one; undefined once the signal is aborted. Waiting events come before a failure. */
  async take(): Promise<readonly HeardChange[] | undefined> {
    while (!this.request.signal.aborted) {
      if (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0, batchSize);
        this.#onTaken();
        return batch;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return undefined;
  }
}
