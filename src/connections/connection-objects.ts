import type { Catalog } from '#catalog';
import { PatchbayError, type AnyConnection } from '#sdk';
import type { ConnectionsService } from './connections.service.js';

export interface Browsing {
  readonly objects: NonNullable<AnyConnection['objects']>;
  readonly client: unknown;
}

/** What there is on the other side of a connection. @throws connection.notFound; request.conflict – nothing can be listed there */
export async function browse(
  connections: Pick<ConnectionsService, 'names' | 'client'>,
  catalog: Pick<Catalog, 'connectionOf'>,
  name: string,
): Promise<Browsing> {
  const connector = connections.names().get(name) ?? '';
  const client: unknown = await connections.client(name);
  const objects = catalog.connectionOf(connector)?.objects;
  if (objects !== undefined) return { objects, client };
  throw new PatchbayError('request.conflict', { detail: `A connection of ${connector} has no objects to list.` });
}
