import { formatPosition } from '#evm';
import { defineTrigger, z } from '#sdk';
import { network } from './connection.js';
import { blockFinality, heardConfirmations } from './finality.js';

export const newBlock = defineTrigger({
  title: 'New block',
  summary: 'Starts a run for every block of the chain.',
  connection: network,
  input: z.strictObject({ confirmations: heardConfirmations() }),
  event: z.object({
    number: z.number(),
    hash: z.string(),
    parentHash: z.string(),
    timestamp: z.string(),
    network: z.string(),
    chainId: z.number(),
  }),
  examples: [{}, { confirmations: 'finalized' }],
  finality: blockFinality,
  async listen(context) {
    const { input, client, cursor, signal } = context;
    await client.watcher.watch({
      filter: 'blocks',
      finality: client.finalityOf(input.confirmations, context),
      cursor,
      signal,
      deliver: ({ blocks, cursor: place }) =>
        context.emit(
          blocks.map(({ number, hash, parentHash, timestamp }) => {
            const time = new Date(timestamp * 1_000).toISOString();
            return {
              id: `${String(client.chainId)}:${hash}`,
              time,
              position: formatPosition(number, 0),
              place: hash,
              event: { number, hash, parentHash, timestamp: time, network: client.name, chainId: client.chainId },
            };
          }),
          { cursor: place },
        ),
      retract: (retraction) => context.retract(retraction),
    });
  },
});
