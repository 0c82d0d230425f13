import { defineConnector } from '#sdk';
import { called } from './called.trigger.js';

export default defineConnector({
  name: 'gateway',
  title: 'Gateway',
  summary: 'Hears the calls that come in over the REST routes of contracts.',
  triggers: { called },
  actions: {},
});
