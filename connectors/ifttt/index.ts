import { defineConnector } from '#sdk';
import { action } from './action.trigger.js';
import { iftttAccount } from './connection.js';
import { publish } from './publish.action.js';
import { triggerEvent } from './trigger-event.action.js';

export default defineConnector({
  name: 'ifttt',
  title: 'IFTTT',
  summary: 'Fires Applets of IFTTT, and offers flows to them as triggers and actions.',
  connection: iftttAccount,
  triggers: { action },
  actions: { publish, triggerEvent },
});
