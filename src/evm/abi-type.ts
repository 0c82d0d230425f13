import { PatchbayError } from '#sdk';
import type { AbiParameter } from './abi.js';

/** What a type of the ABI is made of. A `function` is an address and a selector, and travels as 24 bytes. */
export type AbiType =
  | { readonly kind: 'list'; readonly element: AbiParameter; readonly length: number | undefined }
  | { readonly kind: 'tuple'; readonly components: readonly AbiParameter[] }
  | { readonly kind: 'integer'; readonly isSigned: boolean; readonly bits: number }
  | { readonly kind: 'bytes'; readonly length: number | undefined }
  | { readonly kind: 'address' | 'bool' | 'string' };

/** @throws evm.arguments when there is no such type, or none whose values can be passed */
export function typeOf(parameter: AbiParameter): AbiType {
  const { type } = parameter;
  if (type.endsWith(']')) return listType(parameter);
  if (type === 'tuple') return { kind: 'tuple', components: parameter.components ?? [] };
  if (type === 'address' || type === 'bool' || type === 'string') return { kind: type };
  if (type === 'bytes') return { kind: 'bytes', length: undefined };
  if (type === 'function') return { kind: 'bytes', length: 24 };
  const [, letters, digits] = /^(u?int|bytes)(\d*)$/.exec(type) ?? [];
  const size = digits === '' ? 256 : Number(digits);
  if (letters === 'bytes' && size >= 1 && size <= 32) return { kind: 'bytes', length: size };
  if (letters?.endsWith('int') && size >= 8 && size <= 256 && size % 8 === 0) {
    return { kind: 'integer', isSigned: letters === 'int', bits: size };
  }
  if (/^u?fixed/.test(type)) {
    throw new PatchbayError('evm.arguments', {
      detail: `The ABI uses the type ${type}: fixed-point numbers cannot be passed, Solidity itself does not support them yet`,
    });
  }
  throw new PatchbayError('evm.arguments', { detail: `The ABI uses the type ${type}, which is not known` });
}

/** Whether its encoding has a length of its own, so that it lies behind an offset. */
export function isDynamic(parameter: AbiParameter): boolean {
  const type = typeOf(parameter);
  switch (type.kind) {
    case 'list':
      return type.length === undefined || isDynamic(type.element);
    case 'tuple':
      return type.components.some(isDynamic);
    case 'bytes':
      return type.length === undefined;
    case 'string':
      return true;
    default:
      return false;
  }
}

/** Whether an indexed argument of the type does not fit a topic: the chain then keeps only its hash. */
export function isHashed(parameter: AbiParameter): boolean {
  const { kind } = typeOf(parameter);
  return kind === 'list' || kind === 'tuple' || isDynamic(parameter);
}

function listType(parameter: AbiParameter): AbiType {
  const match = /^(.+)\[(\d{0,15})\]$/.exec(parameter.type);
  if (!match) {
    throw new PatchbayError('evm.arguments', { detail: `The ABI uses the type ${parameter.type}, which is not known` });
  }
  return {
    kind: 'list',
    element: { ...parameter, type: match[1]! },
    length: match[2] === '' ? undefined : Number(match[2]),
  };
}
