import { argumentNames, type AbiFragment, type AbiParameter } from '#evm';
import { faultsOf } from '#platform';
import { PatchbayError, amount, z, type Fault } from '#sdk';

export const notNegative = (what: string) =>
  amount()
    .refine((text) => !text.startsWith('-'), 'must not be negative')
    .meta({ title: what, description: 'Whole number, as text or as a safe number', examples: ['250000'] });

export const feeWish = z
  .strictObject({
    max: notNegative('Most per gas'),
    tip: notNegative('Tip per gas'),
    cap: notNegative('No raise above'),
  })
  .partial()
  .meta({ title: 'Fees', description: 'In wei; whatever is absent the network’s fee policy decides' });

export const waitFor = z.enum(['accepted', 'mined', 'confirmed']);

export const functionArguments = z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]);

const block = z.union([
  z.enum(['latest', 'safe', 'finalized', 'pending', 'earliest']),
  z
    .string()
    .regex(
      /^(\d{1,15}|0x[0-9a-fA-F]{1,13})$/,
      'must be a block number or one of latest, safe, finalized, pending, earliest',
    ),
  z.number().int().min(0),
]);

const options = {
  from: z.string().min(1).max(200),
  value: notNegative('Value'),
  gas: notNegative('Gas limit'),
  fee: feeWish,
  wait: waitFor,
  simulate: z.boolean(),
  block,
  network: z.string().min(1).max(100),
  interface: z.string().min(1).max(120),
};

/** The body of a call: the arguments, and beside them how it is made. */
export const callBody = z
  .strictObject({ ...options, args: functionArguments })
  .partial()
  .meta({ title: 'Call' });

export type CallRequest = z.output<typeof callBody> & { readonly read?: boolean };

/** Options in a query; those of `fee` are spelled with a point. `read` makes a POST read. */
export const queryOptions = [
  'from',
  'value',
  'gas',
  'fee.max',
  'fee.tip',
  'fee.cap',
  'wait',
  'simulate',
  'block',
  'network',
  'interface',
  'read',
] as const;

/** In front of an option whose name is also an input of the function. */
export const optionPrefix = 'pb-';

type Query = Readonly<Record<string, unknown>>;

/**
 * Splits a query into arguments and options. A name that is an input of the function is the input; the option of the same
 * name is then written with `pb-` in front, which may always be done. In a filter a repeated name is a choice.
 *
 * @throws request.invalid naming what is neither
 */
export function splitQuery(
  query: Query,
  inputs: readonly AbiParameter[],
  allowed: readonly string[],
  isFilter = false,
): { readonly args: Record<string, unknown>; readonly given: Record<string, string> } {
  const names = argumentNames(inputs);
  const args: Record<string, unknown> = {};
  const given: Record<string, string> = {};
  const faults: Fault[] = [];
  for (const [key, value] of Object.entries(query)) {
    const index = names.indexOf(key);
    const option = key.startsWith(optionPrefix) ? key.slice(optionPrefix.length) : key;
    if (index >= 0) args[key] = argumentOf(inputs[index]!, { key, value, isFilter }, faults);
    else if (!allowed.includes(option)) faults.push({ pointer: `#/${key}`, detail: 'Unknown parameter' });
    else if (typeof value !== 'string') faults.push({ pointer: `#/${key}`, detail: 'Given more than once' });
    else given[option] = value;
  }
  if (faults.length === 0) return { args, given };
  throw new PatchbayError('request.invalid', {
    detail: `${faults.length === 1 ? '1 fault' : `${faults.length} faults`} in the query of the request: ${faults.map(({ pointer }) => pointer.slice(2)).join(', ')}`,
    fix: `It takes ${[...names, ...allowed].join(', ')}`,
    faults,
  });
}

/** Options of a query, in the shape of the body. @throws request.invalid */
export function optionsOf(given: Readonly<Record<string, string>>): CallRequest {
  const { 'fee.max': max, 'fee.tip': tip, 'fee.cap': cap, simulate, read, ...rest } = given;
  const fee = {
    ...(max !== undefined && { max }),
    ...(tip !== undefined && { tip }),
    ...(cap !== undefined && { cap }),
  };
  const parsed = checked(callBody, {
    ...rest,
    ...(simulate !== undefined && { simulate: truth(simulate) }),
    ...(Object.keys(fee).length > 0 && { fee }),
  });
  return read === undefined ? parsed : { ...parsed, read: checked(z.boolean(), truth(read)) };
}

export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = faultsOf(schema, result.error);
  throw new PatchbayError('request.invalid', {
    detail: `${faults.length === 1 ? '1 fault' : `${faults.length} faults`} in the request`,
    faults,
  });
}

/** As the chain's interface takes it. */
export function blockParameter(given: CallRequest['block']): string {
  if (given === undefined) return 'latest';
  if (typeof given === 'number' || /^\d+$/.test(given)) return `0x${Number(given).toString(16)}`;
  return given.toLowerCase();
}

/** What reads only, by its ABI. */
export function isRead({ stateMutability }: AbiFragment): boolean {
  return stateMutability === 'view' || stateMutability === 'pure';
}

/** Lists and tuples are JSON text; a list may also be given by repeating its name. */
function argumentOf(
  parameter: AbiParameter,
  { key, value, isFilter }: { readonly key: string; readonly value: unknown; readonly isFilter: boolean },
  faults: Fault[],
): unknown {
  const isList = parameter.type.endsWith(']');
  if (Array.isArray(value)) {
    if (!isList && !isFilter) faults.push({ pointer: `#/${key}`, detail: 'Given more than once' });
    return value;
  }
  const text = String(value).trim();
  if (isList && !text.startsWith('[') && !isFilter) return [value];
  if (!isList && parameter.type !== 'tuple') return value;
  try {
    const parsed = JSON.parse(text) as unknown;
    // A list of a filter is a list of choices.
    return isFilter ? [parsed] : parsed;
  } catch {
    faults.push({ pointer: `#/${key}`, detail: `It must be JSON text, because its type is ${parameter.type}` });
    return undefined;
  }
}

function truth(text: string): unknown {
  return text === 'true' ? true : text === 'false' ? false : text;
}
