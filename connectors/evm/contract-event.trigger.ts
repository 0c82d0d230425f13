import {
  EventReader,
  compileLogDecoder,
  fromBlock,
  getFragment,
  listenForEvents,
  readPastEvents,
  type ContractEvent,
  type ListenedEvents,
  type Network,
} from '#evm';
import { PatchbayError, defineTrigger, z } from '#sdk';
import { network } from './connection.js';
import { abiInput, blockFinality, contractInput, heardConfirmations } from './finality.js';

const input = z.strictObject({
  contract: contractInput.meta({
    title: 'Contract',
    description: 'Name in the address book, an address, or * for every contract.',
    examples: ['usdc'],
  }),
  event: z
    .string()
    .min(1)
    .meta({ title: 'Event', description: 'Name, or signature where names repeat.', examples: ['Transfer'] }),
  confirmations: heardConfirmations(),
  fromBlock: fromBlock(),
  abi: abiInput,
});

const event = z.object({
  name: z.string(),
  args: z.record(z.string(), z.unknown()),
  contract: z.object({ name: z.string().optional(), address: z.string() }),
  transaction: z.object({ hash: z.string(), index: z.number() }),
  block: z.object({ number: z.number(), hash: z.string(), timestamp: z.string() }),
  log: z.object({ index: z.number() }),
  network: z.string(),
  chainId: z.number(),
  /** Why an argument is null. */
  decodeError: z.string().optional(),
  /** The log as it is on the chain, where an argument could not be shown as it is. */
  raw: z.object({ topics: z.array(z.string()), data: z.string() }).optional(),
});

export const contractEvent = defineTrigger({
  title: 'Contract event',
  summary: 'Starts a run for every event that a contract emits.',
  connection: network,
  input,
  event,
  examples: [{ contract: 'usdc', event: 'Transfer' }],
  finality: blockFinality,
  async listen(context) {
    const { input, client } = context;
    await listenForEvents(await resolve(client, input), context, {
      finality: input.confirmations,
      fromBlock: input.fromBlock,
    });
  },
  async backfill(context) {
    const { input, client } = context;
    await readPastEvents(await resolve(client, input), context, { finality: input.confirmations });
  },
});

async function resolve(
  client: Network,
  { contract, event, abi }: z.output<typeof input>,
): Promise<ListenedEvents<ContractEvent>> {
  if (contract === '*' && abi === undefined) {
    throw new PatchbayError('evm.unknownContract', {
      detail: 'For every contract the ABI must be named',
      fix: 'Add abi:',
    });
  }
  // For every contract the address only serves to find the ABI.
  const every = contract === '*';
  const found = await client.addressBook.get(every ? `0x${'0'.repeat(40)}` : contract, abi);
  const fragment = getFragment(found.abi, 'event', event);
  const decoder = compileLogDecoder(fragment);
  return {
    network: client,
    reader: new EventReader({ network: client, decoder, contractName: every ? undefined : found.name }),
    filter: { addresses: every ? undefined : [found.address], topics: fragment.anonymous ? [] : [[decoder.topic]] },
    hear: (read) => ({ event: read.event, subject: read.event.contract.address }),
  };
}
