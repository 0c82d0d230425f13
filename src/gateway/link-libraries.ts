import { PatchbayError, pointerTo, type Fault } from '#sdk';
import type { CodePlace } from './compile/compiled.js';

/**
 * Puts the addresses of libraries where the compiler left room for them. Libraries go by their full name (`file.sol:Name`),
 * or by the name alone where it is the only one. Those that are not given stay as they are.
 *
 * @throws request.invalid naming what is no library of the contract, or no address
 */
export function linkLibraries(
  bytecode: string,
  links: Readonly<Record<string, readonly CodePlace[]>>,
  libraries: Readonly<Record<string, string>>,
): string {
  const faults: Fault[] = [];
  let linked = bytecode;
  for (const [given, address] of Object.entries(libraries)) {
    const pointer = pointerTo(['libraries', given]);
    const found = Object.keys(links).filter((name) => name === given || name.endsWith(`:${given}`));
    const [name] = found;
    if (name === undefined || found.length > 1) {
      faults.push({
        pointer,
        detail: name === undefined ? 'The contract uses no such library' : 'Several have this name',
      });
      continue;
    }
    if (!/^0x[0-9a-fA-F]{40}$/.test(address)) {
      faults.push({ pointer, detail: 'It must be an address' });
      continue;
    }
    for (const { start, length } of links[name] ?? []) linked = replaceAt(linked, 2 + start * 2, length * 2, address);
  }
  if (faults.length === 0) return linked;
  throw new PatchbayError('request.invalid', {
    detail: `The libraries do not fit: ${faults.map(({ pointer }) => pointer.slice('#/libraries/'.length)).join(', ')}`,
    fix: Object.keys(links).length > 0 ? `It uses ${Object.keys(links).join(', ')}` : 'It uses none.',
    faults,
  });
}

function replaceAt(text: string, at: number, length: number, address: string): string {
  return text.slice(0, at) + address.slice(2).toLowerCase() + text.slice(at + length);
}
