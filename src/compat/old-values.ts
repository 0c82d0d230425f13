import { argumentNames, type AbiParameter } from '#evm';
import { splitQuery } from '#gateway';
import { PatchbayError } from '#sdk';
import { addressLike } from './fly-parameters.js';

type Values = Readonly<Record<string, unknown>>;

/** What has no name is called `input`, `input1`, `input2`… by its place. */
export function namedInputs(parameters: readonly AbiParameter[]): AbiParameter[] {
  return parameters.map((parameter, index) => ({ ...parameter, name: oldName(parameter, index, 'input') }));
}

/**
 * Inputs of a function from body and query, under our names; the body wins, and what is no input is left alone.
 *
 * @throws request.invalid naming those that are missing
 */
export function readInputs(
  parameters: readonly AbiParameter[],
  { body, query }: { readonly body: Values; readonly query: Values },
): Record<string, unknown> {
  const inputs = namedInputs(parameters);
  const ours = argumentNames(parameters);
  const names = inputs.map(({ name = '' }) => name);
  const isAsked = (name: string): boolean => names.includes(name) && !Object.hasOwn(body, name);
  const asked = Object.fromEntries(Object.entries(query).filter(([name]) => isAsked(name)));
  const given: Values = { ...splitQuery(asked, inputs, []).args, ...body };
  const missing = names.filter((name) => !Object.hasOwn(given, name));
  if (missing.length > 0) {
    throw new PatchbayError('request.invalid', {
      detail: `These inputs are missing: ${missing.join(', ')}`,
      faults: missing.map((name) => ({ pointer: `#/${name}`, detail: 'It is missing' })),
    });
  }
  return Object.fromEntries(
    inputs.map((input, index): [string, unknown] => {
      const name = names[index] ?? '';
      return [ours[index] ?? name, oldValue(input, given[name])];
    }),
  );
}

/** Outputs by name; what has none is called `output`, `output1`… */
export function namedOutputs(parameters: readonly AbiParameter[], outputs: Values): Record<string, unknown> {
  const ours = argumentNames(parameters);
  return Object.fromEntries(
    parameters.map((parameter, index) => [oldName(parameter, index, 'output'), outputs[ours[index] ?? '']]),
  );
}

/** Hexadecimal text without 0x, and bytes as a list of numbers, as old clients may write them. */
export function oldValue(parameter: AbiParameter, value: unknown): unknown {
  const { type, components } = parameter;
  const list = /^(.*)\[\d*\]$/.exec(type);
  if (list) {
    const item = { ...parameter, type: list[1] ?? '' };
    return Array.isArray(value) ? value.map((one: unknown) => oldValue(item, one)) : value;
  }
  if (type === 'tuple') return oldTuple(components ?? [], value);
  if (type === 'address') return typeof value === 'string' ? addressLike(value) : value;
  if (!type.startsWith('bytes')) return value;
  if (typeof value === 'string') return /^([0-9a-f]{2})+$/i.test(value) ? `0x${value}` : value;
  const isBytes = Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);
  return isBytes ? `0x${Buffer.from(value as number[]).toString('hex')}` : value;
}

function oldTuple(components: readonly AbiParameter[], value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => (components[index] ? oldValue(components[index], item) : item));
  }
  const given = value as Values;
  const types = new Map(components.map((component) => [component.name, component]));
  return Object.fromEntries(
    Object.entries(given).map(([name, item]) => {
      const component = types.get(name);
      return [name, component ? oldValue(component, item) : item];
    }),
  );
}

function oldName({ name }: AbiParameter, index: number, word: 'input' | 'output'): string {
  if (name !== undefined && name !== '') return name;
  return index === 0 ? word : `${word}${index}`;
}
