import { transactionStatuses } from '#evm';
import { address, z } from '#sdk';

const reference = z.string().trim().min(1).max(200);
const inBatch = z
  .union([z.boolean(), z.enum(['true', 'false', '']).transform((text) => text === 'true')])
  .default(false);
/** An empty field of a form is one that was left out. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' || value === null ? undefined : value), schema.optional());

const contractEvent = z.strictObject({
  network: optional(reference),
  contract: reference,
  event: reference,
});
const tokenTransfer = z.strictObject({
  network: optional(reference),
  contract: reference,
  from: optional(address()),
  to: optional(address()),
  /** In whole tokens. */
  minimum: optional(z.string().regex(/^\d+(\.\d+)?$/, 'must be a number such as 12.5')),
});
const status = z.enum(transactionStatuses);
const transactionStatus = z.strictObject({
  network: optional(reference),
  statuses: optional(z.union([z.array(status).min(1), status.transform((one) => [one])])),
  signer: optional(reference),
  contract: optional(reference),
});
const flowPublished = z.strictObject({ event: reference });
const flowFinished = z.strictObject({
  flow: reference,
  states: optional(z.array(z.enum(['completed', 'failed', 'cancelled'])).min(1)),
});

/** What a Zap may begin with, and what is filled in for each. */
export const triggerInputs = {
  contract_event: contractEvent,
  token_transfer: tokenTransfer,
  transaction_status: transactionStatus,
  flow_published: flowPublished,
  flow_finished: flowFinished,
} as const;

export type TriggerName = keyof typeof triggerInputs;
export type TriggerInput<Name extends TriggerName = TriggerName> = z.output<(typeof triggerInputs)[Name]>;
export type ChainInput =
  | ({ readonly trigger: 'contract_event' } & TriggerInput<'contract_event'>)
  | ({ readonly trigger: 'token_transfer' } & TriggerInput<'token_transfer'>);

export const triggerName = z.enum(Object.keys(triggerInputs) as [TriggerName, ...TriggerName[]]);

export const subscribeBody = z.strictObject({
  targetUrl: z.string().max(2_000),
  trigger: triggerName,
  input: z.record(z.string(), z.unknown()).default({}),
  /** Several events that wait together come in one request, as a list. */
  inBatch,
});

export const runBody = z.strictObject({
  flow: reference,
  fields: z.record(z.string(), z.unknown()).default({}),
  /** Where the result is posted once the run has ended. */
  callbackUrl: z.string().max(2_000).optional(),
  /** A run is started once for each. */
  key: z.string().trim().min(1).max(200).optional(),
});

const argumentsOf = z.record(z.string(), z.unknown()).default({});

export const readBody = z.strictObject({
  network: optional(reference),
  contract: reference,
  function: reference,
  args: argumentsOf,
});

export const callBody = z.strictObject({
  ...readBody.shape,
  signer: reference,
  /** One transaction for each. */
  key: z.string().trim().min(1).max(200),
  callbackUrl: z.string().max(2_000).optional(),
});

export const listQuery = z.object({
  network: optional(reference),
  contract: optional(reference),
  kind: optional(z.enum(['read', 'send'])),
  page: z.coerce.number().int().min(0).max(1_000).default(0),
});
export const functionQuery = z.object({
  network: optional(reference),
  contract: reference,
  function: reference,
});
export const flowQuery = z.object({ flow: reference });
export const runSearch = z.object({
  run: optional(z.string().max(200)),
  flow: optional(reference),
  state: optional(z.enum(['queued', 'running', 'completed', 'failed', 'cancelled'])),
});
export const transactionSearch = z.object({ transaction: reference });

/** An entry of a drop-down. */
export const choices = z.array(z.object({ id: z.string(), name: z.string() }));
export const items = z.array(z.looseObject({ id: z.string() }));
/** As Zapier takes a field of a form. */
export const formFields = z.array(
  z.object({
    key: z.string(),
    label: z.string(),
    type: z.enum(['string', 'text', 'boolean', 'datetime', 'number', 'integer']),
    required: z.boolean(),
    helpText: z.string().optional(),
    list: z.boolean().optional(),
    choices: z.record(z.string(), z.string()).optional(),
    default: z.string().optional(),
  }),
);

export type Choice = z.output<typeof choices>[number];
export type FormField = z.output<typeof formFields>[number];
