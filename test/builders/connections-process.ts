import { Catalog } from '#catalog';
import { createVault, type Store } from '#platform';
import { defineConnector, type AnyAction, type AnyConnection, type ConnectorDefinition } from '#sdk';
import { ConnectionTroubles } from '../../src/connections/connection-troubles.js';
import { ConnectionsService, type ConnectionsParts } from '../../src/connections/connections.service.js';
import { ConnectionsStore } from '../../src/connections/connections.store.js';
import { aHttpClient, noService, silentLog } from './action-call.js';

/** A connector called `crm` with this connection. */
export function crmWith(
  connection: AnyConnection,
  actions: Readonly<Record<string, AnyAction>> = {},
): ConnectorDefinition {
  return defineConnector({ name: 'crm', title: 'CRM', summary: 'A CRM.', connection, triggers: {}, actions });
}

export function connectionRows({ db }: Store): ConnectionsStore {
  return new ConnectionsStore(db, createVault(Buffer.alloc(32, 1)));
}

/** The connections of one process of the hub, loaded. */
export async function connectionsProcess(
  store: Store,
  connectors: readonly ConnectorDefinition[],
  parts: Partial<Pick<ConnectionsParts, 'declared' | 'store' | 'troubles'>> = {},
): Promise<ConnectionsService> {
  const connections = new ConnectionsService({
    catalog: new Catalog(connectors),
    declared: [],
    store: connectionRows(store),
    troubles: new ConnectionTroubles(store.db),
    http: aHttpClient(),
    log: silentLog,
    use: noService,
    ...parts,
  });
  await connections.load();
  return connections;
}
