import { asRevert, decodeOutputs, encodeCall, getFragment, toQuantity } from '#evm';
import { defineAction, z } from '#sdk';
import { network } from './connection.js';
import { abiInput, contractInput } from './finality.js';

export const functionArguments = z
  .union([z.record(z.string(), z.unknown()), z.array(z.unknown()).max(100)])
  .default({})
  .meta({
    title: 'Arguments',
    description: 'By name, or in order.',
    examples: [{ owner: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8' }],
  });

export const callFunction = defineAction({
  title: 'Call a function',
  summary: 'Asks a contract for a value; nothing on the chain changes.',
  connection: network,
  input: z.strictObject({
    contract: contractInput,
    function: z
      .string()
      .min(1)
      .meta({ title: 'Function', examples: ['balanceOf'] }),
    args: functionArguments,
    block: z
      .union([z.number().int().min(0), z.enum(['latest', 'safe', 'finalized'])])
      .default('latest')
      .meta({ title: 'Block', description: 'As of which block.' }),
    abi: abiInput,
  }),
  output: z.object({
    /** The value; of several, an object by name. */
    result: z.unknown(),
  }),
  examples: [{ contract: 'usdc', function: 'balanceOf', args: ['0x70997970c51812dc3a010c7d01b50e0d17dc79c8'] }],
  repeatable:
    'It only reads, so it may be done any number of times. Asked again later, the chain may answer differently.',
  async run({ input, client, signal }) {
    const contract = await client.addressBook.get(input.contract, input.abi);
    const fragment = getFragment(contract.abi, 'function', input.function);
    const call = { to: contract.address, data: encodeCall(fragment, input.args) };
    const block = typeof input.block === 'number' ? toQuantity(input.block) : input.block;
    const answer = await client.rpc.request<string>('eth_call', [call, block], signal).catch((error: unknown) => {
      throw asRevert(error, contract.abi) ?? error;
    });
    const outputs = Object.entries(decodeOutputs(fragment, answer));
    return { result: outputs.length === 1 ? outputs[0]![1] : Object.fromEntries(outputs) };
  },
});
