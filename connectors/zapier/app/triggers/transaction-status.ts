import { contract, network } from '../fields.js';
import { hubTrigger } from './hub-trigger.js';
import { transactionFields, transactionSample } from './transaction-output.js';

export const transactionStatus = hubTrigger({
  key: 'transaction_status',
  noun: 'Transaction Status',
  label: 'New Transaction Status',
  description: 'Triggers when a transaction that the hub has sent reaches a status.',
  inputFields: [
    network,
    {
      key: 'statuses',
      label: 'Statuses',
      type: 'string',
      list: true,
      choices: ['broadcast', 'mined', 'confirmed', 'failed', 'cancelled'],
      helpText: 'Left empty, it is confirmed and failed.',
    },
    { key: 'signer', label: 'Signer', type: 'string', helpText: 'Only transactions of this signer, by name.' },
    { ...contract, required: false, helpText: 'Only transactions that call this contract.' },
  ],
  outputFields: transactionFields,
  sample: transactionSample,
});
