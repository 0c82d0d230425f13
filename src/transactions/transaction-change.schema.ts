import { transactionStatuses } from '#evm';
import { z } from '#sdk';

export const transactionFailure = z.object({
  code: z.string(),
  detail: z.string(),
  error: z
    .object({ name: z.string(), signature: z.string(), args: z.record(z.string(), z.unknown()) })
    .optional()
    .meta({ description: 'What the contract refused with, where its ABI knows it.' }),
});

/** What became of a transaction at one moment; told on socket.io namespace `/transactions` and by event streams. */
export const transactionChange = z.object({
  id: z.string().meta({ description: 'The same for ever: transaction and number of the change.' }),
  transaction: z.object({
    id: z.string(),
    idempotencyKey: z.string().nullable().meta({ description: 'As its caller gave it; null: none was given.' }),
    chainId: z.number().int(),
    signer: z.string(),
    from: z.string(),
    to: z.string().nullable().meta({ description: 'Null: it deploys.' }),
    nonce: z.number().int(),
    value: z.string().meta({ description: 'In wei.' }),
    contractAddress: z.string().nullable(),
    about: z
      .object({ contract: z.string().optional(), function: z.string().optional(), args: z.unknown().optional() })
      .nullable()
      .meta({ description: 'What it calls, in words of the ABI.' }),
    origin: z.string().nullable().meta({ description: 'flow:<name> or key:<id>' }),
  }),
  network: z.string().nullable().meta({ description: 'Null: it is not declared any more.' }),
  status: z.enum(transactionStatuses),
  hash: z.string().nullable(),
  place: z
    .object({ hash: z.string(), blockNumber: z.number().int(), blockHash: z.string(), gasUsed: z.string() })
    .nullable(),
  failure: transactionFailure.nullable(),
  reason: z.string().nullable(),
  time: z.iso.datetime(),
});

export type TransactionChangeMessage = z.input<typeof transactionChange>;
