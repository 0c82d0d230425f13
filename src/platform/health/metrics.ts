import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** What the hub counts. Label values are bounded: never addresses, URLs or ids. */
export class Metrics {
  readonly registry = new Registry();

  readonly runs = this.#counter('patchbay_runs_total', 'Runs that ended', ['flow', 'outcome']);
  readonly stepDuration = this.#histogram('patchbay_step_duration_seconds', 'Time of one attempt at a step', [
    'uses',
    'outcome',
  ]);
  readonly eventsIngested = this.#counter('patchbay_events_ingested_total', 'Events stored, by trigger', ['uses']);
  readonly runsWaiting = this.#gauge('patchbay_runs_waiting', 'Runs that are not finished', ['flow']);
  readonly deadLetters = this.#gauge('patchbay_dead_letters', 'Runs that were given up and wait for a person', [
    'flow',
  ]);
  readonly queueRedispatched = this.#counter(
    'patchbay_queue_redispatched_total',
    'Runs whose wake-up was lost and sent again',
    [],
  );
  readonly triggerSilence = this.#gauge(
    'patchbay_trigger_silence_seconds',
    'Time since a trigger last moved its place, in seconds',
    ['uses', 'connection'],
  );
  readonly transactions = this.#gauge('patchbay_tx_intents', 'Transactions that are not final', [
    'chain',
    'signer',
    'state',
  ]);
  readonly oldestTransaction = this.#gauge(
    'patchbay_tx_oldest_unconfirmed_seconds',
    'Age of the oldest transaction that is not final, in seconds',
    ['chain', 'signer'],
  );
  readonly streamDelivered = this.#counter('patchbay_stream_events_total', 'Events that consumers accepted', [
    'stream',
  ]);
  readonly streamFailures = this.#counter('patchbay_stream_failures_total', 'Attempts that consumers did not accept', [
    'stream',
  ]);
  readonly streamLagBlocks = this.#gauge('patchbay_stream_lag_blocks', 'Blocks that are not wholly delivered', [
    'stream',
  ]);
  readonly streamLagSeconds = this.#gauge(
    'patchbay_stream_lag_seconds',
    'Age of the first block that is not wholly delivered, in seconds',
    ['stream'],
  );
  readonly streamOldestUndelivered = this.#gauge(
    'patchbay_stream_oldest_undelivered_seconds',
    'Age of the oldest event that is known and not delivered, in seconds',
    ['stream'],
  );
  readonly streamCircuit = this.#gauge(
    'patchbay_stream_circuit_state',
    'Whether the endpoint is called: 0 yes, 1 by way of trial, 2 no',
    ['stream'],
  );
  readonly targetsRefused = this.#counter('patchbay_targets_refused_total', 'Calls refused by the egress policy', [
    'reason',
  ]);
  readonly authFailures = this.#counter('patchbay_auth_failures_total', 'Requests without a valid key', ['reason']);

  readonly #readings: (() => Promise<void>)[] = [];

  /** Called whenever somebody reads the metrics: for what is cheaper to look up than to keep. */
  onRead(take: () => Promise<void>): void {
    this.#readings.push(take);
  }

  /** In Prometheus' text format. */
  async read(): Promise<string> {
    await Promise.all(this.#readings.map((take) => take()));
    return this.registry.metrics();
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Histogram<Label> {
    const buckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 60];
    return new Histogram({ name, help, labelNames: [...labelNames], buckets, registers: [this.registry] });
  }
}

/** With those of the process: memory, CPU, event loop. */
export function createMetrics(): Metrics {
  const metrics = new Metrics();
  collectDefaultMetrics({ register: metrics.registry });
  return metrics;
}
