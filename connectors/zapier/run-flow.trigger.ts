import { randomUUID } from 'node:crypto';
import { PatchbayError, defineTrigger, z, type Fault } from '#sdk';

const kinds = ['text', 'number', 'integer', 'boolean', 'datetime', 'address', 'choice'] as const;

const fieldName = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9_]{0,63}$/, 'must begin with a lower-case letter and consist of letters, digits and _');

const field = z
  .strictObject({
    label: z.string().min(2).max(100).optional(),
    help: z.string().max(500).optional(),
    type: z.enum(kinds).default('text'),
    required: z.boolean().default(true),
    /** Values to choose from, with their labels. */
    options: z.record(z.string(), z.string()).optional(),
    default: z.string().max(500).optional(),
  })
  .refine(({ type, options }) => (type === 'choice') === (options !== undefined), {
    message: 'A choice has options, value to label; other fields have none.',
    path: ['options'],
  });

type Field = z.output<typeof field>;

const input = z.strictObject({
  fields: z
    .record(fieldName, field)
    .default({})
    .meta({ title: 'Fields', description: 'What is filled in in the Zap, by name; amounts are text.' }),
});

const body = z.looseObject({ fields: z.record(z.string(), z.unknown()).default({}) });

/** The id becomes an indexed key of the event. */
const longestId = 255;
const mostText = 20_000;

export const runFlow = defineTrigger({
  title: 'Run Flow from a Zap',
  summary: 'Starts a run when a Zap does "Run Flow"; the Zap may wait for its end.',
  input,
  event: z.object({
    /** By name; an optional field that was left empty is null. */
    fields: z.record(z.string(), z.unknown()),
  }),
  examples: [{}, { fields: { wallet: { type: 'address' }, points: { type: 'integer', label: 'Points' } } }],
  async receive({ input: declared, request }) {
    if (!request.isAuthenticated) {
      throw new PatchbayError('auth.missing', { fix: 'Send Authorization: Bearer <key>, or come by way of Zapier.' });
    }
    const given = body.safeParse(request.body);
    if (!given.success) {
      throw new PatchbayError('request.invalid', {
        detail: 'The fields are no object.',
        fix: 'Send {"fields": {…}}.',
      });
    }
    const id = request.headers['idempotency-key'] ?? randomUUID();
    if (id === '' || id.length > longestId) {
      throw new PatchbayError('request.invalid', { detail: 'The header Idempotency-Key is empty or too long.' });
    }
    return [{ id, event: { fields: checked(declared.fields, given.data.fields) } }];
  },
});

/** @throws request.invalid with every fault at once */
function checked(
  fields: Readonly<Record<string, Field>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const faults: Fault[] = Object.keys(given)
    .filter((name) => !Object.hasOwn(fields, name))
    .map((name) => ({ pointer: `#/fields/${name}`, detail: `The flow has no field ${name}`, rule: 'unknown-field' }));
  const values = Object.entries(fields).map(([name, declared]): [string, unknown] => {
    const value = Object.hasOwn(given, name) && given[name] !== '' ? given[name] : (declared.default ?? null);
    const read = readers[declared.type];
    if (value === null || value === undefined) {
      if (declared.required)
        faults.push({ pointer: `#/fields/${name}`, detail: `${declared.label ?? name} is missing` });
      return [name, null];
    }
    const result = read(value, declared);
    if (result === undefined) {
      faults.push({ pointer: `#/fields/${name}`, detail: `${declared.label ?? name} ${mustBe(declared)}` });
    }
    return [name, result];
  });
  if (faults.length === 0) return Object.fromEntries(values);
  throw new PatchbayError('request.invalid', {
    detail: faults.map(({ detail }) => detail).join('; '),
    fix:
      Object.keys(fields).length === 0
        ? 'The flow takes no fields.'
        : `The flow takes ${Object.keys(fields).join(', ')}.`,
    faults,
  });
}

type Read = (value: unknown, field: Field) => unknown;

/** Each gives the value as flows use it, or nothing when it is none. */
const readers: Readonly<Record<Field['type'], Read>> = {
  text: textOf,
  number: (value) => matching(value, /^-?\d+(\.\d+)?$/),
  integer: (value) => matching(value, /^-?\d+$/),
  address: (value) => matching(value, /^0x[0-9a-fA-F]{40}$/)?.toLowerCase(),
  boolean: (value) => truths.get(String(value).toLowerCase()),
  datetime: (value) => timeOf(textOf(value)),
  choice: (value, { options = {} }) => (Object.hasOwn(options, String(value)) ? String(value) : undefined),
};

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false],
]);

/** Amounts stay text: they need not fit a number. */
function matching(value: unknown, shape: RegExp): string | undefined {
  const text = textOf(value)?.trim();
  return text !== undefined && shape.test(text) ? text : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value);
  return text.length <= mostText ? text : undefined;
}

function timeOf(text: string | undefined): string | undefined {
  const at = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

function mustBe({ type, options = {} }: Field): string {
  switch (type) {
    case 'text':
      return `must be text of at most ${mostText} characters`;
    case 'number':
      return 'must be a number such as 12.5';
    case 'integer':
      return 'must be a whole number';
    case 'boolean':
      return 'must be true or false';
    case 'datetime':
      return 'must be a time such as 2026-01-31T12:00:00Z';
    case 'address':
      return 'must be an address: 0x and 40 hexadecimal digits';
    case 'choice':
      return `must be one of ${Object.keys(options).join(', ')}`;
  }
}
