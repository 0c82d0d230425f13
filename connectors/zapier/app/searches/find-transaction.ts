import type { Bundle, Search, ZObject } from 'zapier-platform-core';
import { askHub } from '../hub.js';
import { transactionFields, transactionSample } from '../triggers/transaction-output.js';

export const findTransaction: Search = {
  key: 'find_transaction',
  noun: 'Transaction',
  display: {
    label: 'Find Transaction',
    description: 'Finds a transaction of the hub by its ID, its hash or its idempotency key.',
  },
  operation: {
    inputFields: [
      {
        key: 'transaction',
        label: 'Transaction',
        type: 'string',
        required: true,
        helpText: 'An ID, a hash beginning with 0x, or the idempotency key it was sent with.',
      },
    ],
    perform: async (z: ZObject, bundle: Bundle) => {
      const { transaction } = bundle.inputData;
      return askHub<{ id: string }[]>(z, bundle, { path: '/zapier/transactions', params: { transaction } });
    },
    outputFields: transactionFields,
    sample: transactionSample,
  },
};
