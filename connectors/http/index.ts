import { defineConnector } from '#sdk';
import { httpEndpoint } from './connection.js';
import { request } from './request.action.js';

export default defineConnector({
  name: 'http',
  title: 'HTTP',
  summary: 'Calls any HTTP API.',
  connection: httpEndpoint,
  triggers: {},
  actions: { request },
});
