import type { Metrics } from '#platform';
import type { StreamPumps } from './stream-pumps.js';
import { lagOf } from './streams.service.js';
import type { StreamsStore } from './streams.store.js';

const circuitValues = { closed: 0, halfOpen: 1, open: 2 } as const;

/** How far the streams are that this process pumps, looked up when somebody reads it. */
export function keepStreamGauges(
  metrics: Metrics,
  { pumps, store }: { pumps: StreamPumps; store: StreamsStore },
): void {
  metrics.onRead(async () => {
    const gauges = [
      metrics.streamLagBlocks,
      metrics.streamLagSeconds,
      metrics.streamOldestUndelivered,
      metrics.streamCircuit,
    ];
    for (const gauge of gauges) gauge.reset();
    const running = pumps.status();
    if (running.length === 0) return;
    const [streams, positions] = await Promise.all([
      store.list(),
      store.positions(running.map(({ stream }) => stream)),
    ]);
    const names = new Map(streams.map(({ id, name }) => [id, name]));
    await Promise.all(
      running.map(async ({ stream: id, status }) => {
        const stream = names.get(id);
        if (stream === undefined) return;
        metrics.streamCircuit.set({ stream }, circuitValues[status.circuit]);
        const ageMs = status.oldest === undefined ? 0 : Date.now() - Date.parse(status.oldest);
        metrics.streamOldestUndelivered.set({ stream }, Math.max(0, ageMs / 1_000));
        // Of several consumers the one that is furthest behind counts.
        const [cursor] = positions
          .flatMap((one) => (one.stream === id && one.cursor !== null ? [one.cursor] : []))
          .sort();
        const lag = cursor === undefined ? null : await lagOf(status.source, cursor);
        if (!lag) return;
        metrics.streamLagBlocks.set({ stream }, lag.blocks);
        metrics.streamLagSeconds.set({ stream }, lag.seconds);
      }),
    );
  });
}
