import { setTimeout as delay } from 'node:timers/promises';
import { runWithLogContext, type Lease, type Leases, type Metrics } from '#platform';
import { PatchbayError, type Logger } from '#sdk';
import type { CircuitBreakers, CircuitState } from './circuit-breaker.js';
import { failureNote, type PositionsStore } from './positions.store.js';
import type { StreamDefinition } from './stream.schema.js';
import { StreamPump } from './stream-pump.js';
import type { StreamSource } from './stream-source.js';
import type { StreamTarget } from './stream.js';
import { leaseName, type StoredStream, type StreamsStore } from './streams.store.js';

export interface KeeperParts {
  readonly store: StreamsStore;
  readonly positions: PositionsStore;
  readonly leases: Leases;
  readonly breakers: CircuitBreakers;
  readonly openSource: (definition: StreamDefinition) => Promise<StreamSource>;
  readonly metrics: Pick<Metrics, 'streamDelivered' | 'streamFailures'>;
  readonly log: Logger;
  /** The consumer wants no more of this stream, which may be another one by now. */
  onEnded(stream: StoredStream, reason: string): Promise<void>;
}

/** What it does at the moment, for metrics. */
export interface KeeperStatus {
  readonly source: StreamSource;
  /** When the oldest event happened that is known and not delivered. */
  readonly oldest: string | undefined;
  readonly circuit: CircuitState;
}

const askAgainMs = 1_000;
const firstBackOffMs = 500;
const longestBackOffMs = 30_000;
const graceMs = 3_000;

interface Running {
  readonly pump: StreamPump;
  readonly source: StreamSource;
  readonly endpoint: string | undefined;
}

/**
 * Keeps one stream going for one consumer for as long as it runs: waits for its lease, pumps, begins anew when the stream was
 * changed or something failed, and rests while it is suspended.
 */
export class StreamKeeper {
  readonly finished: Promise<void>;
  readonly #parts: KeeperParts;
  readonly #consumer: string;
  readonly #openTarget: (definition: StreamDefinition) => StreamTarget;
  readonly #closing = new AbortController();
  #stream: StoredStream | undefined;
  #running: Running | undefined;
  #wake = new AbortController();

  constructor(
    stream: StoredStream,
    { consumer, openTarget }: { consumer: string; openTarget: (definition: StreamDefinition) => StreamTarget },
    parts: KeeperParts,
  ) {
    this.#stream = stream;
    this.#consumer = consumer;
    this.#openTarget = openTarget;
    this.#parts = parts;
    this.finished = this.#keep();
  }

  get status(): KeeperStatus | undefined {
    if (!this.#running) return undefined;
    const { source, pump, endpoint } = this.#running;
    return {
      source,
      oldest: pump.oldest,
      circuit: endpoint === undefined ? 'closed' : this.#parts.breakers.of(endpoint).state,
    };
  }

  /** The stream as it is now; undefined: it is gone. Between two batches the pump takes note. */
  update(stream: StoredStream | undefined): void {
    const isChanged = isOther(stream, this.#stream);
    this.#stream = stream;
    if (!isChanged) return;
    this.#running?.pump.stop();
    this.#wake.abort();
  }

  /** @param options.isPatient – the batch in flight is brought to its end, unless that takes long */
  async close({ isPatient = false }: { readonly isPatient?: boolean } = {}): Promise<void> {
    this.#closing.abort();
    if (isPatient) this.#running?.pump.stop();
    else this.#running?.pump.kill();
    const timer = setTimeout(() => this.#running?.pump.kill(), graceMs);
    await this.finished.catch(() => undefined);
    clearTimeout(timer);
  }

  async #keep(): Promise<void> {
    let backOffMs = firstBackOffMs;
    while (!this.#closing.signal.aborted) {
      const stream = this.#stream;
      if (!stream) throw new PatchbayError('stream.notFound', { detail: 'The stream was deleted' });
      const lease = stream.state === 'running' ? await this.#acquire(stream) : undefined;
      if (!lease) {
        await this.#rest(askAgainMs, stream);
        continue;
      }
      const startedAt = performance.now();
      try {
        await runWithLogContext({ stream: stream.name }, () => this.#pump(stream, lease));
        backOffMs = firstBackOffMs;
        continue;
      } catch (thrown) {
        await this.#report(stream, lease, PatchbayError.from(thrown), backOffMs);
      } finally {
        await lease.release().catch(() => undefined);
      }
      if (performance.now() - startedAt > longestBackOffMs) backOffMs = firstBackOffMs;
      await this.#rest(backOffMs, stream);
      backOffMs = Math.min(backOffMs * 2, longestBackOffMs);
    }
  }

  async #acquire(stream: StoredStream): Promise<Lease | undefined> {
    try {
      return await this.#parts.leases.acquire(leaseName(stream.id, this.#consumer));
    } catch (error) {
      this.#parts.log.info('A stream cannot be taken up for now', { stream: stream.name, error });
      return undefined;
    }
  }

  async #pump(stream: StoredStream, lease: Lease): Promise<void> {
    const { store, openSource, positions, breakers, metrics, log } = this.#parts;
    const { definition } = await store.definition(stream.id);
    const source = await openSource(definition);
    const target = this.#openTarget(definition);
    const { endpoint } = target;
    const pump = new StreamPump({
      stream: { id: stream.id, name: stream.name, definition },
      consumer: this.#consumer,
      source,
      target,
      breaker: endpoint === undefined ? undefined : breakers.of(endpoint),
      positions,
      lease,
      log,
      count: {
        delivered: (events) => metrics.streamDelivered.inc({ stream: stream.name }, events),
        failed: () => metrics.streamFailures.inc({ stream: stream.name }),
      },
    });
    this.#running = { pump, source, endpoint };
    // It may have been changed or closed while all this was opened.
    if (isOther(stream, this.#stream) || this.#closing.signal.aborted) pump.stop();
    try {
      await pump.run();
    } finally {
      this.#running = undefined;
      await target.close?.();
    }
  }

  async #report(stream: StoredStream, lease: Lease, error: PatchbayError, retryInMs: number): Promise<void> {
    const { positions, log } = this.#parts;
    if (error.code === 'lease.lost') return;
    if (error.code === 'stream.ended') {
      // When that cannot be noted now, the consumer is asked once more, and says it again.
      await this.#parts.onEnded(stream, error.detail).catch((failure: unknown) => {
        log.info('A stream that is not wanted any more could not be suspended', {
          stream: stream.name,
          error: failure,
        });
      });
      return;
    }
    log.warn('A stream stopped and will be started again', {
      stream: stream.name,
      code: error.code,
      detail: error.detail,
    });
    const note = failureNote(error, new Date().toISOString(), error.retry === 'never');
    const of = { stream: stream.id, consumer: this.#consumer, epoch: lease.epoch };
    await positions.fail(of, note, { failures: 1, retryInMs }).catch(() => undefined);
  }

  /** Not when the stream is another one than was tried by then, and only until it is. */
  async #rest(ms: number, tried: StoredStream): Promise<void> {
    if (isOther(tried, this.#stream)) return;
    this.#wake = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, this.#wake.signal]);
    await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}

function isOther(one: StoredStream | undefined, other: StoredStream | undefined): boolean {
  return one?.version !== other?.version;
}
