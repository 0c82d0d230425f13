import { defineConnector } from '#sdk';
import { webhookEndpoint } from './connection.js';
import { received } from './received.trigger.js';
import { send } from './send.action.js';

export default defineConnector({
  name: 'webhook',
  title: 'Webhook',
  summary: 'Signed webhooks in both directions: Standard Webhooks headers, CloudEvents bodies.',
  connection: webhookEndpoint,
  triggers: { received },
  actions: { send },
});
