import { keccak256 } from './keccak.js';

/** Where a contract will lie that this address deploys with this nonce: known before anything is sent. Lower case. */
export function createAddress(from: string, nonce: number): string {
  const encodedNonce = nonce === 0 ? '80' : nonce < 0x80 ? hexOf(nonce) : prefixed(hexOf(nonce));
  const content = `94${from.slice(2).toLowerCase()}${encodedNonce}`;
  const list = (0xc0 + content.length / 2).toString(16) + content;
  return `0x${keccak256(Buffer.from(list, 'hex')).slice(-40)}`;
}

function hexOf(value: number): string {
  const hex = value.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

function prefixed(hex: string): string {
  return (0x80 + hex.length / 2).toString(16) + hex;
}
