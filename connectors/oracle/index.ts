import { defineConnector } from '#sdk';
import { adapter } from './adapter.trigger.js';
import { answer } from './answer.action.js';
import { callAdapter } from './call-adapter.action.js';
import { collect } from './collect.action.js';
import { oracle } from './connection.js';
import { deliver } from './deliver.action.js';
import { feedUpdated } from './feed-updated.trigger.js';
import { fulfill } from './fulfill.action.js';
import { pipeline } from './pipeline.action.js';
import { publishFeed } from './publish-feed.action.js';
import { readFeed } from './read-feed.action.js';
import { request } from './request.trigger.js';
import { startJob } from './start-job.action.js';
import { startWorkflow } from './start-workflow.action.js';

export default defineConnector({
  name: 'oracle',
  title: 'Oracle',
  summary: 'Answers what contracts ask, reads and publishes feeds, and works with external adapters.',
  connection: oracle,
  triggers: { adapter, feedUpdated, request },
  actions: { answer, callAdapter, collect, deliver, fulfill, pipeline, publishFeed, readFeed, startJob, startWorkflow },
});
