import { defineConnector } from '#sdk';
import { cron } from './cron.trigger.js';

export default defineConnector({
  name: 'schedule',
  title: 'Schedule',
  summary: 'Starts runs by the clock.',
  triggers: { cron },
  actions: {},
});
