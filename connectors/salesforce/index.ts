import { defineConnector } from '#sdk';
import { salesforceOrg } from './connection.js';
import { pushTopic } from './push-topic.trigger.js';
import { query } from './query.action.js';
import { updateRecord } from './update-record.action.js';
import { upsertRecord } from './upsert-record.action.js';

export default defineConnector({
  name: 'salesforce',
  title: 'Salesforce',
  summary: 'Hears the push topics of an org, and writes and finds its records.',
  connection: salesforceOrg,
  triggers: { pushTopic },
  actions: { upsertRecord, updateRecord, query },
});
