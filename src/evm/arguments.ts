import { PatchbayError } from '#sdk';
import { argumentNames, arrayOf, signatureOf, type AbiFragment, type AbiParameter } from './abi.js';
import { keccak256 } from './keccak.js';

/** Items that one list may have. */
const maxItems = 10_000;

/**
 * Checks values against the types of a function before any encoder sees them, because encoders are generous: they take
 * " 1", "0b11" and "yes". Given by name or in order.
 *
 * @throws evm.arguments naming the argument
 */
export function checkArguments(fragment: AbiFragment, given: unknown): unknown[] {
  try {
    return checkParts(fragment.inputs ?? [], given, '');
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw new PatchbayError('evm.arguments', {
      detail: `${signatureOf(fragment)}: ${error.message}`,
      fix: `It takes ${describe(fragment)}`,
      faults: [{ pointer: error.pointer, detail: error.message }],
    });
  }
}

/** Selector and arguments of a call, as the chain takes it. */
export async function encodeCall(fragment: AbiFragment, given: unknown): Promise<string> {
  const values = checkArguments(fragment, given);
  const { AbiCoder, ParamType } = await import('ethers/abi');
  const types = (fragment.inputs ?? []).map((input) => ParamType.from(input));
  const selector = keccak256(Buffer.from(signatureOf(fragment), 'utf8')).slice(0, 10);
  return selector + AbiCoder.defaultAbiCoder().encode(types, values).slice(2);
}

class Unfit extends Error {
  constructor(
    readonly pointer: string,
    expected: string,
    value: unknown,
  ) {
    super(`${pointer === '' ? 'the arguments' : pointer.slice(1)} must be ${expected}, not ${shown(value)}`);
  }
}

function checkParts(parameters: readonly AbiParameter[], given: unknown, pointer: string): unknown[] {
  if (Array.isArray(given)) {
    if (given.length !== parameters.length) throw new Unfit(pointer, `${String(parameters.length)} values`, given);
    return parameters.map((parameter, index) => check(parameter, given[index], `${pointer}/${String(index)}`));
  }
  if (typeof given !== 'object' || given === null) throw new Unfit(pointer, 'values by name or a list', given);
  const names = argumentNames(parameters);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Unfit(`${pointer}/${unknown}`, `one of ${names.join(', ')}`, unknown);
  return parameters.map((parameter, index) => {
    const name = names[index]!;
    const value = Object.hasOwn(given, name) ? (given as Readonly<Record<string, unknown>>)[name] : undefined;
    return check(parameter, value, `${pointer}/${name}`);
  });
}

function check(parameter: AbiParameter, value: unknown, pointer: string): unknown {
  const array = arrayOf(parameter);
  if (array) {
    if (!Array.isArray(value)) throw new Unfit(pointer, 'a list', value);
    if (array.length !== undefined && value.length !== array.length) {
      throw new Unfit(pointer, `a list of ${String(array.length)}`, value);
    }
    if (value.length > maxItems) throw new Unfit(pointer, `a list of at most ${String(maxItems)}`, value.length);
    return value.map((item, index) => check(array.element, item, `${pointer}/${String(index)}`));
  }
  const { type } = parameter;
  if (type === 'tuple') return checkParts(parameter.components ?? [], value, pointer);
  if (type === 'bool') return checkBool(value, pointer);
  if (type === 'address') return checkAddress(value, pointer);
  if (type === 'string') return checkText(value, pointer);
  const integer = /^(u?)int(\d*)$/.exec(type);
  if (integer) return checkInteger(value, pointer, integer[1] === 'u', integer[2] === '' ? 256 : Number(integer[2]));
  const bytes = /^bytes(\d*)$/.exec(type);
  if (bytes) return checkBytes(value, pointer, bytes[1] === '' ? undefined : Number(bytes[1]));
  throw new Unfit(pointer, `of the type ${type}, which cannot be given`, value);
}

function checkInteger(value: unknown, pointer: string, isUnsigned: boolean, bits: number): bigint {
  const expected = `a whole number (${isUnsigned ? 'uint' : 'int'}${String(bits)})`;
  const isText = typeof value === 'string' && /^(-?\d{1,80}|0x[0-9a-fA-F]{1,64})$/.test(value);
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value);
  if (!isText && !isNumber && typeof value !== 'bigint') throw new Unfit(pointer, expected, value);
  const amount = BigInt(value);
  const wrapped = isUnsigned ? BigInt.asUintN(bits, amount) : BigInt.asIntN(bits, amount);
  if (wrapped !== amount) throw new Unfit(pointer, `${expected} in its range`, value);
  return amount;
}

function checkBool(value: unknown, pointer: string): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new Unfit(pointer, 'true or false', value);
}

function checkText(value: unknown, pointer: string): string {
  if (typeof value !== 'string' || Buffer.from(value, 'utf8').toString('utf8') !== value)
    throw new Unfit(pointer, 'text', value);
  return value;
}

function checkAddress(value: unknown, pointer: string): string {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value)) throw new Unfit(pointer, 'an address', value);
  const lower = value.toLowerCase();
  // One letter case says nothing; mixed ones are a checksum, which reveals typing errors.
  if (value !== lower && value.slice(2) !== value.slice(2).toUpperCase() && value !== checksummed(lower)) {
    throw new Unfit(pointer, 'an address whose letter case fits (its checksum is wrong)', value);
  }
  return lower;
}

function checkBytes(value: unknown, pointer: string, length: number | undefined): string {
  const expected =
    length === undefined ? '0x and pairs of hexadecimal digits' : `0x and ${String(length * 2)} hexadecimal digits`;
  if (typeof value !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(value)) throw new Unfit(pointer, expected, value);
  if (length !== undefined && value.length !== 2 + length * 2) throw new Unfit(pointer, expected, value);
  return value;
}

function checksummed(lower: string): string {
  const hash = keccak256(Buffer.from(lower.slice(2), 'utf8')).slice(2);
  const digits = [...lower.slice(2)].map((digit, index) =>
    parseInt(hash.charAt(index), 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${digits.join('')}`;
}

function describe(fragment: AbiFragment): string {
  const inputs = fragment.inputs ?? [];
  const names = argumentNames(inputs);
  return inputs.length === 0 ? 'no arguments' : inputs.map(({ type }, index) => `${names[index]!}: ${type}`).join(', ');
}

function shown(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  const text = value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
