/** The flow files known to the hub: loaded, watched, versioned. */
export { FlowChecker } from './flow-checker.js';
export { cannotRead, loadFlowFile, movesValue, usesOfFile, type FlowFile } from './flow-file.js';
export { FlowsController } from './flows.controller.js';
export { FlowsService, type KnownFlow } from './flows.service.js';
export { FlowsStore } from './flows.store.js';
