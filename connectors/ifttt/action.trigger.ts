import { randomUUID } from 'node:crypto';
import { PatchbayError, defineTrigger, iftttDeduplicationField, z, type HookRequest, type IftttField } from '#sdk';
import { slug, title } from './slug.js';

const kinds = ['text', 'number', 'integer', 'address', 'choice', 'checkboxes', 'location'] as const;

const field = z
  .strictObject({
    title,
    description: z.string().max(200).optional(),
    type: z.enum(kinds).default('text'),
    required: z.boolean().default(true),
    pattern: z.string().max(500).refine(isPattern, 'must be a regular expression').optional(),
    options: z.record(z.string(), z.string()).optional(),
    example: z.string().max(500).optional(),
  })
  .refine(({ type, options }) => (type === 'choice') === (options !== undefined) || type === 'checkboxes', {
    message: 'A choice has options, value to label; other fields have none.',
    path: ['options'],
  });

const input = z.strictObject({
  action: slug().meta({ title: 'Action', description: 'Slug of the action.', examples: ['send_points'] }),
  title: title.meta({ title: 'Title', description: 'What it is called at IFTTT. Default: from the slug.' }),
  description: z.string().max(500).optional().meta({ title: 'Description', description: 'For the set-up sheet.' }),
  fields: z
    .record(
      slug().refine((name) => name !== iftttDeduplicationField, 'is a field that every action has by itself'),
      field,
    )
    .default({})
    .meta({ title: 'Fields', description: 'What a user of IFTTT fills in, by slug.' }),
});

const source = z.looseObject({ id: z.unknown().optional(), url: z.unknown().optional() });
const request = z.looseObject({
  actionFields: z.record(z.string(), z.unknown(), 'actionFields is missing'),
  ifttt_source: source.optional(),
  user: z.looseObject({ timezone: z.unknown().optional() }).optional(),
});

export const action = defineTrigger({
  title: 'Action of IFTTT',
  summary: 'Starts a run when an Applet of IFTTT does the action.',
  input,
  event: z.object({
    action: z.string(),
    /** By slug; a field that was left out is empty text. */
    fields: z.record(z.string(), z.unknown()),
    /** The Applet. */
    source: z.object({ id: z.string().optional(), url: z.string().optional() }),
    user: z.object({ timezone: z.string().optional() }),
  }),
  examples: [
    {
      action: 'send_points',
      fields: { wallet: { type: 'address' }, points: { type: 'integer', example: '10' } },
    },
  ],
  async receive({ input: declared, request: hook }) {
    if (!hook.isAuthenticated) {
      throw new PatchbayError('auth.missing', { fix: 'Send Authorization: Bearer <key>, or come by way of IFTTT.' });
    }
    const given = request.safeParse(hook.body);
    if (!given.success) {
      throw new PatchbayError('request.invalid', {
        detail: given.error.issues[0]?.message ?? 'The body is not what IFTTT sends',
        fix: 'Send JSON with actionFields.',
      });
    }
    const { actionFields, ifttt_source: from = {}, user = {} } = given.data;
    const fields = checked(declared.fields, actionFields);
    return [
      {
        id: idOf(actionFields, hook),
        event: {
          action: declared.action,
          fields,
          source: { ...textOf('id', from.id), ...textOf('url', from.url) },
          user: textOf('timezone', user.timezone),
        },
      },
    ];
  },
});

/** @throws ifttt.field – what was filled in can never do */
function checked(
  fields: Readonly<Record<string, IftttField>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const missing = Object.entries(fields).find(([name, { required }]) => required && !Object.hasOwn(given, name));
  if (missing) {
    throw new PatchbayError('request.invalid', { detail: `The field ${missing[0]} is missing in actionFields` });
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, declared]) => {
      const value = given[name] ?? '';
      const problem = problemOf(declared, value);
      if (problem === undefined) return [name, value];
      throw new PatchbayError('ifttt.field', {
        detail: `${declared.title ?? name} ${problem}`,
        fix: 'Correct the field in the Applet.',
      });
    }),
  );
}

function problemOf({ type, required, pattern, options }: IftttField, value: unknown): string | undefined {
  if (value === '') return required ? 'must not be empty' : undefined;
  if (type === 'location') return isPlace(value) ? undefined : 'must be a place with lat and lng';
  const values = type === 'checkboxes' ? [value].flat() : [value];
  if (!values.every((one) => typeof one === 'string')) return type === 'checkboxes' ? 'must be texts' : 'must be text';
  if (options && !values.every((one) => Object.hasOwn(options, one))) {
    return `must be one of ${Object.keys(options).join(', ')}`;
  }
  const text = values.join();
  const shape = shapes[type];
  if (shape && !shape.test(text.trim())) return mustBe[type];
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test(text)) return `must match ${pattern}`;
  return undefined;
}

const shapes: Partial<Record<IftttField['type'], RegExp>> = {
  number: /^-?\d+(\.\d+)?$/,
  integer: /^-?\d+$/,
  address: /^0x[0-9a-fA-F]{40}$/,
};
const mustBe: Partial<Record<IftttField['type'], string>> = {
  number: 'must be a number such as 12.5',
  integer: 'must be a whole number',
  address: 'must be an address: 0x and 40 hexadecimal digits',
};

function isPlace(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('lat' in value) || !('lng' in value)) return false;
  return Number.isFinite(Number(value.lat)) && Number.isFinite(Number(value.lng));
}

/** The same for a repeated request: what the user chose, else what the caller chose. */
function idOf(fields: Readonly<Record<string, unknown>>, { headers }: HookRequest): string {
  const chosen = fields[iftttDeduplicationField];
  if (typeof chosen === 'string' && chosen.trim() !== '') return `key:${chosen.trim().slice(0, 240)}`;
  return `request:${(headers['idempotency-key'] ?? headers['x-request-id'] ?? randomUUID()).slice(0, 240)}`;
}

function textOf<Name extends string>(name: Name, value: unknown): { [key in Name]?: string } {
  return typeof value === 'string' || typeof value === 'number'
    ? ({ [name]: String(value) } as { [key in Name]?: string })
    : {};
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(`^(?:${text})$`, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
