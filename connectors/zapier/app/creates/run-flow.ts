import type { Bundle, Create, ZObject } from 'zapier-platform-core';
import { fieldsOf, valuesOf } from '../fields.js';
import { askHub } from '../hub.js';
import { isInEditor, waitingOf } from './callback.js';

interface RunResult {
  readonly id: string;
  readonly state: string;
  readonly error?: { readonly code: string; readonly message: string } | null;
  readonly [key: string]: unknown;
}

const prefix = 'field_';

export const runFlow: Create = {
  key: 'run_flow',
  noun: 'Flow',
  display: {
    label: 'Run Flow',
    description: 'Runs a flow of the hub and waits for its end, such as the confirmation of a transaction.',
  },
  operation: {
    inputFields: [
      {
        key: 'flow',
        label: 'Flow',
        type: 'string',
        required: true,
        dynamic: 'runnable_flow_list.id.name',
        altersDynamicFields: true,
        helpText: 'Flows with the trigger `zapier.runFlow` can be run.',
      },
      {
        key: 'wait',
        label: 'Wait for the End',
        type: 'boolean',
        default: 'true',
        helpText: 'With yes, the next step begins once the flow has completed, and this one fails when the flow fails.',
      },
      {
        key: 'once_for',
        label: 'Run Once For',
        type: 'string',
        helpText: 'The flow is run once for each value, such as the ID of the trigger. Left empty, every time.',
      },
      async (z: ZObject, bundle: Bundle) => {
        const { flow } = bundle.inputData;
        if (flow === undefined || flow === '') return [];
        return fieldsOf(z, bundle, { path: '/zapier/fields/flow', params: { flow }, prefix });
      },
    ],
    perform: async (z: ZObject, bundle: Bundle) => {
      const { flow, wait, once_for: key } = bundle.inputData;
      if (isInEditor(bundle)) {
        return askHub<RunResult>(z, bundle, { path: '/zapier/samples/run', params: { flow } });
      }
      return askHub<RunResult>(z, bundle, {
        method: 'POST',
        path: '/zapier/runs',
        body: {
          flow,
          fields: valuesOf(bundle.inputData, prefix),
          ...waitingOf(z, wait),
          ...(key !== undefined && key !== '' && { key: String(key) }),
        },
      });
    },
    performResume: (z: ZObject, bundle: Bundle) => {
      const result = bundle.cleanedRequest as RunResult;
      if (result.state === 'completed') return { ...bundle.outputData, ...result };
      const message = result.error?.message || `The flow was ${result.state}`;
      if (result.state === 'cancelled') throw new z.errors.HaltedError(message);
      throw new z.errors.Error(message, result.error?.code ?? 'FlowFailed', 422);
    },
    outputFields: [
      { key: 'id', label: 'ID', type: 'string', primary: true },
      { key: 'run_id', label: 'Run ID', type: 'string' },
      { key: 'flow', label: 'Flow', type: 'string' },
      { key: 'state', label: 'State', type: 'string' },
    ],
    sample: {
      id: '2040e8bf-ce55-8998-a33d-71433dc91548',
      run_id: '2040e8bf-ce55-8998-a33d-71433dc91548',
      flow: 'zap-points',
      state: 'completed',
    },
  },
};
