import { argumentNames, type AbiParameter } from '#evm';

const longestExample = 32;

/** Arguments that fit, by name. */
export function exampleArguments(parameters: readonly AbiParameter[]): Record<string, unknown> {
  const names = argumentNames(parameters);
  return Object.fromEntries(names.map((name, index): [string, unknown] => [name, exampleOf(parameters[index]!)]));
}

export function exampleOf(parameter: AbiParameter): unknown {
  const list = /^(.*)\[(\d*)\]$/.exec(parameter.type);
  if (list) {
    const element = exampleOf({ ...parameter, type: list[1] ?? '' });
    const length = list[2] === '' ? 1 : Number(list[2]);
    return length > longestExample ? [element] : Array.from({ length }, () => element);
  }
  const { type } = parameter;
  if (type === 'tuple') return exampleArguments(parameter.components ?? []);
  if (type === 'address') return '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
  if (type === 'bool') return true;
  if (type === 'string') return parameter.name ?? 'text';
  if (type.startsWith('bytes')) return `0x${'00'.repeat(Number(type.slice('bytes'.length)))}`;
  if (type === 'function') return `0x${'00'.repeat(24)}`;
  return '1';
}
