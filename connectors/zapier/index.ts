import { defineConnector } from '#sdk';
import { catchHook } from './connection.js';
import { hookReceived } from './hook-received.trigger.js';
import { publish } from './publish.action.js';
import { runFlow } from './run-flow.trigger.js';
import { sendHook } from './send-hook.action.js';

export default defineConnector({
  name: 'zapier',
  title: 'Zapier',
  summary: 'Starts Zaps, and is started by them.',
  connection: catchHook,
  triggers: { hookReceived, runFlow },
  actions: { publish, sendHook },
});
