import { z } from '#sdk';

/** The part of JSON schema that zod writes for our definitions. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly secret?: boolean;
}

export interface Field {
  /** Dotted below the first level. */
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly default: string;
  readonly description: string;
}

export function inputFields(schema: z.ZodType): readonly Field[] {
  return fieldsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema, 1);
}

/** Three levels deep: what a template usually refers to. */
export function outputFields(schema: z.ZodType): readonly Field[] {
  return fieldsOf(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as JsonSchema, 3);
}

function fieldsOf(schema: JsonSchema, depth: number, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const here: Field = {
      name: path,
      type: typeOf(field),
      isRequired: (schema.required ?? []).includes(name) && field.default === undefined,
      default: field.default === undefined ? '' : JSON.stringify(field.default),
      description: describe(field),
    };
    return depth > 1 ? [here, ...fieldsOf(field, depth - 1, `${path}.`)] : [here];
  });
}

function describe({ title, description, examples }: JsonSchema): string {
  const shown = (examples ?? []).map(
    (example) => `\`${typeof example === 'string' ? example : JSON.stringify(example)}\``,
  );
  const sentences = [title, description]
    .filter((text) => text !== undefined && text !== '')
    .map((text) => sentence(text!));
  return [...sentences, ...(shown.length > 0 ? [`For example ${shown.join(', ')}.`] : [])].join(' ');
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

const namedFormats: Readonly<Record<string, string>> = {
  uri: 'URL',
  email: 'e-mail address',
  'date-time': 'RFC 3339 time',
};

function typeOf(schema: JsonSchema): string {
  if (schema.secret === true) return 'secret';
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.format !== undefined) return namedFormats[schema.format] ?? schema.format;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ');
  if (schema.type === 'array') return schema.items === undefined ? 'list' : `list of ${typeOf(schema.items)}`;
  if (schema.type === 'object') return schema.properties === undefined ? 'map' : 'object';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'integer') return 'whole number';
  if (typeof schema.type === 'string') return schema.type;
  return 'anything';
}
