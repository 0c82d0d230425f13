import type { PlainOutputField } from 'zapier-platform-core';

/** A run that has ended; what its steps gave comes beside it. */
export const runFields: PlainOutputField[] = [
  { key: 'id', label: 'ID', type: 'string', primary: true },
  { key: 'run_id', label: 'Run ID', type: 'string' },
  { key: 'flow', label: 'Flow', type: 'string' },
  { key: 'state', label: 'State', type: 'string' },
  { key: 'error_code', label: 'Error Code', type: 'string' },
  { key: 'error_message', label: 'Error Message', type: 'string' },
  { key: 'started_at', label: 'Started', type: 'datetime' },
  { key: 'finished_at', label: 'Finished', type: 'datetime' },
];

export const runSample = {
  id: '2040e8bf-ce55-8998-a33d-71433dc91548:completed',
  run_id: '2040e8bf-ce55-8998-a33d-71433dc91548',
  flow: 'zap-points',
  state: 'completed',
  error_code: '',
  error_message: '',
  started_at: '2026-01-01T00:00:00.000Z',
  finished_at: '2026-01-01T00:00:05.000Z',
};
