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

/**
 * A place in the stream of one org; ids of another org mean nothing. Until the first event is heard there is no id to
 * stand on, so the place is a time by the clock of the org: what happened since is new.
 */
export type StreamPlace =
  { readonly orgId: string; readonly replayId: number } | { readonly orgId: string; readonly since: number };

export interface HeardChanges {
  readonly changes: readonly TopicEvent[];
  /** Where the listener is after them. */
  readonly place: StreamPlace;
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
  /** After the last event that waits here or was taken. Undefined: it has no place yet and begins as `begin` says. */
  place: StreamPlace | undefined;
  begin: 'new' | 'earliest';
  readonly #onTaken: () => void;
  #waiting: TopicEvent[] = [];
  /** A place that nobody has been told yet. */
  #isMoved = false;
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

  /** The id of the last event it heard. */
  get replayId(): number | undefined {
    return this.place !== undefined && 'replayId' in this.place ? this.place.replayId : undefined;
  }

  /** It listens from now on; what is new later begins here, also for the listener that takes its place. */
  beginAt(orgId: string, since: number): void {
    this.place = { orgId, since };
    this.#isMoved = true;
    this.#wake();
  }

  /** Takes an event of the channel, unless it was taken before. Whether it could be read. */
  accept(orgId: string, data: unknown): boolean {
    const { success, data: change } = changeSchema.safeParse(data);
    if (!success) return false;
    const { replayId, createdDate } = change.event;
    const { place } = this;
    const isOld =
      place !== undefined &&
      ('replayId' in place ? replayId <= place.replayId : Date.parse(createdDate ?? '') < place.since);
    if (isOld) return true;
    this.place = { orgId, replayId };
    this.#waiting.push(change);
    this.#wake();
    return true;
  }

  fail(error: PatchbayError): void {
    this.#failure = error;
    this.#wake();
  }

  /** The next events and where they lead; undefined once the signal is aborted. Events come before a failure. */
  async take(): Promise<HeardChanges | undefined> {
    while (!this.request.signal.aborted) {
      const taken = this.#takeWaiting();
      if (taken !== undefined) return taken;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return undefined;
  }

  #takeWaiting(): HeardChanges | undefined {
    const { place } = this;
    if (place === undefined) return undefined;
    const changes = this.#waiting.splice(0, batchSize);
    const last = changes.at(-1);
    if (last !== undefined) {
      this.#isMoved = false;
      this.#onTaken();
      return { changes, place: { orgId: place.orgId, replayId: last.event.replayId } };
    }
    if (!this.#isMoved) return undefined;
    this.#isMoved = false;
    return { changes, place };
  }
}
