import type { Fault } from '#sdk';
import { finalizedFallback } from './final-blocks.js';
import type { Finality } from './subscription.js';

/**
 * Why confirmations, as written, are less than what is final on the chain; undefined: they are not, or nothing is written.
 * As many blocks as stand for final elsewhere are enough on every chain.
 */
export function shortfallOf(confirmations: unknown, final: Finality = 'finalized'): Fault | undefined {
  const count = countOf(confirmations);
  if (count === undefined && confirmations !== 'safe') return undefined;
  if (final !== 'finalized' && confirmations === 'safe') return undefined;
  if (count !== undefined && count >= (typeof final === 'number' ? final : finalizedFallback)) return undefined;
  const waits =
    count === undefined ? 'waits for safe' : count === 1 ? 'waits for 1 block' : `waits for ${String(count)} blocks`;
  return {
    pointer: '/confirmations',
    detail: `The flow moves value and ${waits}, which can still be replaced`,
    fix: 'Leave them out, and it waits until nothing can be taken back; or tell the network what is final there with finality.',
    severity: 'warning',
  };
}

function countOf(confirmations: unknown): number | undefined {
  if (typeof confirmations === 'string' && /^\d{1,5}$/.test(confirmations)) return Number(confirmations);
  return typeof confirmations === 'number' ? confirmations : undefined;
}
