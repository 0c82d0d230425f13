import { burst, contract, network } from '../fields.js';
import { hubTrigger } from './hub-trigger.js';
import { logFields, logSample } from './log-output.js';

export const contractEvent = hubTrigger({
  key: 'contract_event',
  noun: 'Contract Event',
  label: 'New Contract Event',
  description: 'Triggers when a contract emits an event and the network has confirmed it.',
  inputFields: [
    network,
    contract,
    {
      key: 'event',
      label: 'Event',
      type: 'string',
      required: true,
      dynamic: 'event_list.id.name',
      dependsOn: ['network', 'contract'],
      helpText: 'One of the events in the ABI of the contract.',
    },
    burst,
  ],
  outputFields: [...logFields, { key: 'event', label: 'Event', type: 'string' }],
  sample: { ...logSample, event: 'Transfer' },
});
