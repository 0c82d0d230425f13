import type { AbiFragment } from '#evm';

export type Json = Readonly<Record<string, unknown>>;

/** One that stands in a query. */
export interface Option {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Json;
}

export function decimal(description: string): Json {
  return { type: 'string', pattern: '^[0-9]+$', description };
}

function wei(description: string): Json {
  return {
    oneOf: [
      { type: 'string', pattern: '^[0-9]+$' },
      { type: 'integer', minimum: 0 },
    ],
    description,
  };
}

const blockSchema = {
  type: 'string',
  default: 'latest',
  description: 'Number, or one of latest, safe, finalized, pending, earliest',
};
export const readOptions: Json = {
  from: { type: 'string', description: 'Who asks: any address, or a signer as for sending' },
  value: wei('In wei'),
  block: blockSchema,
};
export const readQuery: readonly Option[] = [
  {
    name: 'from',
    required: false,
    schema: { type: 'string', description: 'Who asks: any address, or a signer as for sending' },
  },
  { name: 'block', required: false, schema: blockSchema },
];
export const eventQuery: readonly Option[] = [
  { name: 'fromBlock', required: false, schema: { type: 'integer', minimum: 0, default: 0 } },
  { name: 'toBlock', required: false, schema: { type: 'integer', minimum: 0, description: 'Default: the newest' } },
  { name: 'cursor', required: false, schema: { type: 'string', description: 'Of the answer before' } },
  { name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 } },
];
export const sendHeaders: readonly Json[] = [
  {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    schema: { type: 'string', maxLength: 200 },
    description: 'The same request with the same key is one transaction',
  },
  {
    name: 'Prefer',
    in: 'header',
    required: false,
    schema: { type: 'string' },
    description: '`wait=<seconds>`: how long `mined` and `confirmed` hold the request; 30 when it is not given',
  },
];

export function sendOptions({ stateMutability }: AbiFragment): Json {
  return {
    from: { type: 'string', description: 'Signer: its name, its address, or hd-<wallet>-<index>' },
    ...(stateMutability === 'payable' && { value: wei('Sent along, in wei') }),
    gas: wei('Gas limit; estimated when it is not given'),
    fee: {
      type: 'object',
      properties: { max: wei('Most per gas'), tip: wei('Tip per gas'), cap: wei('No raise goes above') },
      additionalProperties: false,
      description: 'In wei; whatever is absent the fee policy of the network decides',
    },
    wait: { type: 'string', enum: ['accepted', 'mined', 'confirmed'], default: 'accepted' },
  };
}
