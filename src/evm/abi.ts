import { PatchbayError } from '#sdk';
import { keccak256 } from './keccak.js';

export interface AbiParameter {
  readonly name?: string;
  readonly type: string;
  readonly indexed?: boolean;
  readonly components?: readonly AbiParameter[];
  /** The type in the words of the source, e.g. `struct Shop.Order`. */
  readonly internalType?: string;
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

/** What a contract has that is found by name, or by the hash of its signature. */
export type NamedKind = 'event' | 'function' | 'error';

/** `Transfer(address,address,uint256)`: what the topic and the selector are the hash of. */
export function signatureOf(fragment: AbiFragment): string {
  return `${fragment.name ?? ''}${typesOf(fragment.inputs ?? [])}`;
}

/** `(address,(uint256,bytes)[])`. */
export function typesOf(parameters: readonly AbiParameter[]): string {
  return `(${parameters.map(canonicalType).join(',')})`;
}

const hashes = new WeakMap<AbiFragment, string>();

export function topicOf(event: AbiFragment): string {
  let hash = hashes.get(event);
  if (hash === undefined) {
    hash = keccak256(Buffer.from(signatureOf(event), 'utf8'));
    hashes.set(event, hash);
  }
  return hash;
}

/** 0x and eight digits: how a call names its function, and revert data its error. */
export function selectorOf(fragment: AbiFragment): string {
  return topicOf(fragment).slice(0, 10);
}

/**
 * Finds an event, a function or an error by name, or by signature where the name is used more than once.
 *
 * @throws evm.unknownFunction
 */
export function getFragment(abi: Abi, kind: NamedKind, nameOrSignature: string): AbiFragment {
  const wanted = nameOrSignature.replaceAll(/\s/g, '');
  const ofKind = abi.filter((fragment) => fragment.type === kind);
  const isSignature = wanted.includes('(');
  const found = ofKind.filter((fragment) => (isSignature ? signatureOf(fragment) : fragment.name) === wanted);
  const [first] = found;
  // Twice the same signature is one thing that two interfaces have brought along.
  if (first && (isSignature || found.every((fragment) => signatureOf(fragment) === signatureOf(first)))) return first;
  if (first) {
    throw new PatchbayError('evm.unknownFunction', {
      detail: `The contract has several ${kind}s named ${wanted}`,
      fix: `Write the one you mean with its types: ${found.map(signatureOf).join(' or ')}`,
    });
  }
  const sameName = isSignature ? ofKind.filter(({ name }) => name === wanted.slice(0, wanted.indexOf('('))) : [];
  const known = sameName.length > 0 ? sameName.map(signatureOf) : ofKind.map(({ name }) => name ?? '');
  throw new PatchbayError('evm.unknownFunction', {
    detail: `The contract has no ${kind} ${wanted}`,
    fix: `It has: ${[...new Set(known)].join(', ') || `no ${kind} at all`}`,
  });
}

const selectors = new WeakMap<Abi, Map<string, AbiFragment>>();

/** By the selector that a call or revert data begins with. */
export function findBySelector(abi: Abi, kind: 'function' | 'error', selector: string): AbiFragment | undefined {
  let known = selectors.get(abi);
  if (!known) {
    known = new Map();
    for (const fragment of abi) {
      if (fragment.type === 'function' || fragment.type === 'error') {
        known.set(`${fragment.type} ${selectorOf(fragment)}`, fragment);
      }
    }
    selectors.set(abi, known);
  }
  return known.get(`${kind} ${selector}`);
}

const bareConstructor: AbiFragment = { type: 'constructor', inputs: [], stateMutability: 'nonpayable' };

/** What deploying takes; a contract that declares none takes nothing. */
export function constructorOf(abi: Abi): AbiFragment {
  return abi.find((fragment) => fragment.type === 'constructor') ?? bareConstructor;
}

/** Names of arguments as users see them. `__proto__` is a legal name in Solidity and must not become a prototype. */
export function argumentNames(parameters: readonly AbiParameter[]): readonly string[] {
  const used = new Set<string>();
  return parameters.map((parameter, index) => {
    const own = parameter.name ?? '';
    let name = own === '' || own === '__proto__' || used.has(own) ? `arg${String(index)}` : own;
    while (used.has(name)) name = `${name}_`;
    used.add(name);
    return name;
  });
}

function canonicalType(parameter: AbiParameter): string {
  const { type } = parameter;
  if (type.startsWith('tuple')) return `${typesOf(parameter.components ?? [])}${type.slice('tuple'.length)}`;
  // ABIs written by hand use the short names, the chain never does.
  return type.replace(/^(u?int)(?=\[|$)/, '$1256');
}
