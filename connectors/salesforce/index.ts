import { defineConnector } from '#sdk';
import { bulkResult, bulkUpsert } from './bulk-upsert.action.js';
import { salesforceOrg } from './connection.js';
import { createRecord } from './create-record.action.js';
import { deleteRecord } from './delete-record.action.js';
import { publishEvent } from './publish-event.action.js';
import { retrieveRecord } from './retrieve-record.action.js';
import { uploadFile } from './upload-file.action.js';
import { changeDataCapture } from './change-data-capture.trigger.js';
import { platformEvent } from './platform-event.trigger.js';
import { pushTopic } from './push-topic.trigger.js';
import { recordChanged } from './record-changed.trigger.js';
import { syncAll } from './sync-all.action.js';
import { syncEvent } from './sync-event.action.js';
import { syncRecord } from './sync-record.action.js';
import { trySync } from './sync-try.action.js';
import { query } from './query.action.js';
import { updateRecord } from './update-record.action.js';
import { upsertRecord } from './upsert-record.action.js';

export default defineConnector({
  name: 'salesforce',
  title: 'Salesforce',
  summary: 'Hears what changes in an org, and writes and finds its records.',
  connection: salesforceOrg,
  triggers: { pushTopic, changeDataCapture, platformEvent, recordChanged },
  actions: {
    upsertRecord,
    createRecord,
    updateRecord,
    deleteRecord,
    retrieveRecord,
    query,
    publishEvent,
    uploadFile,
    bulkUpsert,
    bulkResult,
    syncRecord,
    syncAll,
    syncEvent,
    trySync,
  },
});
