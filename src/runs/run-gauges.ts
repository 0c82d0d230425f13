import type { Metrics } from '#platform';
import type { RunsQueries } from './runs.queries.js';

/** Gauges of what waits and of what was given up, looked up when somebody reads them. */
export function keepRunGauges(metrics: Metrics, queries: RunsQueries): void {
  metrics.onRead(async () => {
    const counts = await queries.counts();
    metrics.runsWaiting.reset();
    metrics.deadLetters.reset();
    for (const { flow, state, runs } of counts) {
      if (state === 'failed') metrics.deadLetters.set({ flow }, runs);
      else metrics.runsWaiting.inc({ flow }, runs);
    }
  });
}
