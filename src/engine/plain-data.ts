import { PatchbayError, Secret } from '#sdk';

/** As `value` will be when it comes back from the journal: JSON data, with bigints as decimal text. Most values already are. */
export function toPlainData(value: unknown): unknown {
  return convert(value, 0);
}

const maxDepth = 64;

function convert(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth)
    throw new PatchbayError('step.outputTooLarge', { detail: 'A value is nested more than 64 levels deep.' });
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Secret) return value.toJSON();
  if (Array.isArray(value)) return convertList(value, depth);
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return convert((value as { toJSON(): unknown }).toJSON(), depth + 1);
  return convertRecord(value as Record<string, unknown>, depth);
}

function convertList(list: readonly unknown[], depth: number): readonly unknown[] {
  let changed: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const item = convert(list[index], depth + 1) ?? null;
    if (item !== list[index]) (changed ??= [...list])[index] = item;
  }
  return changed ?? list;
}

function convertRecord(record: Record<string, unknown>, depth: number): Record<string, unknown> {
  let changed: Record<string, unknown> | undefined;
  for (const key of Object.keys(record)) {
    const item = convert(record[key], depth + 1);
    if (item === undefined) {
      changed ??= { ...record };
      delete changed[key];
    } else if (item !== record[key]) (changed ??= { ...record })[key] = item;
  }
  return changed ?? record;
}

/** Length of the value as JSON, roughly; stops counting past the limit. */
export function isLargerThan(value: unknown, limit: number): boolean {
  return remaining(value, limit) < 0;
}

function remaining(value: unknown, left: number): number {
  if (typeof value === 'string') return left - value.length - 2;
  if (typeof value !== 'object' || value === null) return left - 5;
  let rest = left - 2;
  for (const [key, item] of Object.entries(value)) {
    if (rest < 0) return rest;
    rest = remaining(item, rest - (Array.isArray(value) ? 1 : key.length + 4));
  }
  return rest;
}
