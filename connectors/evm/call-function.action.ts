import { asRevert, compileTupleReader, encodeCall, getFragment, toQuantity } from '#evm';
import { PatchbayError, defineAction, z } from '#sdk';
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
    const call = { to: contract.address, data: await encodeCall(fragment, input.args) };
    const block = typeof input.block === 'number' ? toQuantity(input.block) : input.block;
    const answer = await client.rpc.request<string>('eth_call', [call, block], signal).catch((error: unknown) => {
      throw asRevert(error, contract.abi) ?? error;
    });
    const outputs = fragment.outputs ?? [];
    return { result: decode(answer, outputs, input.contract) };
  },
});

function decode(answer: string, outputs: Parameters<typeof compileTupleReader>[0], contract: string): unknown {
  let values: Record<string, unknown>;
  try {
    values = compileTupleReader(outputs)(answer, 2, { budget: 10_000, isAltered: false });
  } catch (error) {
    throw new PatchbayError('evm.unknownFunction', {
      detail: `The answer of ${contract} does not fit the ABI`,
      fix: 'Check that the address holds that contract on this network.',
      cause: error,
    });
  }
  return outputs.length === 1 ? Object.values(values)[0] : values;
}
