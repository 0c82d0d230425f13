import {
  EventReader,
  compileLogDecoder,
  formatBlock,
  getFragment,
  readPastLogs,
  type ChainLog,
  type ContractEvent,
  type LogFilter,
  type Network,
} from '#evm';
import { PatchbayError, defineTrigger, z, type Heard } from '#sdk';
import { network } from './connection.js';
import { abiInput, confirmations, contractInput } from './finality.js';

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
  confirmations: confirmations(),
  fromBlock: z
    .number()
    .int()
    .min(0)
    .optional()
    .meta({ title: 'From block', description: 'Where the first start begins. Default: with the next block.' }),
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

/** What was asked for, with everything looked up once. */
interface Listened {
  readonly filter: LogFilter;
  readonly reader: EventReader;
}

export const contractEvent = defineTrigger({
  title: 'Contract event',
  summary: 'Starts a run for every event that a contract emits.',
  connection: network,
  input,
  event,
  examples: [{ contract: 'usdc', event: 'Transfer' }],
  async listen(context) {
    const { input, client, cursor, signal } = context;
    const listened = await resolve(client, input);
    await client.watcher.watch({
      filter: listened.filter,
      finality: client.finalityOf(input.confirmations),
      cursor,
      signal,
      ...(input.fromBlock === undefined ? {} : { fromBlock: input.fromBlock }),
      deliver: (batch) => context.emit(hear(listened, batch.logs), { cursor: batch.cursor }),
      retract: async (retraction) => {
        await context.retract(retraction);
        listened.reader.restart();
      },
    });
  },
  async backfill(context) {
    const { input, client, cursor, from, to, signal } = context;
    const listened = await resolve(client, input);
    const first = parseBlock(from);
    const last = to === undefined ? Number(await client.rpc.request('eth_blockNumber')) : parseBlock(to);
    const start = cursor === undefined ? first : Math.max(first, parseBlock(cursor));
    for await (const { logs, next } of readPastLogs(client.rpc, listened.filter, { from: start, to: last }, signal)) {
      await context.emit(hear(listened, logs), { cursor: formatBlock(next) });
      context.progress(next - first, last - first + 1);
    }
  },
});

async function resolve(client: Network, { contract, event, abi }: z.output<typeof input>): Promise<Listened> {
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
    reader: new EventReader({ network: client, decoder, contractName: every ? undefined : found.name }),
    filter: { addresses: every ? undefined : [found.address], topics: fragment.anonymous ? [] : [[decoder.topic]] },
  };
}

function hear({ reader }: Listened, logs: readonly ChainLog[]): Heard<ContractEvent>[] {
  return reader.read(logs).map(({ id, position, event }) => ({
    id,
    time: event.block.timestamp,
    subject: event.contract.address,
    position,
    place: event.block.hash,
    event,
  }));
}

function parseBlock(text: string): number {
  if (!/^\d{1,15}$/.test(text)) {
    throw new PatchbayError('request.invalid', { detail: `${JSON.stringify(text)} is no block number` });
  }
  return Number(text);
}
