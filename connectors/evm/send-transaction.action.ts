import {
  checkSigner,
  compileLogDecoder,
  encodeCall,
  findReceipt,
  getFragment,
  hashOf,
  sendAndWait,
  signatureOf,
  topicOf,
  transactionStatuses,
  type Abi,
  type ChainLog,
} from '#evm';
import { defineAction, z } from '#sdk';
import { functionArguments } from './call-function.action.js';
import { network } from './connection.js';
import { abiInput, confirmations, contractInput } from './finality.js';
import { sendingInputs, wishes } from './sending.js';

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
    ...sendingInputs,
    confirmations: confirmations(),
    wait: z.enum(['accepted', 'mined', 'confirmed']).default('confirmed').meta({
      title: 'Wait until',
      description:
        'accepted: it is stored and will be sent. mined: it has succeeded in a block. confirmed: it has its confirmations. What was not waited for can be heard with evm.transactionStatus.',
    }),
    abi: abiInput,
  }),
  output: z.object({
    /** Its id in this hub. */
    transaction: z.string(),
    /** Of all of these only what is known by then. */
    transactionHash: z.string().optional(),
    blockNumber: z.number().optional(),
    status: z.enum(transactionStatuses),
    gasUsed: z.string().optional(),
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
  check: (context) => checkSigner(context),
  async run({ input, client, idempotencyKey, signal, flow }) {
    const contract = await client.addressBook.get(input.contract, input.abi);
    const fragment = getFragment(contract.abi, 'function', input.function);
    const record = await sendAndWait(
      client,
      {
        idempotencyKey,
        signer: input.from,
        to: contract.address,
        data: encodeCall(fragment, input.args),
        value: BigInt(input.value),
        finality: client.finalityOf(input.confirmations),
        abi: contract.abi,
        about: { contract: contract.name ?? contract.address, function: signatureOf(fragment), args: input.args },
        origin: `flow:${flow}`,
        ...wishes(input),
      },
      { wait: input.wait, signal },
    );
    const { id, place, status } = record;
    const hash = hashOf(record);
    const receipt = place && (await findReceipt(client.rpc, place.hash));
    const own = (receipt?.logs ?? []).filter((log) => log.address === contract.address);
    return {
      transaction: id,
      status,
      ...(hash !== undefined && { transactionHash: hash }),
      ...(place && { blockNumber: place.blockNumber, gasUsed: place.gasUsed }),
      events: own.flatMap((log) => decode(contract.abi, log)),
    };
  },
});

function decode(abi: Abi, log: ChainLog): { name: string; args: Record<string, unknown> }[] {
  const fragment = abi.find((candidate) => candidate.type === 'event' && topicOf(candidate) === log.topics[0]);
  if (!fragment) return [];
  return [{ name: fragment.name ?? '', args: { ...compileLogDecoder(fragment).decode(log).args } }];
}
