import { shapeOf, z, type AnyAction, type AnyTrigger } from '#sdk';
import { flowSchema, stepSchema, triggerSchema } from './flow.schema.js';
import type { Vocabulary } from './vocabulary.js';
import { operatorNames } from './where.js';

type JsonSchema = Record<string, unknown>;

/** The grammar as JSON Schema (draft 2020-12) for editors: completion of `uses`, and of `with` to match it. */
export function flowJsonSchema(vocabulary: Vocabulary): object {
  const triggers = vocabulary.triggerNames().map((uses) => entry(uses, vocabulary.trigger(uses)));
  const actions = vocabulary.actionNames().map((uses) => entry(uses, vocabulary.action(uses)));
  const step = { $ref: '#/$defs/step' };
  const flow = toJsonSchema(flowSchema);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Patchbay flow',
    ...withProperties(flow, {
      trigger: { $ref: '#/$defs/trigger' },
      steps: { ...propertyOf(flow, 'steps'), items: step },
      onFailure: { ...propertyOf(flow, 'onFailure'), items: step },
      onReverted: { ...propertyOf(flow, 'onReverted'), items: step },
    }),
    $defs: {
      template: { type: 'string', pattern: '\\{\\{', description: 'A template, e.g. {{event.args.to}}.' },
      where: whereSchema,
      trigger: { description: 'What starts a run.', ...useSchema(triggerSchema, triggers) },
      step: useSchema(stepSchema, actions),
    },
  };
}

interface Entry {
  readonly uses: string;
  readonly title: string;
  readonly summary: string;
  readonly input: JsonSchema;
}

function entry(uses: string, definition: AnyTrigger | AnyAction | undefined): Entry {
  const input = definition ? toJsonSchema(definition.input) : {};
  return {
    uses,
    title: definition?.title ?? uses,
    summary: definition?.summary ?? '',
    input: allowBelow(isClosed(definition?.input) ? { ...input, additionalProperties: false } : input),
  };
}

/** The linter refuses what an object schema would drop. */
function isClosed(schema: z.ZodType | undefined): boolean {
  if (!schema) return false;
  const shape = shapeOf(schema, 'in');
  return shape.kind === 'object' && shape.rest === undefined;
}

function useSchema(schema: z.ZodType, entries: readonly Entry[]): JsonSchema {
  const uses = { oneOf: entries.map((one) => ({ const: one.uses, title: one.title, description: one.summary })) };
  return {
    ...withProperties(toJsonSchema(schema), { uses, where: { $ref: '#/$defs/where' } }),
    allOf: entries.map((one) => ({
      if: { properties: { uses: { const: one.uses } }, required: ['uses'] },
      then: {
        properties: { with: one.input },
        ...(Array.isArray(one.input['required']) && one.input['required'].length > 0 ? { required: ['with'] } : {}),
      },
    })),
  };
}

const operand = { type: ['string', 'number', 'boolean', 'null'] };

const operands: Readonly<Partial<Record<(typeof operatorNames)[number], JsonSchema>>> = {
  in: { type: ['array', 'string'] },
  exists: { type: 'boolean' },
  matches: { type: 'string', maxLength: 1_000 },
};

const whereSchema: JsonSchema = {
  type: 'object',
  description: 'Conditions that must all hold: a path, and the value it is or a comparison.',
  additionalProperties: {
    anyOf: [
      operand,
      {
        type: 'object',
        minProperties: 1,
        additionalProperties: false,
        properties: Object.fromEntries(operatorNames.map((name) => [name, operands[name] ?? operand])),
      },
    ],
  },
};

function toJsonSchema(schema: z.ZodType): JsonSchema {
  try {
    const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', cycles: 'throw' });
    return json;
  } catch {
    // An input that contains itself is rare, and an editor can do without it.
    return { type: 'object' };
  }
}

function propertyOf(schema: JsonSchema, name: string): JsonSchema {
  return (schema['properties'] as Record<string, JsonSchema>)[name] ?? {};
}

function withProperties(schema: JsonSchema, properties: JsonSchema): JsonSchema {
  return { ...schema, properties: { ...(schema['properties'] as JsonSchema), ...properties } };
}

// ---------------------------------------------------------------- templates

/** A template may stand wherever a value may; only the value at run time can tell whether it fits. */
function allowTemplate(schema: JsonSchema): JsonSchema {
  const { title, description, examples, ...rest } = allowBelow(schema);
  const isFree =
    rest['type'] === undefined &&
    rest['anyOf'] === undefined &&
    rest['enum'] === undefined &&
    rest['const'] === undefined;
  const about = Object.fromEntries(
    Object.entries({ title, description, examples }).filter(([, text]) => text !== undefined),
  );
  if (isFree) return { ...about, ...rest };
  // Editors read an unquoted 0x… as a number, and texts may be written as plain numbers.
  const loose = rest['type'] === 'string' ? [{ type: ['number', 'boolean'] }] : [];
  return { ...about, anyOf: [rest, { $ref: '#/$defs/template' }, ...loose] };
}

function allowBelow(schema: JsonSchema): JsonSchema {
  const changed = { ...schema };
  for (const key of ['properties', 'patternProperties']) {
    if (isSchema(schema[key]))
      changed[key] = Object.fromEntries(Object.entries(schema[key]).map(([name, one]) => [name, allow(one)]));
  }
  for (const key of ['items', 'additionalProperties']) if (isSchema(schema[key])) changed[key] = allow(schema[key]);
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    const list = schema[key];
    if (Array.isArray(list)) changed[key] = list.map((one: unknown) => (isSchema(one) ? allowBelow(one) : one));
  }
  return changed;
}

function allow(schema: unknown): unknown {
  return isSchema(schema) ? allowTemplate(schema) : schema;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
