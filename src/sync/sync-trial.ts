import type { Catalog } from '#catalog';
import type { ConnectionsService } from '#connections';
import { PatchbayError, type HttpClient, type Logger, type UseService } from '#sdk';
import { loadSync } from './sync.loader.js';

export interface SyncTrialParts {
  readonly catalog: Catalog;
  readonly connections: ConnectionsService;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly use: UseService;
}

export interface SyncTrialRequest {
  readonly document: string;
  readonly key?: string | undefined;
  readonly recordId?: string | undefined;
}

const uses = 'salesforce.trySync';

/** The dry run of one record of a sync that need not run, nor be kept anywhere. */
export class SyncTrial {
  constructor(private readonly parts: SyncTrialParts) {}

  /**
   * @returns what both sides have, and what would be written
   * @throws flow.invalid with every fault of the document; what the org or the contract says
   */
  async try({ document, key, recordId }: SyncTrialRequest, signal: AbortSignal): Promise<unknown> {
    const { catalog, connections, http, log, use } = this.parts;
    const { sync, faults } = loadSync(document, { vocabulary: catalog, connections: connections.names() });
    if (sync === undefined) throw new PatchbayError('flow.invalid', { detail: 'The sync is not valid.', faults });
    const action = catalog.action(uses);
    if (sync.kind !== 'state' || action === undefined) {
      throw new PatchbayError('request.conflict', {
        detail: 'A sync that makes records of events has no two sides to compare.',
        fix: 'Try one of its flows: npx patchbay run <flow> --event <file>',
      });
    }
    const { name, identity, mapping, connection } = sync;
    const input: unknown = action.input.parse({
      ...{ sync: name, identity, mapping },
      ...(key !== undefined && { key }),
      ...(recordId !== undefined && { recordId }),
    });
    const client: unknown = await connections.clientFor(uses, action, connection);
    return action.run({
      ...{ input, client, signal, http, log, use },
      idempotencyKey: `try-${name}`,
      attempt: 1,
      flow: name,
      run: 'try',
      step: 'try',
    });
  }
}
