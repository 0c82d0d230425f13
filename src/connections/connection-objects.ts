import type { Catalog } from '#catalog';
import { PatchbayError, type AnyConnection } from '#sdk';
import type { ConnectionsService } from './connections.service.js';

type Objects = NonNullable<AnyConnection['objects']>;

/**
 * Asks what there is on the other side of a connection.
 *
 * @throws connection.notFound; request.conflict – nothing can be listed there; whatever `ask` throws
 */
export function browse<T>(
  connections: Pick<ConnectionsService, 'names' | 'during'>,
  catalog: Pick<Catalog, 'connectionOf'>,
  name: string,
  ask: (objects: Objects, client: unknown) => Promise<T>,
): Promise<T> {
  const connector = connections.names().get(name) ?? '';
  return connections.during(name, (client) => {
    const objects = catalog.connectionOf(connector)?.objects;
    if (objects !== undefined) return ask(objects, client);
    throw new PatchbayError('request.conflict', { detail: `A connection of ${connector} has no objects to list.` });
  });
}
