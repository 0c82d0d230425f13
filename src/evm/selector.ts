import { keccak256 } from './keccak.js';

/** The first four bytes of a call: which function, by a signature such as `mint(address,uint256)`. */
export function selectorOfSignature(signature: string): string {
  return keccak256(Buffer.from(signature.replaceAll(/\s/g, ''), 'utf8')).slice(0, 10);
}
