import type { Metrics } from '#platform';
import type { SourcesStore } from './sources.store.js';

/** How long each trigger has been silent, looked up when somebody reads it. */
export function keepTriggerGauges(metrics: Metrics, sources: SourcesStore): void {
  metrics.onRead(async () => {
    metrics.triggerSilence.reset();
    for (const { uses, connection, updatedAt } of await sources.list()) {
      metrics.triggerSilence.set({ uses, connection: connection ?? '' }, (Date.now() - updatedAt.getTime()) / 1_000);
    }
  });
}
