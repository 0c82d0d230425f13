import { PatchbayError, z, type Fault } from '#sdk';

const kinds = ['text', 'number', 'integer', 'boolean', 'address', 'any'] as const;

export const adapterField = z.strictObject({
  type: z.enum(kinds).default('text'),
  required: z.boolean().default(true),
  /** Other names under which callers send it. */
  aliases: z.array(z.string().min(1)).default([]),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  description: z.string().max(500).optional(),
});

export type AdapterField = z.output<typeof adapterField>;

/**
 * What was asked for, by the names that the flow uses; fields that are not declared are left as they are.
 *
 * @throws request.invalid with every fault at once
 */
export function readFields(
  fields: Readonly<Record<string, AdapterField>>,
  data: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const faults: Fault[] = [];
  const read: Record<string, unknown> = { ...data };
  for (const [name, field] of Object.entries(fields)) {
    const used = [name, ...field.aliases].find((alias) => isGiven(data, alias));
    const value = used === undefined ? field.default : data[used];
    if (used !== undefined && used !== name) delete read[used];
    if (value === undefined) {
      delete read[name];
      if (field.required) faults.push({ pointer: `#/data/${name}`, detail: `data.${name} is missing` });
      continue;
    }
    const taken = readers[field.type](value);
    if (taken === undefined) faults.push({ pointer: `#/data/${name}`, detail: `data.${name} ${mustBe[field.type]}` });
    read[name] = taken;
  }
  if (faults.length === 0) return read;
  throw new PatchbayError('request.invalid', {
    detail: faults.map(({ detail }) => detail).join('; '),
    fix: `Send {"data": {…}} with ${Object.entries(fields)
      .map(([name, { type, required }]) => `${name} (${type}${required ? '' : ', optional'})`)
      .join(', ')}.`,
    faults,
  });
}

function isGiven(data: Readonly<Record<string, unknown>>, name: string): boolean {
  return Object.hasOwn(data, name) && data[name] !== null && data[name] !== '';
}

/** Each gives the value as flows use it, or nothing when it is none. Amounts stay text: they need not fit a number. */
const readers: Readonly<Record<AdapterField['type'], (value: unknown) => unknown>> = {
  text: (value) => textOf(value),
  number: (value) => matching(value, /^-?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/),
  integer: (value) => matching(value, /^-?\d+$/),
  address: (value) => matching(value, /^0x[0-9a-fA-F]{40}$/)?.toLowerCase(),
  boolean: (value) =>
    value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined,
  any: (value) => value,
};

const mustBe: Readonly<Record<AdapterField['type'], string>> = {
  text: 'must be text',
  number: 'must be a number such as 12.5',
  integer: 'must be a whole number',
  address: 'must be an address: 0x and 40 hexadecimal digits',
  boolean: 'must be true or false',
  any: 'must be given',
};

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

function matching(value: unknown, shape: RegExp): string | undefined {
  const text = typeof value === 'boolean' ? undefined : textOf(value)?.trim();
  return text !== undefined && shape.test(text) ? text : undefined;
}
