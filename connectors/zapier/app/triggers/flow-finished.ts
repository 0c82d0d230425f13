import { hubTrigger } from './hub-trigger.js';
import { runFields, runSample } from './run-output.js';

export const flowFinished = hubTrigger({
  key: 'flow_finished',
  noun: 'Finished Flow',
  label: 'Flow Finished',
  description: 'Triggers when a run of a flow has completed or failed.',
  inputFields: [
    {
      key: 'flow',
      label: 'Flow',
      type: 'string',
      required: true,
      dynamic: 'flow_list.id.name',
      helpText: 'Whose runs are waited for.',
    },
    {
      key: 'states',
      label: 'States',
      type: 'string',
      list: true,
      choices: ['completed', 'failed', 'cancelled'],
      helpText: 'Left empty, every end counts.',
    },
  ],
  outputFields: runFields,
  sample: runSample,
});
