import type { Kysely } from 'kysely';
import type { Database, Signals, Vault } from '#platform';
import { ConnectionCare } from './connection-care.js';
import { ConnectionTroubles } from './connection-troubles.js';
import { ConnectionsService, type ConnectionsParts } from './connections.service.js';
import { ConnectionsStore } from './connections.store.js';

export interface ConnectionServicesParts extends Omit<ConnectionsParts, 'store' | 'troubles'> {
  readonly db: Kysely<Database>;
  readonly vault: Vault;
  readonly signals: Signals;
}

/** The connections of this process, and what keeps them like those of the others; `care` is to be started. */
export async function connectionServices({
  db,
  vault,
  signals,
  ...parts
}: ConnectionServicesParts): Promise<{ readonly connections: ConnectionsService; readonly care: ConnectionCare }> {
  const troubles = new ConnectionTroubles(db);
  const connections = new ConnectionsService({ ...parts, troubles, store: new ConnectionsStore(db, vault) });
  await connections.load();
  return { connections, care: new ConnectionCare({ connections, troubles, signals, log: parts.log }) };
}
