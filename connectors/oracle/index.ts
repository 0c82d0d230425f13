import { defineConnector } from '#sdk';
import { oracle } from './connection.js';

export default defineConnector({
  name: 'oracle',
  title: 'Oracle',
  summary: 'Answers what contracts ask, reads and publishes feeds, and works with external adapters.',
  connection: oracle,
  triggers: {},
  actions: {},
});
