import { PatchbayError } from '#sdk';
import { formatUnits, parseUnits, toDecimal } from './decimal.js';

/** What a template may call. Each computes text or a number from its arguments; none decides anything. */
export interface TemplateHelper {
  readonly name: string;
  readonly summary: string;
  /** A name with `?` may be left out; `…` stands for any number of further arguments. */
  readonly parameters: readonly string[];
  readonly arity: { readonly min: number; readonly max: number };
  readonly example: { readonly template: string; readonly gives: string };
  run(...args: readonly unknown[]): unknown;
}

export const templateHelpers: readonly TemplateHelper[] = [
  helper({
    name: 'formatUnits',
    summary:
      'Turns a whole number of smallest units into a decimal number, exactly. The unit is a number of places, or wei, gwei or ether.',
    parameters: ['value', 'unit'],
    example: { template: "{{formatUnits '25000000000' 6}}", gives: '25000' },
    run: (value, unit) => formatUnits(whole('formatUnits', value), places('formatUnits', unit)),
  }),
  helper({
    name: 'parseUnits',
    summary:
      'Turns a decimal number into a whole number of smallest units, exactly. Too many digits behind the point are refused.',
    parameters: ['value', 'unit'],
    example: { template: "{{parseUnits '10000.5' 6}}", gives: '10000500000' },
    run: (value, unit) => {
      const decimal = toDecimal(value) ?? refuse('parseUnits', 'needs a decimal number', value);
      const parsed = parseUnits(decimal, places('parseUnits', unit));
      return (
        parsed ?? refuse('parseUnits', `allows at most ${String(unit)} digits behind the point`, value)
      ).toString();
    },
  }),
  helper({
    name: 'lower',
    summary: 'Turns letters into small ones.',
    parameters: ['text'],
    example: { template: "{{lower 'USDC'}}", gives: 'usdc' },
    run: (value) => text('lower', value).toLowerCase(),
  }),
  helper({
    name: 'upper',
    summary: 'Turns letters into capitals.',
    parameters: ['text'],
    example: { template: "{{upper 'usdc'}}", gives: 'USDC' },
    run: (value) => text('upper', value).toUpperCase(),
  }),
  helper({
    name: 'trim',
    summary: 'Removes blanks at both ends.',
    parameters: ['text'],
    example: { template: "{{trim '  Ada '}}", gives: 'Ada' },
    run: (value) => text('trim', value).trim(),
  }),
  helper({
    name: 'concat',
    summary: 'Joins texts.',
    parameters: ['text', '…'],
    example: { template: "{{concat 'tx-' 42}}", gives: 'tx-42' },
    run: (...parts) => parts.map((part) => text('concat', part)).join(''),
  }),
  helper({
    name: 'slice',
    summary:
      'Gives a part of a text, or of a list: from one place up to, but without, another. Negative places count from the end.',
    parameters: ['value', 'from', 'to?'],
    example: { template: "{{slice '0x9fae12' 0 6}}", gives: '0x9fae' },
    run: (value, from, to) => {
      const [first, last] = [place('slice', from), to === undefined ? undefined : place('slice', to)];
      return Array.isArray(value) ? value.slice(first, last) : text('slice', value).slice(first, last);
    },
  }),
  helper({
    name: 'replace',
    summary: 'Replaces every occurrence of a text, taken literally.',
    parameters: ['text', 'search', 'by'],
    example: { template: "{{replace '2026-01-31' '-' '/'}}", gives: '2026/01/31' },
    run: (value, search, by) => replaceAll(text('replace', value), text('replace', search), text('replace', by)),
  }),
  helper({
    name: 'date',
    summary:
      'Writes a moment as iso (the default), date, time, seconds or milliseconds, in UTC. Numbers below 10^11 are seconds.',
    parameters: ['moment', 'format?'],
    example: { template: "{{date 1767225600 'date'}}", gives: '2026-01-01' },
    run: (moment, format = 'iso') => formatDate(toDate(moment), format),
  }),
  helper({
    name: 'json',
    summary: 'Writes a value as JSON.',
    parameters: ['value'],
    example: { template: '{{json event}}', gives: '{"amount":1}' },
    run: (value) => toJson(value),
  }),
  helper({
    name: 'default',
    summary: 'Gives the second value when the first is missing or null.',
    parameters: ['value', 'otherwise'],
    example: { template: "{{default event.note 'none'}}", gives: 'none' },
    run: (value, otherwise) => value ?? otherwise,
  }),
];

const byName: ReadonlyMap<string, TemplateHelper> = new Map(templateHelpers.map((one) => [one.name, one]));

export function findHelper(name: string): TemplateHelper | undefined {
  return byName.get(name);
}

/** JSON with bigints as decimal text, as they are everywhere outside of a program. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item)) ?? 'null';
}

function helper(definition: Omit<TemplateHelper, 'arity'>): TemplateHelper {
  const isOpen = definition.parameters.includes('…');
  const required = definition.parameters.filter((name) => name !== '…' && !name.endsWith('?'));
  return { ...definition, arity: { min: required.length, max: isOpen ? 100 : definition.parameters.length } };
}

function refuse(name: string, need: string, value: unknown): never {
  const shown = value === undefined ? 'nothing' : toJson(value).slice(0, 100);
  throw new PatchbayError('template.helper', {
    detail: `The helper ${name} ${need}, and was given ${shown}.`,
    fix: 'Check the value that the template refers to.',
  });
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return refuse(name, 'needs a text', value);
}

function whole(name: string, value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  if (typeof value === 'string' && /^-?\d{1,1000}$/.test(value)) return BigInt(value);
  return refuse(name, 'needs a whole number', value);
}

const units: Readonly<Record<string, number>> = { wei: 0, gwei: 9, ether: 18 };

function places(name: string, unit: unknown): number {
  const count = typeof unit === 'string' && Object.hasOwn(units, unit) ? units[unit] : Number(unit);
  if (count === undefined || unit === null || unit === '' || !Number.isInteger(count) || count < 0 || count > 255) {
    return refuse(name, 'needs a number of places from 0 to 255', unit);
  }
  return count;
}

function place(name: string, value: unknown): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return Number.isSafeInteger(number) ? (number as number) : refuse(name, 'needs a whole number as place', value);
}

const maxText = 256 * 1024;

function replaceAll(value: string, search: string, by: string): string {
  if (search === '') return refuse('replace', 'needs a text to search for', search);
  const pieces = value.split(search);
  // Counted before it is built: a short text that is replaced many times by a long one can exhaust the memory.
  if (value.length + (pieces.length - 1) * by.length > maxText) {
    throw new PatchbayError('template.tooLarge', { detail: 'The helper replace would give more than 256 kB of text.' });
  }
  return pieces.join(by);
}

function toDate(moment: unknown): Date {
  if (moment instanceof Date) return moment;
  const isNumeric =
    typeof moment === 'number' ||
    typeof moment === 'bigint' ||
    (typeof moment === 'string' && /^\d{1,15}$/.test(moment));
  const number = isNumeric ? Number(moment) : undefined;
  const date =
    number === undefined
      ? new Date(typeof moment === 'string' ? moment : NaN)
      : new Date(number < 1e11 ? number * 1000 : number);
  return Number.isNaN(date.getTime()) ? refuse('date', 'needs a moment', moment) : date;
}

function formatDate(date: Date, format: unknown): unknown {
  const iso = date.toISOString();
  switch (format) {
    case 'iso':
      return iso;
    case 'date':
      return iso.slice(0, iso.indexOf('T'));
    case 'time':
      return iso.slice(iso.indexOf('T') + 1, -5);
    case 'seconds':
      return Math.floor(date.getTime() / 1000);
    case 'milliseconds':
      return date.getTime();
    default:
      return refuse('date', 'knows the formats iso, date, time, seconds and milliseconds', format);
  }
}
