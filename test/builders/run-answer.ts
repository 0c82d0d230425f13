import type { RunDetailAnswer } from '../../src/cli/hub-answers.js';

/** A run as the API tells of it, completed a minute before noon. */
export const aRunAnswer: RunDetailAnswer = {
  id: 'r-1',
  flow: 'payments',
  version: 'v',
  kind: 'event',
  state: 'completed',
  event: 'e-1',
  parent: null,
  orderingKey: null,
  failedSteps: [],
  error: null,
  dueAt: '2026-03-01T11:59:00Z',
  createdAt: '2026-03-01T11:59:00Z',
  startedAt: '2026-03-01T11:59:00Z',
  finishedAt: '2026-03-01T11:59:01Z',
  steps: [],
  data: {},
};
