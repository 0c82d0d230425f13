import { EventFragment } from 'ethers';
import { PatchbayError } from '#sdk';
import type { AbiFragment } from './abi.js';

/** Whether a text tells everything about an event, its names or what is indexed, and not only its types; the word `event` in front says so. */
export function isEventDeclaration(text: string): boolean {
  return /^\s*event\s|\([^)]*\w\s+\w/.test(text);
}

/**
 * An event as Solidity declares it: `Transfer(address indexed from, address indexed to, uint256 value)`.
 *
 * @throws evm.unknownFunction
 */
export function parseEventDeclaration(text: string): AbiFragment {
  try {
    const declaration = `event ${text.trim().replace(/^event\s+/, '')}`;
    return JSON.parse(EventFragment.from(declaration).format('json')) as AbiFragment;
  } catch (cause) {
    throw new PatchbayError('evm.unknownFunction', {
      detail: `${JSON.stringify(text)} is not the declaration of an event`,
      fix: 'Write it as Solidity does: Transfer(address indexed from, address indexed to, uint256 value)',
      cause,
    });
  }
}

/** The opposite of {@link parseEventDeclaration}, with the word `event` in front. @throws evm.unknownFunction */
export function formatEventDeclaration(fragment: AbiFragment): string {
  try {
    return EventFragment.from({ anonymous: false, ...fragment, type: 'event' }).format('full');
  } catch (cause) {
    throw new PatchbayError('evm.unknownFunction', {
      detail: `The event ${fragment.name ?? ''} cannot be read: its ABI is not whole`,
      cause,
    });
  }
}
