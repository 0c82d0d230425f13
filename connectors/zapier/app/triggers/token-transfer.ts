import { burst, contract, network } from '../fields.js';
import { hubTrigger } from './hub-trigger.js';
import { logFields, logSample } from './log-output.js';

export const tokenTransfer = hubTrigger({
  key: 'token_transfer',
  noun: 'Token Transfer',
  label: 'New Token Transfer',
  description: 'Triggers when a token is transferred and the network has confirmed it.',
  inputFields: [
    network,
    { ...contract, label: 'Token', helpText: 'The contract of an ERC-20 token, by name or by address.' },
    { key: 'from', label: 'Sender', type: 'string', helpText: 'Only transfers from this address.' },
    { key: 'to', label: 'Receiver', type: 'string', helpText: 'Only transfers to this address.' },
    {
      key: 'minimum',
      label: 'Least Amount',
      type: 'string',
      helpText: 'Only transfers of at least so many tokens, such as 10000 or 0.5.',
    },
    burst,
  ],
  outputFields: [
    ...logFields,
    { key: 'from', label: 'Sender', type: 'string' },
    { key: 'to', label: 'Receiver', type: 'string' },
    { key: 'amount', label: 'Amount in the Smallest Unit', type: 'string' },
    { key: 'amount_formatted', label: 'Amount', type: 'string' },
    { key: 'decimals', label: 'Decimals', type: 'integer' },
  ],
  sample: {
    ...logSample,
    from: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    to: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
    amount: '25000000000',
    amount_formatted: '25000',
    decimals: 6,
  },
});
