import type { Bundle, Create, ZObject } from 'zapier-platform-core';
import { contract, network, valuesOf } from '../fields.js';
import { askHub } from '../hub.js';
import { transactionFields, transactionSample } from '../triggers/transaction-output.js';
import { isInEditor, waitingOf } from './callback.js';
import { argumentFields } from './read-contract.js';

export interface TransactionResult {
  readonly id: string;
  readonly status: string;
  readonly error_message?: string;
  readonly error_code?: string;
  readonly [key: string]: unknown;
}

export interface WantedCall {
  readonly contract: unknown;
  readonly function: unknown;
  readonly args: Readonly<Record<string, unknown>>;
}

export const sendingFields = [
  {
    key: 'signer',
    label: 'Signer',
    type: 'string' as const,
    required: true,
    helpText: 'The name of a signer of the hub; its limits hold.',
  },
  {
    key: 'once_for',
    label: 'Send Once For',
    type: 'string' as const,
    required: true,
    helpText: 'One transaction is sent for each value, such as the ID of the trigger.',
  },
  {
    key: 'wait',
    label: 'Wait for Confirmation',
    type: 'boolean' as const,
    default: 'true',
    helpText: 'With yes, the next step begins once it is confirmed, and this one fails when it fails.',
  },
];

export const callContract: Create = {
  key: 'call_contract',
  noun: 'Transaction',
  display: {
    label: 'Call Contract',
    description: 'Sends a transaction that calls a function of a contract, and waits for its confirmation.',
  },
  operation: {
    inputFields: [
      network,
      contract,
      {
        key: 'function',
        label: 'Function',
        type: 'string',
        required: true,
        dynamic: 'sending_function_list.id.name',
        dependsOn: ['network', 'contract'],
        altersDynamicFields: true,
        helpText: 'One that changes the chain.',
      },
      ...sendingFields,
      argumentFields,
    ],
    perform: (z: ZObject, bundle: Bundle) => {
      const { contract: of, function: called } = bundle.inputData;
      return sendCall(z, bundle, { contract: of, function: called, args: valuesOf(bundle.inputData, 'arg_') });
    },
    performResume: resumeCall,
    outputFields: transactionFields,
    sample: transactionSample,
  },
};

export async function sendCall(z: ZObject, bundle: Bundle, call: WantedCall): Promise<TransactionResult> {
  if (isInEditor(bundle)) return transactionSample;
  const { network: on, signer, once_for: key, wait } = bundle.inputData;
  return askHub<TransactionResult>(z, bundle, {
    method: 'POST',
    path: '/zapier/calls',
    body: { ...call, network: on, signer, key: String(key), ...waitingOf(z, wait) },
  });
}

export function resumeCall(z: ZObject, bundle: Bundle) {
  const result = bundle.cleanedRequest as TransactionResult;
  if (result.status === 'confirmed') return { ...bundle.outputData, ...result };
  const message = result.error_message || `The transaction was ${result.status}`;
  if (result.status === 'cancelled') throw new z.errors.HaltedError(message);
  throw new z.errors.Error(message, result.error_code || 'TransactionFailed', 422);
}
