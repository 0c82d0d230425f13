import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError, type Logger } from '#sdk';
import type { CircuitBreaker } from './circuit-breaker.js';
import { DeliveredMemory } from './delivered-memory.js';
import { deliver, type Outcome } from './delivery.js';
import type { Checkpoint, Position, PositionOf, PositionsStore } from './positions.store.js';
import { StreamBuffer, type Gathering } from './stream-buffer.js';
import { batchId, eventJson, revertedOf } from './stream-format.js';
import type { StreamDefinition } from './stream.schema.js';
import type { PlacedEvent, StreamSource } from './stream-source.js';
import type { StreamBatch, StreamEvent, StreamTarget } from './stream.js';

export interface PumpParts {
  readonly stream: { readonly id: string; readonly name: string; readonly definition: StreamDefinition };
  /** Empty: the stream has one place for all. */
  readonly consumer: string;
  readonly source: StreamSource;
  readonly target: StreamTarget;
  readonly breaker: CircuitBreaker | undefined;
  readonly positions: PositionsStore;
  readonly lease: { readonly epoch: string; readonly signal: AbortSignal };
  readonly log: Logger;
  readonly count: { delivered(events: number): void; failed(): void };
}

/** Events that are held beside the batch in flight and the one after it. */
const heldEvents = 1_000;
const storeRetryMs = 250;

/**
 * Brings one stream to one consumer: one batch at a time, in order, while the next is read and put into words. The place is
 * noted after each batch, to the event; what was delivered and vanishes in a reorganisation is taken back once that is final.
 */
export class StreamPump {
  readonly #parts: PumpParts;
  readonly #of: PositionOf;
  readonly #stop = new AbortController();
  /** Ends what is under way, also in the middle of an attempt. */
  readonly #kill = new AbortController();
  readonly #killed: AbortSignal;
  readonly #stopping: AbortSignal;
  /** Known once it runs. */
  #state: Pick<Position, 'delivered' | 'batchNumber' | 'events'> = { delivered: null, batchNumber: 0, events: 0 };
  #memory: DeliveredMemory;
  /** Everything before the first was passed, everything delivered from the second on is remembered. */
  #floors = { reached: '', traced: '' };
  /** Positions between which events may be remembered because they may vanish. */
  #traces: { readonly oldest: string; readonly newest: string } | undefined;
  #inFlight: StreamBatch | undefined;
  #buffer: StreamBuffer | undefined;

  constructor(parts: PumpParts) {
    this.#parts = parts;
    this.#of = { stream: parts.stream.id, consumer: parts.consumer, epoch: parts.lease.epoch };
    this.#memory = new DeliveredMemory({ delivered: null, tracedFrom: '' }, []);
    this.#killed = AbortSignal.any([this.#kill.signal, parts.lease.signal]);
    this.#stopping = AbortSignal.any([this.#stop.signal, this.#killed]);
  }

  /**
   * Resolves when it was stopped.
   *
   * @throws stream.ended, lease.lost, and whatever the source says
   */
  async run(): Promise<void> {
    const { positions, source, stream } = this.#parts;
    const position = await positions.open(this.#of);
    const { delivered, batchNumber, events } = position;
    this.#state = { delivered, batchNumber, events };
    const cursor = position.cursor ?? (await this.#begin());
    const floor = source.floorOf(cursor);
    // Before the place where it began there is nothing to remember.
    const traced = position.tracedFrom === '' && !source.isFinal ? floor : position.tracedFrom;
    this.#floors = { reached: floor, traced };
    this.#memory = new DeliveredMemory(position, await positions.traced(this.#of, floor));
    this.#traces = { oldest: '', newest: delivered !== null && delivered > floor ? delivered : floor };
    const buffer = new StreamBuffer({
      limit: Math.max(heldEvents, stream.definition.batch.size),
      judge: (event) => this.#memory.judge(event),
    });
    this.#buffer = buffer;
    const signal = this.#stopping;
    const onAbort = (): void => buffer.end();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) buffer.end();
    const reading = source
      .read({
        cursor,
        signal,
        deliver: (portion) => buffer.add(portion),
        retract: (retraction) => {
          buffer.retract(retraction);
          return Promise.resolve();
        },
      })
      .then(
        () => buffer.end(),
        (error: unknown) => buffer.end(error),
      );
    try {
      await this.#pump(buffer);
    } finally {
      this.#stop.abort();
      buffer.end();
      await reading;
    }
  }

  /** The batch in flight is brought to an end, a waiting one is left. */
  stop(): void {
    this.#stop.abort();
  }

  /** The batch in flight is given up; it comes again. */
  kill(): void {
    this.#kill.abort();
  }

  /** When the oldest event happened that is known and not delivered, as the source says. */
  get oldest(): string | undefined {
    return this.#inFlight?.events[0]?.time ?? this.#buffer?.oldest;
  }

  async #begin(): Promise<string> {
    const { source, stream } = this.#parts;
    const cursor = await source.begin(stream.definition.from);
    // Kept at once, so that a restart before the first event does not begin later.
    await this.#save({ cursor });
    return cursor;
  }

  async #pump(buffer: StreamBuffer): Promise<void> {
    let next = this.#gather(buffer);
    for (;;) {
      const gathering = await next;
      if (!gathering) return;
      buffer.take();
      const { cursor, retraction } = gathering;
      // What comes after a reorganisation can only be judged when it is known what was taken back.
      if (!retraction) next = this.#gather(buffer);
      if (cursor !== undefined) await this.#miss(cursor);
      if (!(await this.#settle(gathering))) return;
      if (cursor !== undefined && !(await this.#withdraw(cursor))) return;
      if (!retraction) continue;
      this.#memory.remove(await this.#parts.positions.retract(this.#of, retraction));
      const { reached, traced } = this.#floors;
      if (retraction.isExact) this.#memory.reopen(retraction.from);
      else this.#memory.pass(reached < traced ? reached : traced);
      this.#floors = { reached: this.#parts.source.floorOf(retraction.cursor), traced };
      const { delivered } = this.#state;
      if (delivered !== null && delivered >= retraction.from) this.#state = { ...this.#state, delivered: null };
      next = this.#gather(buffer);
    }
  }

  #gather(buffer: StreamBuffer): Promise<Gathering | undefined> {
    const { size, timeout } = this.#parts.stream.definition.batch;
    const gathering = buffer.gather(size, timeout).then((gathered) => {
      // While the batch before is on its way.
      for (const { event } of gathered?.events ?? []) eventJson(event);
      return gathered;
    });
    // When the batch before cannot be settled nobody waits for it any more.
    gathering.catch(() => undefined);
    return gathering;
  }

  /** @returns whether it goes on */
  async #settle({ events, again, cursor, delivered, tracedFrom }: Gathering): Promise<boolean> {
    const young = events.filter((event) => event.isYoung);
    const before = this.#state.delivered;
    const at = delivered === undefined ? before : delivered;
    const checkpoint = {
      cursor,
      // One that was found late lies before others that were delivered.
      delivered: cursor === undefined && before !== null && at !== null && before > at ? before : at,
      tracedFrom,
      young,
      again,
      forgetBefore: this.#traces && tracedFrom > this.#traces.oldest ? tracedFrom : undefined,
    };
    const isSettled =
      events.length === 0
        ? await this.#save(checkpoint)
        : await this.#bring(
            events.map(({ event }) => event),
            checkpoint,
          );
    if (!isSettled) return false;
    this.#memory.renew(again);
    this.#trace(checkpoint.forgetBefore, [...young, ...again]);
    return true;
  }

  #trace(forgotBefore: string | undefined, kept: readonly PlacedEvent[]): void {
    if (forgotBefore !== undefined && this.#traces) {
      const { newest } = this.#traces;
      this.#traces = newest < forgotBefore ? undefined : { oldest: forgotBefore, newest };
    }
    for (const { position } of kept) {
      const { oldest, newest } = this.#traces ?? { oldest: position, newest: position };
      this.#traces = { oldest: position < oldest ? position : oldest, newest: position > newest ? position : newest };
    }
  }

  /** Who was not heard again before this place is missing. To be noted before the place is: from there on it is not expected. */
  async #miss(cursor: string): Promise<void> {
    const { positions, source } = this.#parts;
    const missing = this.#memory.takeMissing(source.floorOf(cursor));
    if (missing.length === 0) return;
    await positions.markRemoved(
      this.#of,
      missing.map(({ id }) => id),
      source.finalAt(cursor),
    );
    this.#memory.remove(missing);
  }

  /** Who is gone for good when this place was reached is taken back. @returns whether it goes on */
  async #withdraw(cursor: string): Promise<boolean> {
    const { positions, stream } = this.#parts;
    if (!this.#memory.hasRemoved) return true;
    const gone = await positions.gone(this.#of, cursor);
    for (let start = 0; start < gone.length; start += stream.definition.batch.size) {
      const part = gone.slice(start, start + stream.definition.batch.size);
      const withdrawn = part.map(({ id }) => id);
      if (!(await this.#bring(part.map(revertedOf), { withdrawn }))) return false;
      this.#memory.forget(withdrawn);
    }
    return true;
  }

  /** Delivers a batch and notes what is true then. @returns whether it goes on */
  async #bring(events: readonly StreamEvent[], checkpoint: Partial<Checkpoint>): Promise<boolean> {
    const { stream, consumer } = this.#parts;
    const { batchNumber, events: total } = this.#state;
    const id = batchId(stream.id, consumer, events);
    const batch: StreamBatch = { id, number: batchNumber + 1, stream: stream.name, events };
    this.#inFlight = batch;
    try {
      const outcome = await this.#deliver(batch);
      if (outcome.kind === 'stopped') return false;
      if (outcome.kind === 'refused') {
        return await this.#save({ ...checkpoint, deadLetter: { batch, error: outcome.error } });
      }
      this.#parts.count.delivered(events.length);
      return await this.#save({ ...checkpoint, batchNumber: batchNumber + 1, events: total + events.length });
    } finally {
      this.#inFlight = undefined;
    }
  }

  #deliver(batch: StreamBatch): Promise<Outcome> {
    const { target, breaker, stream, positions, count, log } = this.#parts;
    return deliver(batch, {
      target,
      breaker,
      retry: stream.definition.retry,
      signal: this.#killed,
      stopping: this.#stopping,
      onFailure: async (note, next) => {
        count.failed();
        log.info('A batch was not accepted and will be delivered again', {
          stream: stream.name,
          code: note.code,
          detail: note.message,
          failures: next.failures,
        });
        await positions.fail(this.#of, note, next);
      },
    });
  }

  /** Waits for the database when it is away: the batch is the consumer's already. @returns whether it goes on */
  async #save(changes: Partial<Checkpoint>): Promise<boolean> {
    const checkpoint: Checkpoint = {
      cursor: undefined,
      tracedFrom: '',
      young: [],
      again: [],
      withdrawn: [],
      forgetBefore: undefined,
      deadLetter: undefined,
      ...this.#state,
      ...changes,
    };
    const { cursor, tracedFrom } = checkpoint;
    const traced = tracedFrom > this.#floors.traced ? tracedFrom : this.#floors.traced;
    for (;;) {
      try {
        await this.#parts.positions.checkpoint(this.#of, { ...checkpoint, tracedFrom: traced });
        break;
      } catch (error) {
        if (PatchbayError.from(error).code !== 'store.unavailable') throw error;
        const { signal } = this.#parts.lease;
        await delay(storeRetryMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return false;
      }
    }
    const { delivered, batchNumber, events } = checkpoint;
    this.#state = { delivered, batchNumber, events };
    const reached = cursor === undefined ? this.#floors.reached : this.#parts.source.floorOf(cursor);
    this.#floors = { reached, traced };
    return true;
  }
}
