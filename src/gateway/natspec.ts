import { constructorOf, signatureOf, type Abi, type AbiFragment } from '#evm';
import type { ContractDocs } from './compile/compiled.js';

/** What the author of a contract wrote about one function or event. */
export interface NatSpec {
  /** For users, in one sentence or a few. */
  readonly notice: string | undefined;
  /** For developers. */
  readonly details: string | undefined;
  /** By name of the input. */
  readonly params: Readonly<Record<string, string>>;
  /** By name of the output; the compiler calls those without one `_0`, `_1`. */
  readonly returns: Readonly<Record<string, string>>;
}

/** Of the contract as a whole. */
export function contractNotes(docs: ContractDocs | undefined): { title: string | undefined; text: string | undefined } {
  const devdoc = docs?.devdoc ?? {};
  const text = [textOf(docs?.userdoc['notice']), textOf(devdoc['details'])].filter((part) => part !== undefined);
  return { title: textOf(devdoc['title']), text: text.length === 0 ? undefined : text.join('\n\n') };
}

export function natSpecOf(docs: ContractDocs | undefined, fragment: AbiFragment): NatSpec {
  const section = fragment.type === 'event' ? 'events' : 'methods';
  const key = fragment.type === 'constructor' ? 'constructor' : signatureOf(fragment);
  const dev = recordOf(recordOf(docs?.devdoc[section])[key]);
  const user = recordOf(recordOf(docs?.userdoc[section])[key]);
  return {
    notice: textOf(user['notice']),
    details: textOf(dev['details']),
    params: textsOf(dev['params']),
    returns: textsOf(dev['returns']),
  };
}

/** As people write it, with the names of the inputs: `transfer(address to, uint256 value)`. */
export function writtenSignature(fragment: AbiFragment): string {
  const inputs = (fragment.inputs ?? []).map(({ type, name, internalType }) =>
    `${type.startsWith('tuple') ? (internalType ?? type) : type} ${name ?? ''}`.trim(),
  );
  return `${fragment.type === 'constructor' ? 'constructor' : (fragment.name ?? '')}(${inputs.join(', ')})`;
}

/** Of one kind, with the constructor that every contract has. */
export function fragmentsOf(abi: Abi, type: 'function' | 'event' | 'constructor'): readonly AbiFragment[] {
  return type === 'constructor' ? [constructorOf(abi)] : abi.filter((fragment) => fragment.type === type);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recordOf(value)).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])),
  );
}
