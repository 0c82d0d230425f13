import { compileLogDecoder, encodeCall, findReceipt, getFragment, topicOf, type Abi, type ChainLog } from '#evm';
import { amount, defineAction, z } from '#sdk';
import { functionArguments } from './call-function.action.js';
import { network } from './connection.js';
import { abiInput, confirmations, contractInput } from './finality.js';

/** A step waits this long by itself; what takes longer is asked for again later, and no worker is held meanwhile. */
const waitMs = 2_000;

export const sendTransaction = defineAction({
  title: 'Send a transaction',
  summary: 'Calls a function of a contract in a transaction and waits until it is final.',
  connection: network,
  input: z.strictObject({
    contract: contractInput,
    function: z
      .string()
      .min(1)
      .meta({ title: 'Function', examples: ['mint'] }),
    args: functionArguments,
    from: z
      .string()
      .min(1)
      .meta({ title: 'Signer', description: 'Name of the signer that signs and pays.', examples: ['treasury'] }),
    value: amount().default('0').meta({ title: 'Value', description: 'Sent along, in wei.' }),
    confirmations: confirmations(),
    gasLimit: amount().optional().meta({ title: 'Gas limit', description: 'Estimated when it is not given.' }),
    abi: abiInput,
  }),
  output: z.object({
    transactionHash: z.string(),
    blockNumber: z.number(),
    status: z.literal('confirmed'),
    gasUsed: z.string(),
    /** What the contract emitted. */
    events: z.array(z.object({ name: z.string(), args: z.record(z.string(), z.unknown()) })),
  }),
  examples: [
    {
      contract: 'loyalty-token',
      function: 'mint',
      args: { to: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8', amount: '1000000000000000000' },
      from: 'treasury',
    },
  ],
  repeatable:
    'The step has one nonce for ever: however often it is done again, at most one transaction of it can be executed. A lost answer is settled by hash and nonce.',
  movesValue: true,
  async run({ input, client, idempotencyKey, signal }) {
    const contract = await client.addressBook.get(input.contract, input.abi);
    const fragment = getFragment(contract.abi, 'function', input.function);
    const record = await client.sender.sendAndWait(
      {
        idempotencyKey,
        signer: input.from,
        to: contract.address,
        data: encodeCall(fragment, input.args),
        value: BigInt(input.value),
        finality: client.finalityOf(input.confirmations),
        abi: contract.abi,
        ...(input.gasLimit === undefined ? {} : { gasLimit: BigInt(input.gasLimit) }),
      },
      { withinMs: waitMs, signal },
    );
    const hash = record.place?.hash ?? '';
    const receipt = await findReceipt(client.rpc, hash);
    const own = (receipt?.logs ?? []).filter((log) => log.address === contract.address);
    return {
      transactionHash: hash,
      blockNumber: record.place?.blockNumber ?? 0,
      status: 'confirmed' as const,
      gasUsed: record.place?.gasUsed ?? '0',
      events: own.flatMap((log) => decode(contract.abi, log)),
    };
  },
});

function decode(abi: Abi, log: ChainLog): { name: string; args: Record<string, unknown> }[] {
  const fragment = abi.find((candidate) => candidate.type === 'event' && topicOf(candidate) === log.topics[0]);
  if (!fragment) return [];
  return [{ name: fragment.name ?? '', args: { ...compileLogDecoder(fragment).decode(log).args } }];
}
