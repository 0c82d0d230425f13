import type { Bundle, Create, ZObject } from 'zapier-platform-core';
import { contract, network } from '../fields.js';
import { transactionFields, transactionSample } from '../triggers/transaction-output.js';
import { resumeCall, sendCall, sendingFields } from './call-contract.js';

export const mintToken: Create = {
  key: 'mint_token',
  noun: 'Token',
  display: {
    label: 'Mint Token',
    description: 'Mints tokens to an address, and waits for the confirmation.',
  },
  operation: {
    inputFields: [
      network,
      { ...contract, label: 'Token', helpText: 'A contract with the function mint(address,uint256).' },
      { key: 'to', label: 'Receiver', type: 'string', required: true, helpText: 'An address: 0x and 40 digits.' },
      {
        key: 'amount',
        label: 'Amount',
        type: 'string',
        required: true,
        helpText: 'A whole number, in the smallest unit of the token.',
      },
      ...sendingFields,
    ],
    perform: (z: ZObject, bundle: Bundle) => {
      const { contract: of, to, amount } = bundle.inputData;
      return sendCall(z, bundle, { contract: of, function: 'mint(address,uint256)', args: { to, amount } });
    },
    performResume: resumeCall,
    outputFields: transactionFields,
    sample: transactionSample,
  },
};
