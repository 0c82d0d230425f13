import type { ConnectorDefinition } from '#sdk';
// Past the door, behind which there is a controller as well, and with it the whole web framework.
import { Catalog } from '../../src/catalog/catalog.js';

/** Connectors by the names that flows use, as the hub knows them. */
export function catalogOf(connectors: readonly ConnectorDefinition[]): Catalog {
  return new Catalog(connectors);
}
