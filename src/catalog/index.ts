/** The connectors given by the application, by the names that flows use. */
export { Catalog } from './catalog.js';
export { CatalogController } from './catalog.controller.js';
export { describeConnector, type ConnectorDescription } from './describe.js';
