import { formatUnits, parseUnits } from '#evm';
import { PatchbayError } from '#sdk';
import type { FieldDescription } from './object-descriptions.js';

/** A value as both sides are compared: numbers as decimal text without needless zeros, times in whole seconds. */
export type Value = string | boolean | null;

export type ChainKind = 'text' | 'address' | 'bytes' | 'integer' | 'flag';
export type FieldKind = 'text' | 'number' | 'flag' | 'time';

/** How one field of the org and one value of a contract are read, written and turned into each other. */
export interface Translation {
  readonly fromRow: (raw: unknown) => Value;
  readonly toRow: (value: Value) => unknown;
  readonly toSalesforce: (value: Value) => Value;
  readonly toChain: (value: Value) => Value;
}

const textTypes = new Set([
  'string',
  'textarea',
  'phone',
  'url',
  'email',
  'picklist',
  'combobox',
  'encryptedstring',
  'id',
]);
const numberTypes = new Set(['double', 'int', 'currency', 'percent', 'long']);

/** Undefined: a type that no single field can hold, such as a list. */
export function chainKindOf(type: string): ChainKind | undefined {
  if (type === 'string') return 'text';
  if (type === 'address') return 'address';
  if (type === 'bool') return 'flag';
  if (/^u?int\d*$/.test(type)) return 'integer';
  return /^bytes\d*$/.test(type) ? 'bytes' : undefined;
}

/** Undefined: a type that a sync does not write. */
export function fieldKindOf(type: string): FieldKind | undefined {
  if (textTypes.has(type)) return 'text';
  if (numberTypes.has(type)) return 'number';
  if (type === 'boolean') return 'flag';
  return type === 'datetime' ? 'time' : undefined;
}

/** What is on the chain as it was decoded; numbers are decimal text already. */
export function fromChain(raw: unknown): Value {
  return typeof raw === 'boolean' ? raw : raw === null || raw === undefined ? null : String(raw);
}

export interface TranslationOf {
  readonly field: Pick<FieldDescription, 'name' | 'type' | 'scale'>;
  /** As the ABI writes it. */
  readonly type: string;
  readonly decimals: number | undefined;
}

/** For types that {@link chainKindOf} and {@link fieldKindOf} know and that fit each other. */
export function translationOf({ field, type, decimals }: TranslationOf): Translation {
  const chain = chainKindOf(type) ?? 'text';
  const kind = fieldKindOf(field.type) ?? 'text';
  const fromRow = (raw: unknown): Value => readRow(kind, chain, raw);
  if (kind === 'number') {
    const scale = field.type === 'int' || field.type === 'long' ? 0 : (field.scale ?? 18);
    return {
      fromRow,
      toRow: numberToRow,
      toSalesforce: (value) => (value === null ? null : rounded(formatUnits(String(value), decimals ?? 0), scale)),
      toChain: (value) => (value === null ? '0' : integerOf(String(value), decimals ?? 0, field.name)),
    };
  }
  if (kind === 'flag') {
    return { fromRow, toRow: plain, toSalesforce: (value) => value === true, toChain: (value) => value === true };
  }
  if (kind === 'time') return { fromRow, toRow: plain, toSalesforce: timeOf, toChain: secondsOf };
  return {
    fromRow,
    toRow: plain,
    toSalesforce: (value) => textOf(chain, value),
    toChain: textTranslation(chain, field.name),
  };
}

/** What a contract has where nothing was ever written. */
export function zeroOf(type: string): Value {
  const kind = chainKindOf(type);
  if (kind === 'flag') return false;
  if (kind === 'integer') return '0';
  if (kind === 'address') return `0x${'0'.repeat(40)}`;
  if (kind === 'bytes') return `0x${'00'.repeat(Number(type.slice('bytes'.length) || 0))}`;
  return '';
}

function readRow(kind: FieldKind, chain: ChainKind, raw: unknown): Value {
  if (raw === null || raw === undefined || raw === '') return kind === 'flag' ? false : null;
  if (kind === 'flag') return raw === true || raw === 'true';
  if (kind === 'number') return normalNumber(raw);
  if (kind === 'time') return normalTime(String(raw));
  const text = String(raw).trim();
  if (text === '') return null;
  return chain === 'address' || chain === 'bytes' ? text.toLowerCase() : text;
}

/** Salesforce trims texts, and keeps an empty one as none. */
function textOf(chain: ChainKind, value: Value): Value {
  if (value === null) return null;
  const text = String(value).trim();
  if (text === '' || (chain === 'address' && /^0x0{40}$/.test(text)) || (chain === 'bytes' && text === '0x'))
    return null;
  return text;
}

function textTranslation(chain: ChainKind, field: string): (value: Value) => Value {
  return (value) => {
    if (chain === 'integer') return value === null ? '0' : integerOf(String(value), 0, field);
    if (chain === 'address') {
      if (value === null) return zeroOf('address');
      if (/^0x[0-9a-f]{40}$/i.test(String(value))) return String(value).toLowerCase();
      throw unfit(field, value, 'is no address', 'Write 0x and 40 hexadecimal digits.');
    }
    if (chain === 'bytes') return value === null ? '0x' : String(value).toLowerCase();
    if (chain === 'flag') return value === 'true';
    return value === null ? '' : String(value);
  };
}

function integerOf(text: string, decimals: number, field: string): string {
  try {
    return parseUnits(text, decimals).toString();
  } catch (error) {
    const detail = error instanceof PatchbayError ? error.detail : String(error);
    throw unfit(field, text, `cannot be written to the chain: ${detail}`, 'Correct the field.');
  }
}

function unfit(field: string, value: Value, reason: string, fix: string): PatchbayError {
  return new PatchbayError('salesforce.data', {
    detail: `${field} holds ${JSON.stringify(value)}, which ${reason}`,
    fix,
  });
}

function timeOf(value: Value): Value {
  if (value === null || value === '0') return null;
  const date = new Date(Number(value) * 1_000);
  return Number.isNaN(date.getTime()) ? null : `${date.toISOString().slice(0, 19)}Z`;
}

function secondsOf(value: Value): Value {
  return value === null ? '0' : String(Math.floor(Date.parse(String(value)) / 1_000));
}

function normalTime(text: string): Value {
  const at = Date.parse(text);
  return Number.isNaN(at) ? text : `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function normalNumber(raw: unknown): string {
  const text = String(raw).trim();
  if (/e/i.test(text)) return trimZeros(Number(raw).toFixed(18));
  return trimZeros(text);
}

function trimZeros(text: string): string {
  const [whole = '0', fraction = ''] = text.split('.');
  const rest = fraction.replace(/0+$/, '');
  const number = rest === '' ? whole : `${whole}.${rest}`;
  return number === '-0' ? '0' : number;
}

/** Half away from zero, as Salesforce rounds. */
function rounded(text: string, scale: number): string {
  const [whole = '0', fraction = ''] = text.split('.');
  if (fraction.length <= scale) return trimZeros(text);
  const isNegative = whole.startsWith('-');
  const kept = BigInt(whole.replace('-', '') + fraction.slice(0, scale));
  const digits = kept + (Number(fraction[scale]) >= 5 ? 1n : 0n);
  return trimZeros(formatUnits(isNegative ? -digits : digits, scale));
}

/** As a JSON number where that loses nothing; as text otherwise, which Salesforce reads as well. */
function numberToRow(value: Value): unknown {
  if (value === null) return null;
  const number = Number(value);
  return trimZeros(String(number)) === value ? number : value;
}

function plain(value: Value): unknown {
  return value;
}
