import { PatchbayError } from '#sdk';
import {
  argumentNames,
  constructorOf,
  selectorOf,
  signatureOf,
  typesOf,
  type Abi,
  type AbiFragment,
  type AbiParameter,
} from './abi.js';
import { writerOf } from './abi-writer.js';
import { Writing } from './abi-writing.js';
import { keccak256 } from './keccak.js';

/** Where the arguments lie in what was sent, unless the caller says otherwise. */
const usualRoot = '#/args';

/**
 * Selector and arguments of a call, as the chain takes it. Arguments are given by name or in order, and are checked more
 * strictly than encoders do, which take " 1", "0b11" and "yes": integers are decimal or 0x text or numbers that JSON
 * carries exactly, structs objects or lists, bytes hexadecimal or base64 (see `bytesWriter`).
 *
 * @throws evm.arguments with every fault at once; their pointers begin with `root`
 */
export function encodeCall(fragment: AbiFragment, given: unknown, root = usualRoot): string {
  return selectorOf(fragment) + write(fragment.inputs ?? none, given, root, () => signatureOf(fragment));
}

/**
 * Values of a list of parameters, without any selector.
 *
 * @throws evm.arguments like `encodeCall`
 */
export function encodeArguments(parameters: readonly AbiParameter[], given: unknown, root = usualRoot): string {
  return `0x${write(parameters, given, root, () => typesOf(parameters))}`;
}

/**
 * What a transaction that deploys carries: the code and the arguments of the constructor. `libraries` are the full names
 * (`file.sol:Name`) of those the code may need, so that an error can name the one that is missing.
 *
 * @throws evm.arguments like `encodeCall`, and when the code is none or needs libraries
 */
export function encodeDeploy(
  abi: Abi,
  bytecode: string,
  given: unknown,
  { root = usualRoot, libraries = [] }: { readonly root?: string; readonly libraries?: readonly string[] } = {},
): string {
  const code = checkCode(bytecode, libraries);
  const inputs = constructorOf(abi).inputs ?? none;
  return code + write(inputs, given, root, () => `constructor${typesOf(inputs)}`);
}

const none: readonly AbiParameter[] = [];

function write(parameters: readonly AbiParameter[], given: unknown, root: string, title: () => string): string {
  const writing = new Writing(root);
  const digits = writerOf(parameters).encode(given, writing);
  const [first] = writing.faults;
  if (!first) return digits;
  const others = writing.faultCount - 1;
  const more = others === 0 ? '' : `, and ${String(others)} more ${others === 1 ? 'fault' : 'faults'}`;
  throw new PatchbayError('evm.arguments', {
    detail: `${title()}: ${first.detail}${more}`,
    fix: `It takes ${describe(parameters)}`,
    faults: writing.faults,
  });
}

function describe(parameters: readonly AbiParameter[]): string {
  if (parameters.length === 0) return 'no arguments';
  const names = argumentNames(parameters);
  return parameters.map((parameter, index) => `${names[index]!}: ${typesOf([parameter]).slice(1, -1)}`).join(', ');
}

function checkCode(bytecode: string, libraries: readonly string[]): string {
  const code = bytecode.startsWith('0x') ? bytecode : `0x${bytecode}`;
  if (code === '0x') {
    throw new PatchbayError('evm.arguments', {
      detail: 'There is no bytecode: an interface or an abstract contract cannot be deployed',
    });
  }
  const missing = unlinkedLibraries(code, libraries);
  if (missing.length > 0) {
    throw new PatchbayError('evm.arguments', {
      detail: `The bytecode needs ${missing.length === 1 ? 'a library' : 'libraries'}: ${missing.join(', ')}`,
      fix: 'Deploy what it needs first and link it: replace each place of the name by the address.',
    });
  }
  if (!/^0x(?:[0-9a-fA-F]{2})+$/.test(code)) {
    throw new PatchbayError('evm.arguments', { detail: 'The bytecode is not made of pairs of hexadecimal digits' });
  }
  return code.toLowerCase();
}

/** Compilers leave 40 characters where the address of a library belongs: part of a hash, or before 0.5 its name. */
function unlinkedLibraries(code: string, libraries: readonly string[]): readonly string[] {
  const places = code.matchAll(/__\$([0-9a-f]{34})\$__|__([A-Za-z0-9$_.:/-]{38})/g);
  const names = [...places].map(([place, hash, name]) => {
    if (hash === undefined) return (name ?? place).replace(/_+$/, '');
    return libraries.find((library) => keccak256(Buffer.from(library, 'utf8')).slice(2, 36) === hash) ?? place;
  });
  return [...new Set(names)];
}
