import type { Bundle, Create, ZObject } from 'zapier-platform-core';
import { contract, fieldsOf, network, valuesOf } from '../fields.js';
import { askHub } from '../hub.js';

const prefix = 'arg_';

export const readContract: Create = {
  key: 'read_contract',
  noun: 'Contract Value',
  display: {
    label: 'Read Contract',
    description: 'Asks a contract for a value; nothing on the chain changes.',
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
        dynamic: 'function_list.id.name',
        dependsOn: ['network', 'contract'],
        altersDynamicFields: true,
        helpText: 'One that only reads.',
      },
      argumentFields,
    ],
    perform: async (z: ZObject, bundle: Bundle) =>
      askHub<{ id: string }>(z, bundle, {
        method: 'POST',
        path: '/zapier/read',
        body: {
          network: bundle.inputData['network'],
          contract: bundle.inputData['contract'],
          function: bundle.inputData['function'],
          args: valuesOf(bundle.inputData, prefix),
        },
      }),
    outputFields: [
      { key: 'id', label: 'ID', type: 'string', primary: true },
      { key: 'network', label: 'Network', type: 'string' },
      { key: 'contract', label: 'Contract', type: 'string' },
      { key: 'function', label: 'Function', type: 'string' },
    ],
    sample: {
      id: '31337:0x5fbdb2315678afecb367f032d93f642f64180aa3:totalSupply()',
      network: 'local',
      contract: 'usdc',
      function: 'totalSupply()',
    },
  },
};

/** Made of the ABI, once the function is chosen; their names have the prefix already. */
export async function argumentFields(z: ZObject, bundle: Bundle) {
  const { network: on, contract: of, function: called } = bundle.inputData;
  if (of === undefined || of === '' || called === undefined || called === '') return [];
  return fieldsOf(z, bundle, {
    path: '/zapier/fields/function',
    params: { network: on, contract: of, function: called },
    prefix: '',
  });
}
