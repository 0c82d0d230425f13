import { z, type PatchbayError } from '#sdk';
import { safeTimeOf, type StreamPlace } from './stream-place.js';

/** Every kind of event carries its place; where it tells its time differs. */
const envelopeSchema = z.looseObject({
  event: z.looseObject({ replayId: z.number().int(), createdDate: z.string().optional() }),
  payload: z
    .looseObject({
      CreatedDate: z.string().optional(),
      ChangeEventHeader: z.looseObject({ commitTimestamp: z.number().optional() }).optional(),
    })
    .optional(),
});

export interface StreamEvent {
  readonly replayId: number;
  /** When it was committed or published, by the clock of the org. */
  readonly at: number | undefined;
  /** As it came. */
  readonly data: unknown;
}

/** Events were missed: the place was no longer kept, or the org delivered no more. */
export interface Gap {
  readonly reason: string;
  /** What was committed before was heard. */
  readonly since: number;
  /** What is older is not wanted. */
  readonly from: number | undefined;
}

export interface HeardEvents {
  readonly events: readonly StreamEvent[];
  /** Where the listener is after them. */
  readonly place: StreamPlace;
  /** Told before everything that is heard after it; only to those who reconcile. */
  readonly gap?: Gap;
}

export type OnExpired = 'reconcile' | 'earliest' | 'new' | 'fail';

export interface ListenRequest {
  /** Such as `/topic/WonOpportunities` or `/data/ChangeEvents`. */
  readonly channel: string;
  readonly after: StreamPlace | undefined;
  /** Where to begin without a place. */
  readonly start: 'new' | 'earliest';
  /** What to do when the place is no longer kept; `reconcile`: say so, and hear what is new. */
  readonly onExpired: OnExpired;
  readonly signal: AbortSignal;
}

const batchSize = 200;
/** How often a place is told although nothing was heard. */
const tellSafeEveryMs = 300_000;

/** One who listens to a channel: what it waits for, where it is, and what it has not taken yet. */
export class ChannelListener {
  readonly request: ListenRequest;
  /** After the last event that waits here or was taken. Undefined: it has no place yet and begins as `begin` says. */
  place: StreamPlace | undefined;
  begin: 'new' | 'earliest';
  readonly #onTaken: () => void;
  #waiting: StreamEvent[] = [];
  /** A place that nobody has been told yet. */
  #isMoved = false;
  #toldSafe: number;
  #from: number | undefined;
  #gap: Gap | undefined;
  #failure: PatchbayError | undefined;
  #wake: () => void = () => undefined;

  constructor(request: ListenRequest, onTaken: () => void) {
    this.request = request;
    this.place = request.after;
    this.begin = request.start;
    this.#toldSafe = this.place === undefined ? 0 : safeTimeOf(this.place);
    this.#from = this.place?.from;
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
    if (this.request.after === undefined) this.#from ??= since;
    this.place = { orgId, since, from: this.#from };
    this.#isMoved = true;
    this.#toldSafe = since;
    this.#wake();
  }

  /** Gives its place up. One who reconciles is told of the gap once it listens again; what it has not taken is in it. */
  lose(reason: string, begin: 'new' | 'earliest'): void {
    const { place } = this;
    this.place = undefined;
    this.begin = begin;
    if (this.request.onExpired !== 'reconcile' || place === undefined) return;
    const since = this.#waiting[0]?.at ?? safeTimeOf(place);
    this.#waiting = [];
    // The first of several gaps in a row began earliest.
    this.#gap ??= { reason, since, from: this.#from };
    this.#onTaken();
  }

  /** Nothing is on its way that was committed before this time of the org. */
  isSafeAt(time: number): void {
    if (this.place === undefined || this.#waiting.length > 0) return;
    if (time <= safeTimeOf(this.place)) return;
    this.place = 'since' in this.place ? this.place : { ...this.place, safe: time };
    if (!('replayId' in this.place) || time - this.#toldSafe < tellSafeEveryMs) return;
    this.#toldSafe = time;
    this.#isMoved = true;
    this.#wake();
  }

  /** Takes an event of the channel, unless it was taken before. Whether it could be read. */
  accept(orgId: string, data: unknown): boolean {
    const event = readEvent(data);
    if (event === undefined) return false;
    const { place } = this;
    const isOld =
      place !== undefined &&
      ('replayId' in place ? event.replayId <= place.replayId : (event.at ?? Infinity) < place.since);
    if (isOld) return true;
    const safe = Math.max(event.at ?? 0, place === undefined ? 0 : safeTimeOf(place));
    this.place = { orgId, replayId: event.replayId, safe, from: this.#from };
    this.#waiting.push(event);
    this.#wake();
    return true;
  }

  fail(error: PatchbayError): void {
    this.#failure = error;
    this.#wake();
  }

  /** The next events and where they lead; undefined once the signal is aborted. Events come before a failure. */
  async take(): Promise<HeardEvents | undefined> {
    while (!this.request.signal.aborted) {
      const taken = this.#takeWaiting();
      if (taken !== undefined) return taken;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return undefined;
  }

  #takeWaiting(): HeardEvents | undefined {
    const { place } = this;
    if (place === undefined) return undefined;
    const gap = this.#gap;
    if (gap !== undefined) {
      this.#gap = undefined;
      // Events after the gap may wait already; they follow, and begin where this place is.
      return { events: [], place: { orgId: place.orgId, since: this.#toldSafe, from: this.#from }, gap };
    }
    const events = this.#waiting.splice(0, batchSize);
    const last = events.at(-1);
    if (last !== undefined) {
      this.#isMoved = false;
      this.#onTaken();
      // An event stands for what was committed before it, but for long transactions; a reconcile looks back further.
      const safe = last.at ?? this.#toldSafe;
      this.#toldSafe = Math.max(this.#toldSafe, safe);
      return { events, place: { orgId: place.orgId, replayId: last.replayId, safe, from: this.#from } };
    }
    if (!this.#isMoved) return undefined;
    this.#isMoved = false;
    return { events, place };
  }
}

function readEvent(data: unknown): StreamEvent | undefined {
  const { success, data: envelope } = envelopeSchema.safeParse(data);
  if (!success) return undefined;
  const { event, payload } = envelope;
  const text = event.createdDate ?? payload?.CreatedDate;
  const at = payload?.ChangeEventHeader?.commitTimestamp ?? (text === undefined ? NaN : Date.parse(text));
  return { replayId: event.replayId, at: Number.isNaN(at) ? undefined : at, data };
}
