import { isAddress, transactionStatuses } from '#evm';
import { amount, finalityInput, z } from '#sdk';
import { transactionFailure } from './transaction-change.schema.js';

/** `a,b` or `a` given several times. */
const statusList = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat().flatMap((text) => text.split(',')))
  .pipe(z.array(z.enum(transactionStatuses)))
  .meta({ description: 'One, or several separated by commas.' });

export const listQuery = z.strictObject({
  status: statusList.optional(),
  pending: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .meta({ description: 'Whether it is not final yet.' }),
  signer: z.string().optional().meta({ description: 'Name or address.' }),
  from: z.string().optional().meta({ description: 'The same as signer.' }),
  network: z.string().optional(),
  chainId: z.coerce.number().int().positive().optional(),
  contract: z.string().optional().meta({ description: 'Name or address.' }),
  to: z.string().optional().meta({ description: 'The same as contract.' }),
  function: z.string().optional().meta({ description: 'Name or signature.' }),
  origin: z.string().optional().meta({ description: 'flow:<name> or key:<id>' }),
  idempotencyKey: z.string().optional().meta({ description: 'As it was given, whoever gave it.' }),
  hash: z.string().optional().meta({ description: 'Of any of its attempts.' }),
  createdAfter: z.coerce.date().optional().meta({ type: 'string', format: 'date-time' }),
  createdBefore: z.coerce.date().optional().meta({ type: 'string', format: 'date-time' }),
  before: z.string().max(200).optional().meta({ description: '`next` of the previous page.' }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

const wei = amount().refine((text) => !text.startsWith('-'), 'must not be negative');

export const feeWish = z
  .strictObject({ max: wei.optional(), tip: wei.optional(), cap: wei.optional() })
  .meta({ description: 'Highest price per gas, tip, and what no raise goes above; in wei.' });

const recipient = z
  .string()
  .refine(isAddress, 'must be an address: 0x and 40 hexadecimal digits; mixed letter case must fit its checksum')
  .transform((text) => text.toLowerCase())
  .meta({ format: 'address', examples: ['0x5fbdb2315678afecb367f032d93f642f64180aa3'] });

const transactionBody = z.strictObject({
  network: z.string().optional(),
  from: z.string().min(1).meta({ description: 'Name or address of a signer.' }),
  to: recipient.optional().meta({ description: 'Absent: data is deployed.' }),
  data: z
    .string()
    .regex(/^0x([0-9a-fA-F]{2})*$/, 'must be bytes: 0x and an even number of hexadecimal digits')
    .max(400_000)
    .default('0x'),
  value: wei.default('0').meta({ description: 'In wei.' }),
  gas: wei.optional().meta({ description: 'Estimated when it is not given.' }),
  fee: feeWish.optional(),
  confirmations: finalityInput()
    .optional()
    .meta({ description: 'Blocks on top before it is final. Default: the setting of the network.' }),
});
export type TransactionBody = z.output<typeof transactionBody>;

const hasContent = ({ to, data }: { readonly to?: string | undefined; readonly data: string }): boolean =>
  to !== undefined || data !== '0x';
const noContent = { path: ['to'], message: 'to or data must be given' };

export const sendBody = transactionBody
  .extend({
    wait: z.enum(['accepted', 'mined', 'confirmed']).default('accepted').meta({
      description: 'What the answer waits for, for 30 s at the most; 202 when it is not that far by then.',
    }),
  })
  .refine(hasContent, noContent);

/** A key is found again as it was given, and PostgreSQL keeps neither U+0000 nor lone surrogates. */
const key = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), 'must have no control characters');

export const batchBody = z.strictObject({
  transactions: z
    .array(transactionBody.extend({ idempotencyKey: key.optional() }).refine(hasContent, noContent))
    .min(1)
    .max(500),
});

export const replaceBody = z.strictObject({ fee: feeWish });

const failure = transactionFailure.nullable();

export const transactionAnswer = z.object({
  id: z.uuid(),
  idempotencyKey: z.string().nullable().meta({ description: 'As its caller gave it; null where none was given' }),
  chainId: z.number().int(),
  network: z.string().nullable(),
  signer: z.string(),
  from: z.string(),
  to: z.string().nullable(),
  nonce: z.number().int(),
  value: z.string().meta({ description: 'In wei' }),
  gasLimit: z.string(),
  finality: z.string(),
  fee: z.object({ max: z.string().optional(), tip: z.string().optional(), cap: z.string().optional() }).nullable(),
  about: z
    .object({ contract: z.string().optional(), function: z.string().optional(), args: z.unknown().optional() })
    .nullable(),
  origin: z.string().nullable(),
  status: z.enum(transactionStatuses),
  hash: z.string().nullable().meta({ description: 'Of the attempt that was mined, until then of the newest' }),
  receipt: z.object({ blockNumber: z.number().int(), blockHash: z.string(), gasUsed: z.string() }).nullable(),
  contractAddress: z.string().nullable(),
  failure,
  wish: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  links: z.record(z.string(), z.string()),
});

export const transactionsAnswer = z.object({
  items: z.array(transactionAnswer),
  next: z.string().optional().meta({ description: 'Give this as `before` to go on; absent on the last page' }),
});

export const transactionDetailAnswer = z.object({
  ...transactionAnswer.shape,
  data: z.string(),
  attempts: z.array(
    z.object({
      number: z.number().int(),
      kind: z.enum(['payload', 'filler']),
      hash: z.string(),
      maxFee: z.string(),
      tip: z.string().nullable(),
      sentAt: z.iso.datetime().nullable(),
      sentBlock: z.number().int().nullable(),
    }),
  ),
  history: z.array(
    z.object({
      status: z.enum(transactionStatuses),
      at: z.iso.datetime(),
      reason: z.string().nullable(),
      place: z
        .object({ hash: z.string(), blockNumber: z.number(), blockHash: z.string(), gasUsed: z.string() })
        .nullable(),
      failure,
    }),
  ),
});

export const batchAnswer = z.object({
  items: z.array(
    z.union([
      z.object({ id: z.uuid(), status: z.enum(transactionStatuses) }),
      z.object({
        error: z.object({ code: z.string(), title: z.string(), detail: z.string(), fix: z.string().optional() }),
      }),
    ]),
  ),
});
