import { transactionFeed, transactionStatuses, type TransactionChange } from '#evm';
import { defineTrigger, followFeed, z } from '#sdk';
import { network } from './connection.js';

const status = z.enum(transactionStatuses);

const input = z.strictObject({
  status: z
    .array(status)
    .min(1)
    .optional()
    .meta({ title: 'Status', description: 'Default: every change.', examples: [['confirmed', 'failed']] }),
  signer: z
    .string()
    .optional()
    .meta({ title: 'Signer', description: 'Name or address.', examples: ['treasury'] }),
  contract: z
    .string()
    .optional()
    .meta({
      title: 'Contract',
      description: 'Name or address of what is called or was deployed.',
      examples: ['loyalty-token'],
    }),
  function: z
    .string()
    .optional()
    .meta({ title: 'Function', description: 'Name or signature.', examples: ['mint'] }),
  origin: z
    .string()
    .optional()
    .meta({
      title: 'Origin',
      description: 'flow:<name>, or key:<id> of an API key.',
      examples: ['flow:loyalty-points'],
    }),
});

const event = z.object({
  transaction: z.object({
    id: z.string(),
    /** As its caller gave it; null where none was given. */
    idempotencyKey: z.string().nullable(),
    chainId: z.number(),
    signer: z.string(),
    from: z.string(),
    /** Null: it deploys. */
    to: z.string().nullable(),
    nonce: z.number(),
    value: z.string(),
    contractAddress: z.string().nullable(),
    /** What it calls, where that is known. */
    about: z
      .object({ contract: z.string().optional(), function: z.string().optional(), args: z.unknown().optional() })
      .nullable(),
    origin: z.string().nullable(),
  }),
  status,
  hash: z.string().nullable(),
  place: z.object({ hash: z.string(), blockNumber: z.number(), blockHash: z.string(), gasUsed: z.string() }).nullable(),
  failure: z
    .object({
      code: z.string(),
      detail: z.string(),
      /** What the contract refused with, where its ABI knows it. */
      error: z.object({ name: z.string(), signature: z.string(), args: z.record(z.string(), z.unknown()) }).optional(),
    })
    .nullable(),
  /** Why, where the status does not say it. */
  reason: z.string().nullable(),
  network: z.string(),
});

export const transactionStatus = defineTrigger({
  title: 'Status of a transaction',
  summary: 'Starts a run when a transaction that this hub sends changes its status.',
  connection: network,
  input,
  event,
  examples: [{ status: ['failed', 'cancelled'] }, { signer: 'treasury', function: 'mint', status: ['confirmed'] }],
  finality: {
    shortfall({ status: wanted }) {
      if (wanted === undefined || (Array.isArray(wanted) && !wanted.includes('mined'))) return undefined;
      return {
        pointer: '/status',
        detail: 'The flow moves value when a transaction is mined, whose block can still be replaced',
        fix: 'Wait for confirmed instead of mined.',
        severity: 'warning',
      };
    },
  },
  async listen(context) {
    const { input: wanted, client, cursor, signal, use } = context;
    const feed = use(transactionFeed);
    let after = cursor;
    if (after === undefined) {
      after = await feed.tail();
      await context.emit([], { cursor: after });
    }
    for await (const page of followFeed(feed, { after, signal })) {
      const changes = page.map(({ item }) => item).filter((change) => isWanted(change, client.chainId, wanted));
      await context.emit(
        changes.map(({ id, time, ...change }) => ({
          id,
          time,
          subject: change.transaction.id,
          event: { ...change, network: client.name },
        })),
        { cursor: page.at(-1)!.cursor },
      );
    }
  },
});

function isWanted(
  { transaction, status: reached }: TransactionChange,
  chainId: number,
  wanted: z.output<typeof input>,
): boolean {
  const { signer, from, to, contractAddress, about, origin } = transaction;
  const called = wanted.function?.replaceAll(/\s/g, '');
  return (
    transaction.chainId === chainId &&
    (wanted.status?.includes(reached) ?? true) &&
    isOneOf(wanted.signer, [signer, from]) &&
    isOneOf(wanted.contract, [about?.contract, to, contractAddress]) &&
    isOneOf(called, [about?.function, about?.function?.split('(')[0]]) &&
    isOneOf(wanted.origin, [origin])
  );
}

/** Addresses are given in any case and kept in lower case. */
function isOneOf(wanted: string | undefined, names: readonly (string | null | undefined)[]): boolean {
  return wanted === undefined || names.includes(wanted.startsWith('0x') ? wanted.toLowerCase() : wanted);
}
