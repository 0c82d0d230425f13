/** Syncs: a short YAML that says what is joined to what, the flows it stands for, and what they remember. */
export type { CompiledSync } from './compile.js';
export { isSyncDocument, loadSync, usesOfSync, type LoadedSync } from './sync.loader.js';
export { SyncTrial } from './sync-trial.js';
export { SyncStore } from './sync.store.js';
export { SyncsController } from './syncs.controller.js';
export { syncServices } from './sync-services.js';
export type { KnownSync } from './syncs.service.js';
