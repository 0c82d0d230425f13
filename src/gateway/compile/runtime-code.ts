import type { CodePlace, CompiledContract } from './compiled.js';

export type CodeMatch = 'exact' | 'partial' | 'different';

/**
 * Whether the code on chain came from this contract. `exact`: the same sources, to the last comment. `partial`: the
 * same instructions, with other metadata, so that names or comments or the paths of files may differ.
 *
 * What a deployment fills in is not compared: immutables, addresses of libraries, and the own address of a library.
 */
export function compareRuntimeCode(
  contract: Pick<CompiledContract, 'runtimeBytecode' | 'immutables' | 'links' | 'metadata'>,
  onChain: string,
): CodeMatch {
  const compiled = digitsOf(contract.runtimeBytecode ?? '');
  const deployed = digitsOf(onChain);
  if (compiled === '' || deployed === '') return 'different';

  const places = [...contract.immutables, ...placeholdersIn(compiled), ...ownAddressOf(compiled)];
  const masked = mask(compiled, places);
  const deployedMasked = mask(deployed, places);
  if (masked === deployedMasked) return 'exact';
  return withoutMetadata(masked) === withoutMetadata(deployedMasked) ? 'partial' : 'different';
}

function digitsOf(code: string): string {
  return code.trim().replace(/^0x/, '').toLowerCase();
}

/** `__$…$__`, or `__file:Library___` of old compilers: as long as the address that takes its place. */
function placeholdersIn(digits: string): CodePlace[] {
  return [...digits.matchAll(/__.{38}/g)].map(({ index }) => ({ start: index / 2, length: 20 }));
}

/** A library begins with its own address, zero until it is deployed, to tell calls from delegate calls. */
function ownAddressOf(digits: string): CodePlace[] {
  return digits.startsWith(`73${'0'.repeat(40)}3014`) ? [{ start: 1, length: 20 }] : [];
}

function mask(digits: string, places: readonly CodePlace[]): string {
  const parts: string[] = [];
  let end = 0;
  for (const { start, length } of [...places].sort((one, other) => one.start - other.start)) {
    if (start * 2 < end || start * 2 >= digits.length) continue;
    parts.push(digits.slice(end, start * 2), '0'.repeat(length * 2));
    end = (start + length) * 2;
  }
  return parts.join('') + digits.slice(end);
}

/**
 * Metadata is a CBOR map at the end, its length in the last two bytes. Code of other contracts inside, for `new`,
 * brings its own, whose hashes are recognised by their keys.
 */
function withoutMetadata(digits: string): string {
  const length = (parseInt(digits.slice(-4), 16) + 2) * 2;
  const metadata = digits.slice(-length);
  const hasMetadata = length <= digits.length && /^a[1-4]/.test(metadata) && keys.some((key) => metadata.includes(key));
  const code = hasMetadata ? digits.slice(0, -length) : digits;
  return code.replaceAll(nestedHash, '');
}

/** `ipfs`, `bzzr0`, `bzzr1` and `solc` as keys of the map. */
const keys = ['6469706673', '65627a7a7230', '65627a7a7231', '64736f6c63'];
/** A multihash of 34 bytes, or 32 bytes, behind its key. */
const nestedHash = /646970667358221220[0-9a-f]{64}|65627a7a723[01]5820[0-9a-f]{64}/g;
