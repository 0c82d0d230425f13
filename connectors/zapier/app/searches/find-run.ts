import type { Bundle, Search, ZObject } from 'zapier-platform-core';
import { askHub } from '../hub.js';
import { runFields, runSample } from '../triggers/run-output.js';

export const findRun: Search = {
  key: 'find_run',
  noun: 'Run',
  display: { label: 'Find Run', description: 'Finds a run by its ID, or the newest run of a flow.' },
  operation: {
    inputFields: [
      { key: 'run', label: 'Run', type: 'string', helpText: 'The ID of a run; the flow is not looked at then.' },
      {
        key: 'flow',
        label: 'Flow',
        type: 'string',
        dynamic: 'flow_list.id.name',
        helpText: 'Whose newest run is looked for.',
      },
      {
        key: 'state',
        label: 'State',
        type: 'string',
        choices: ['queued', 'running', 'completed', 'failed', 'cancelled'],
        helpText: 'Only runs that are in this state.',
      },
    ],
    perform: async (z: ZObject, bundle: Bundle) => {
      const { run, flow, state } = bundle.inputData;
      return askHub<{ id: string }[]>(z, bundle, { path: '/zapier/runs', params: { run, flow, state } });
    },
    outputFields: runFields,
    sample: runSample,
  },
};
