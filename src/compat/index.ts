/** Clients of ethconnect and FireFly go on working: their routes and words, over the services of the hub. */
import type { Type } from '@nestjs/common';
import { OldAbisController } from './abis.controller.js';
import { OldContractsController } from './contracts.controller.js';
import { OldStreamsController } from './event-streams.controller.js';
import { OldMessagesController } from './messages.controller.js';
import { OldSubscriptionsController } from './subscriptions.controller.js';

export { compatServices, type CompatParts } from './compat-services.js';
export { EventsSocket } from './events.socket.js';

export const compatControllers: readonly Type[] = [
  OldAbisController,
  OldContractsController,
  OldMessagesController,
  OldStreamsController,
  OldSubscriptionsController,
];
