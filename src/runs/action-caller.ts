import type { Catalog } from '#catalog';
import type { ConnectionsService } from '#connections';
import type { Call } from '#engine';
import type { Metrics } from '#platform';
import { PatchbayError, type HttpClient, type Logger, type UseService } from '#sdk';

export interface ActionCallerParts {
  readonly catalog: Catalog;
  readonly connections: ConnectionsService;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly use: UseService;
}

/** Calls actions for the engine: finds the definition, opens the connection, counts and times the call. */
export class ActionCaller {
  constructor(private readonly parts: ActionCallerParts) {}

  async call(call: Call, run: { readonly id: string; readonly flow: string }): Promise<unknown> {
    const action = this.parts.catalog.action(call.uses);
    if (action === undefined) {
      throw new PatchbayError('flow.invalid', { detail: `There is no action ${call.uses} in this hub.` });
    }
    const startedAt = performance.now();
    let outcome = 'failed';
    try {
      const output = await this.parts.connections.using(
        { uses: call.uses, definition: action, asked: call.connection },
        async (client): Promise<unknown> =>
          action.run({
            input: call.input,
            client,
            idempotencyKey: call.idempotencyKey,
            attempt: call.attempt,
            signal: call.signal,
            http: this.parts.http,
            log: this.parts.log,
            use: this.parts.use,
            flow: run.flow,
            run: run.id,
            step: call.step,
          }),
      );
      outcome = 'succeeded';
      return output;
    } finally {
      this.parts.metrics.stepDuration.observe({ uses: call.uses, outcome }, (performance.now() - startedAt) / 1000);
    }
  }
}
