/** Who the hub talks to: connections by name, from the configuration file or added by hand. */
export { readConfigurationFile, type ConfigurationFile, type DeclaredConnection } from './configuration-file.js';
export type {
  DeclaredKeystores,
  DeclaredSigner,
  DeclaredSigners,
  DeclaredWallet,
  SecretSource,
} from './declared-signers.js';
export { ConnectionsController } from './connections.controller.js';
export { connectionServices } from './connection-services.js';
export { ConnectionTroubles } from './connection-troubles.js';
export { ConnectionsService } from './connections.service.js';
export type { ConnectionView } from './connection-view.js';
export { connectionAnswer } from './connections.schema.js';
export { ConnectionsStore } from './connections.store.js';
