import { defineConnector } from '#sdk';
import { makerWebhooks } from './connection.js';
import { triggerEvent } from './trigger-event.action.js';

export default defineConnector({
  name: 'ifttt',
  title: 'IFTTT',
  summary: 'Fires events that IFTTT Applets wait for.',
  connection: makerWebhooks,
  triggers: {},
  actions: { triggerEvent },
});
