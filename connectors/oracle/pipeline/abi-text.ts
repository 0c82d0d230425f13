import type { AbiParameter } from '#evm';
import { refusal } from './value.js';

const elementary = /^(address|bool|string|bytes([1-9]|[12]\d|3[0-2])?|u?int(\d{1,3})?)((\[\d{0,6}\])*)$/;
/** Words of Solidity that say nothing about a value. */
const places = new Set(['memory', 'calldata', 'storage']);

export interface AbiText {
  /** Empty when there is none. */
  readonly name: string;
  readonly parameters: readonly AbiParameter[];
}

/** `name(uint256 a, bytes32 indexed b)`, or `(…)` alone. @throws oracle.answer */
export function parseAbiCall(text: string): AbiText {
  const [, name, list] = /^\s*([A-Za-z_$][\w$]*)?\s*\(([^]*)\)\s*$/.exec(text) ?? [];
  if (list === undefined) throw refusal(`${JSON.stringify(text)} is not written like name(uint256 a, bytes32 b)`);
  return { name: name ?? '', parameters: parseAbiList(list) };
}

/** `uint256 a, bytes32 b`: every value has a name, by which it is found. @throws oracle.answer */
export function parseAbiList(text: string): readonly AbiParameter[] {
  if (text.trim() === '') return [];
  if (/[()]/.test(text)) throw refusal('Tuples cannot be written here', 'Use ethabiencode2, which takes them.');
  const parameters = text.split(',').map(parseParameter);
  const names = parameters.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refusal(`Two arguments are called ${twice}`);
  return parameters;
}

/** `uint` and `int` are short for the longest. @throws oracle.answer when there is no such type */
export function checkedType(type: string): string {
  const [, base, , bits] = elementary.exec(type) ?? [];
  const size = Number(bits ?? 256);
  if (base === undefined || (base.includes('int') && (size < 8 || size > 256 || size % 8 !== 0))) {
    throw refusal(`There is no type ${type}`);
  }
  return type.replace(/^(u?int)(?=\[|$)/, '$1256');
}

function parseParameter(text: string): AbiParameter {
  const words = text.trim().split(/\s+/);
  const type = words[0] ?? '';
  const isIndexed = words[1] === 'indexed';
  const rest = words.slice(1).filter((word, index) => !(index === 0 && isIndexed) && !places.has(word));
  const [name] = rest;
  if (name === undefined) throw refusal(`The argument ${JSON.stringify(text.trim())} needs a name`);
  if (rest.length > 1 || !/^[A-Za-z_$][\w$]*$/.test(name)) {
    throw refusal(`${JSON.stringify(text.trim())} is not written like uint256 amount`);
  }
  return { name, type: checkedType(type), ...(isIndexed && { indexed: true }) };
}
