import { shapeOf, type z } from '#sdk';
import { isRecord } from './path.js';

/** Brings what a template or YAML produced closer to what the schema wants, where nothing is lost: `"3"` for a number, 3 for a text. */
export function coerce(value: unknown, schema: z.ZodType): unknown {
  if (value === null || value === undefined) return value;
  const shape = shapeOf(schema, 'in');
  switch (shape.kind) {
    case 'text':
      return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
        ? String(value)
        : value;
    case 'number':
      return typeof value === 'string' ? toNumber(value) : value;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'bigint':
      return (typeof value === 'string' && /^-?\d{1,1000}$/.test(value)) || Number.isSafeInteger(value)
        ? BigInt(value as string)
        : value;
    case 'oneOf':
      return shape.values.includes(value)
        ? value
        : (shape.values.find((one) => String(one) === String(value)) ?? value);
    case 'object':
      return isRecord(value)
        ? mapRecord(value, (item, key) => coerceField(item, shape.fields, key, shape.rest))
        : value;
    case 'record':
      return isRecord(value) ? mapRecord(value, (item) => coerce(item, shape.value)) : value;
    case 'list':
      return Array.isArray(value) ? mapList(value, (item, index) => coerceWith(item, shape.element(index))) : value;
    case 'union':
      return coerceToOne(value, shape.options);
    case 'both':
      return shape.parts.reduce(coerce, value);
    default:
      return value;
  }
}

function coerceField(
  value: unknown,
  fields: Readonly<Record<string, z.ZodType>>,
  key: string,
  rest: z.ZodType | undefined,
) {
  return coerceWith(value, Object.hasOwn(fields, key) ? fields[key] : rest);
}

function coerceWith(value: unknown, schema: z.ZodType | undefined): unknown {
  return schema ? coerce(value, schema) : value;
}

/** A value that fits one of the alternatives stays as it is; else it becomes the first that it can be. */
function coerceToOne(value: unknown, options: readonly z.ZodType[]): unknown {
  if (options.some((option) => option.safeParse(value).success)) return value;
  for (const option of options) {
    const coerced = coerce(value, option);
    if (option.safeParse(coerced).success) return coerced;
  }
  return value;
}

function toNumber(text: string): number | string {
  if (!/^-?\d+(\.\d+)?$/.test(text)) return text;
  const number = Number(text);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
}

/** The same object when no item changed: rendered inputs are mostly right already. */
function mapRecord(
  record: Record<string, unknown>,
  change: (item: unknown, key: string) => unknown,
): Record<string, unknown> {
  let changed: Record<string, unknown> | undefined;
  for (const key of Object.keys(record)) {
    const item = change(record[key], key);
    if (item !== record[key]) (changed ??= { ...record })[key] = item;
  }
  return changed ?? record;
}

function mapList(list: readonly unknown[], change: (item: unknown, index: number) => unknown): readonly unknown[] {
  const changed = list.map(change);
  return changed.every((item, index) => item === list[index]) ? list : changed;
}
