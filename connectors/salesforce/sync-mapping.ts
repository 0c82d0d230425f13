import { finalityInput, z } from '#sdk';
import { fieldName, objectName } from './field-schemas.js';

const name = () => z.string().min(1).max(200);
const policy = () => z.enum(['chain', 'salesforce', 'newest']);
export const decimals = () => z.number().int().min(0).max(77);

export const finality = () =>
  finalityInput().meta({
    title: 'Confirmations',
    description: 'Blocks on top before the chain is believed. Default: the setting of the network.',
  });

const column = z.strictObject({
  salesforce: fieldName(),
  chain: name().meta({ title: 'Value on the chain', description: 'Output of the function that reads an entry.' }),
  direction: z.enum(['both', 'toChain', 'toSalesforce']).default('both'),
  conflict: policy().optional(),
  decimals: decimals().optional().meta({ description: 'The field holds the amount in whole tokens.' }),
  exact: fieldName().optional().meta({ description: 'A text field for the whole amount, beside the scaled one.' }),
  write: name().optional().meta({ description: 'Function that sets this value alone: of the key and the value.' }),
});

/** What is joined to what; flows that a sync file compiles to hand it to every step. */
export const syncMapping = z
  .strictObject({
    salesforce: z.strictObject({ object: objectName(), key: fieldName() }),
    chain: z.strictObject({
      network: name().optional(),
      contract: name(),
      abi: name().optional(),
      events: z.array(name()).min(1),
      key: name().meta({ description: 'Argument of the events that is the key.' }),
      read: name().meta({ description: 'Function that gives the entry of a key.' }),
      exists: name().optional().meta({ description: 'Output that tells whether there is an entry.' }),
      write: name().optional(),
      remove: name().optional(),
      from: name().optional(),
      confirmations: finality().optional(),
      fromBlock: z.number().int().min(0).default(0),
    }),
    fields: z.array(column).min(1).max(100),
    conflict: policy().default('chain'),
    deletes: z
      .strictObject({
        onChain: z.enum(['mark', 'delete', 'ignore']).default('ignore'),
        mark: fieldName().optional(),
        inSalesforce: z.enum(['remove', 'ignore']).default('ignore'),
      })
      .prefault({}),
  })
  .meta({ title: 'Mapping', description: 'As a sync file says it; see docs/sync.md.' });

export type SyncMapping = z.output<typeof syncMapping>;
export type SyncField = SyncMapping['fields'][number];

/** One field of the record beside one value of the entry. */
export interface Joint {
  /** Place among the fields of the mapping, and which of its names. */
  readonly place: number;
  readonly part: 'salesforce' | 'exact';
  readonly salesforce: string;
  readonly chain: string;
  readonly direction: SyncField['direction'];
  readonly conflict: SyncMapping['conflict'];
  readonly decimals: number | undefined;
  readonly write: string | undefined;
}

/** Whether anything may be written to the chain, as far as the mapping can be read. */
export function writesToChain(written: unknown): boolean {
  const { data } = syncMapping.safeParse(written);
  if (data === undefined) return true;
  return data.deletes.inSalesforce === 'remove' || data.fields.some(({ direction }) => direction !== 'toSalesforce');
}

/** A field with a scaled number and a text stands for two joints: the text follows the chain. */
export function jointsOf({ fields, conflict }: SyncMapping): Joint[] {
  return fields.flatMap((field, place) => {
    const { chain, direction, write } = field;
    const joint: Joint = {
      place,
      part: 'salesforce',
      salesforce: field.salesforce,
      chain,
      direction,
      conflict: field.conflict ?? conflict,
      decimals: field.decimals,
      write,
    };
    if (field.exact === undefined) return [joint];
    return [
      joint,
      { ...joint, part: 'exact', salesforce: field.exact, direction: 'toSalesforce', decimals: undefined } as const,
    ];
  });
}
