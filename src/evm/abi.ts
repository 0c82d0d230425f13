import { PatchbayError } from '#sdk';
import { keccak256 } from './keccak.js';

export interface AbiParameter {
  readonly name?: string;
  readonly type: string;
  readonly indexed?: boolean;
  readonly components?: readonly AbiParameter[];
}

export interface AbiFragment {
  readonly type: string;
  readonly name?: string;
  readonly inputs?: readonly AbiParameter[];
  readonly outputs?: readonly AbiParameter[];
  readonly anonymous?: boolean;
  readonly stateMutability?: string;
}

export type Abi = readonly AbiFragment[];

/** `Transfer(address,address,uint256)`: what the topic and the selector are the hash of. */
export function signatureOf(fragment: AbiFragment): string {
  return `${fragment.name ?? ''}(${(fragment.inputs ?? []).map(canonicalType).join(',')})`;
}

export function topicOf(event: AbiFragment): string {
  return keccak256(Buffer.from(signatureOf(event), 'utf8'));
}

/**
 * Finds an event or a function by name, or by signature where the name is used more than once.
 *
 * @throws evm.unknownFunction
 */
export function getFragment(abi: Abi, kind: 'event' | 'function', nameOrSignature: string): AbiFragment {
  const wanted = nameOrSignature.replaceAll(/\s/g, '');
  const ofKind = abi.filter((fragment) => fragment.type === kind);
  const found = ofKind.filter((fragment) =>
    wanted.includes('(') ? signatureOf(fragment) === wanted : fragment.name === wanted,
  );
  const [first] = found;
  if (first && found.length === 1) return first;
  if (first) {
    throw new PatchbayError('evm.unknownFunction', {
      detail: `The contract has several ${kind}s named ${wanted}`,
      fix: `Write the one you mean with its types: ${found.map(signatureOf).join(' or ')}`,
    });
  }
  throw new PatchbayError('evm.unknownFunction', {
    detail: `The contract has no ${kind} ${wanted}`,
    fix: `It has: ${ofKind.map((fragment) => fragment.name).join(', ') || `no ${kind} at all`}`,
  });
}

/** Whether its encoding has a length of its own, so that it lies behind an offset and, when indexed, is only a hash. */
export function isDynamic(parameter: AbiParameter): boolean {
  const array = arrayOf(parameter);
  if (array) return array.length === undefined || isDynamic(array.element);
  if (parameter.type === 'tuple') return (parameter.components ?? []).some(isDynamic);
  return parameter.type === 'string' || parameter.type === 'bytes';
}

/** The element and the length (undefined: any) when the type is an array. */
export function arrayOf(parameter: AbiParameter): { element: AbiParameter; length: number | undefined } | undefined {
  const match = /^(.*)\[(\d*)\]$/.exec(parameter.type);
  if (!match) return undefined;
  return {
    element: { ...parameter, type: match[1]! },
    length: match[2] === '' ? undefined : Number(match[2]),
  };
}

/** Names of arguments as users see them. `__proto__` is a legal name in Solidity and must not become a prototype. */
export function argumentNames(parameters: readonly AbiParameter[]): readonly string[] {
  const used = new Set<string>();
  return parameters.map((parameter, index) => {
    const own = parameter.name ?? '';
    const name = own === '' || own === '__proto__' || used.has(own) ? `arg${String(index)}` : own;
    used.add(name);
    return name;
  });
}

function canonicalType(parameter: AbiParameter): string {
  if (!parameter.type.startsWith('tuple')) return parameter.type;
  return `(${(parameter.components ?? []).map(canonicalType).join(',')})${parameter.type.slice('tuple'.length)}`;
}
