import { Looks } from '#platform';
import { PatchbayError } from '#sdk';
import { oldEvents, type StreamBatch, type StreamPumps, type StreamShape, type StreamView } from '#streams';
import type { StoredOldStream } from './event-streams.store.js';
import type { OldStreams } from './event-streams.js';

interface TopicOptions {
  readonly topic: string;
  /** Whose place it is in streams where every client has one. */
  readonly consumer: string;
  readonly streams: OldStreams;
  readonly pumps: StreamPumps;
  /** Resolves once it is written; never rejects. */
  readonly send: (message: unknown) => Promise<void>;
}

interface InFlight {
  readonly number: number;
  readonly accept: () => void;
  readonly refuse: (reason: unknown) => void;
}

interface Attached {
  close(): Promise<void>;
}

const lookEveryMs = 1_000;
const ackTimeoutMs = 300_000;

/** One client and one topic: all subscriptions of its streams, and one batch in flight at a time, as old clients expect. */
export class TopicListening {
  readonly #attached = new Map<string, Attached>();
  readonly #looks: Looks;
  #turn: Promise<unknown> = Promise.resolve();
  #inFlight: InFlight | undefined;
  #number = 0;
  #isClosed = false;

  constructor(private readonly options: TopicOptions) {
    // What cannot be looked up now is there for the next look.
    this.#looks = new Looks({ look: () => this.#look(), failed: () => undefined, everyMs: lookEveryMs });
    void this.#looks.start();
  }

  /** @param refusal – why the batch comes again; undefined: it is accepted. What is meant for another batch is not heard. */
  answer(refusal: string | undefined, batchNumber: number | undefined): void {
    const current = this.#inFlight;
    if (current === undefined || (batchNumber !== undefined && batchNumber !== current.number)) return;
    if (refusal === undefined) current.accept();
    else current.refuse(new PatchbayError('stream.refused', { detail: `The client refused the batch: ${refusal}` }));
  }

  /** What is in flight is not refused: it goes out again, to whoever listens. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...[...this.#attached.values()].map((attached) => attached.close()), this.#looks.stop()]);
  }

  /** Subscriptions come and go while a client listens. */
  async #look(): Promise<void> {
    const { streams, topic } = this.options;
    for (const owner of await streams.withTopic(topic)) {
      for (const stream of await streams.subscriptionsOf(owner.id)) await this.#attach(stream, owner);
    }
  }

  async #attach({ name, definition }: StreamView, { stream: owner }: StoredOldStream): Promise<void> {
    if (this.#isClosed || this.#attached.has(name)) return;
    const { pumps, consumer } = this.options;
    // As `streamOf` wrote it.
    const shape = { ...definition, format: owner.format } as unknown as StreamShape &
      Pick<StoredOldStream['stream'], 'format'>;
    const attachment = await pumps.attach(name, owner.isBroadcast ? consumer : undefined, {
      deliver: (batch, signal) => this.#deliver(batch, { shape, isAnswered: !owner.isBroadcast, signal }),
    });
    if (this.#isClosed) return attachment.close();
    this.#attached.set(name, attachment);
    const forget = (): void => void this.#attached.delete(name);
    attachment.finished.then(forget, forget);
  }

  async #deliver(batch: StreamBatch, how: Exchange): Promise<void> {
    const exchange = this.#turn.then(() => this.#exchange(batch, how));
    this.#turn = exchange.catch(() => undefined);
    await orAborted(exchange, how.signal);
  }

  async #exchange(batch: StreamBatch, { shape, isAnswered, signal }: Exchange): Promise<void> {
    signal.throwIfAborted();
    const events = oldEvents(shape, batch);
    const number = (this.#number += 1);
    const message = shape.format === 'firefly' ? { batchNumber: number, events } : events;
    if (!isAnswered) return await this.options.send(message);
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#inFlight = undefined;
        settle();
      };
      const refuse = (reason: unknown): void => end(() => reject(reason))();
      const onAbort = (): void => refuse(signal.reason);
      const timer = setTimeout(() => refuse(silent()), ackTimeoutMs);
      signal.addEventListener('abort', onAbort);
      this.#inFlight = { number, accept: end(resolve), refuse };
      void this.options.send(message);
    });
  }
}

interface Exchange {
  readonly shape: StreamShape & Pick<StoredOldStream['stream'], 'format'>;
  /** Clients of broadcasts do not answer. */
  readonly isAnswered: boolean;
  readonly signal: AbortSignal;
}

/** Who waits for its turn need not wait for the client. */
async function orAborted(exchange: Promise<void>, signal: AbortSignal): Promise<void> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      const reason: unknown = signal.reason;
      reject(reason);
    };
    signal.addEventListener('abort', onAbort);
  });
  try {
    await Promise.race([exchange, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function silent(): PatchbayError {
  return new PatchbayError('stream.refused', { detail: `The client did not answer within ${ackTimeoutMs / 1_000} s` });
}
