/** Chains by name: the connections of the section `networks`, opened and typed. */
export { NetworksController } from './networks.controller.js';
export { NetworksService } from './networks.service.js';
export { SendingService } from './sending.service.js';
