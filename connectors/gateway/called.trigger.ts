import { followFeed, defineTrigger, z } from '#sdk';
import { gatewayCalls, isWantedCall } from '#evm';

const input = z.strictObject({
  contract: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'Contract', description: 'Name or address; every contract when absent.', examples: ['escrow'] }),
  function: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'Function', description: 'Name, or signature where names repeat.', examples: ['release'] }),
  kind: z
    .enum(['send', 'read', 'any'])
    .default('send')
    .meta({ title: 'Kind', description: 'Calls that send a transaction, calls that only read, or both.' }),
});

export const called = defineTrigger({
  title: 'Contract called',
  summary: "Starts a run for every call that comes in over a contract's REST route.",
  input,
  event: z.object({
    id: z.string(),
    time: z.string(),
    /** Name of the API key. */
    caller: z.string(),
    network: z.string(),
    chainId: z.number(),
    contract: z.object({ name: z.string().optional(), address: z.string() }),
    /** Signature. */
    function: z.string(),
    kind: z.enum(['read', 'send']),
    args: z.record(z.string(), z.unknown()),
    /** Of a read. */
    result: z.unknown().optional(),
    /** Id of the transaction of a send. */
    transaction: z.string().optional(),
  }),
  examples: [{ contract: 'escrow', function: 'release' }, { kind: 'any' }],
  async listen(context) {
    const { input: wish, cursor, signal } = context;
    const feed = context.use(gatewayCalls);
    const after = cursor ?? (await feed.tail());
    if (cursor === undefined) await context.emit([], { cursor: after });
    for await (const page of followFeed(feed, { after, signal })) {
      const wanted = page.filter(({ item }) => isWantedCall(item, wish));
      const heard = wanted.map(({ item, cursor: position }) => ({
        id: item.id,
        time: item.time,
        subject: item.contract.address,
        position,
        event: { ...item, args: { ...item.args } },
      }));
      const last = page.at(-1);
      if (last !== undefined) await context.emit(heard, { cursor: last.cursor });
    }
  },
});
