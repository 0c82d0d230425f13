import { amount, z } from '#sdk';
import { hasScope } from './scopes.js';

const wei = (title: string) => amount().meta({ title, description: 'In wei.' });
const names = (title: string, description: string) =>
  z.array(z.string().min(1).max(200)).min(1).max(200).meta({ title, description });

/** What somebody may send to chains. Whatever is absent is not limited. */
export const sendLimitsSchema = z.strictObject({
  signers: names('Signers', 'Names or addresses of the signers that may be used.').optional(),
  contracts: names('Contracts', 'Names or addresses of what may be called or paid.').optional(),
  functions: names(
    'Functions',
    'Names or signatures; `constructor` allows to deploy, `receive` to send coins without a call.',
  ).optional(),
  valuePerTransaction: wei('Value per transaction').optional(),
  valuePerDay: wei('Value per day of UTC, over all networks').optional(),
  transactionsPerDay: z.number().int().min(0).optional().meta({ title: 'Transactions per day of UTC' }),
  feeCap: wei('Highest price per gas').optional(),
});

export type SendLimits = z.output<typeof sendLimitsSchema>;

interface Grant {
  readonly scopes: readonly string[];
  readonly limits?: SendLimits | undefined;
}

/**
 * Whether a key with the first rights may make one with the second. What is limited by the day cannot be handed on at all:
 * every copy would have a day of its own.
 */
export function canGrantSending(granted: Grant, asked: Grant): boolean {
  const { limits } = granted;
  if (limits === undefined || !hasScope(asked.scopes, 'chain:send')) return true;
  if (limits.valuePerDay !== undefined || limits.transactionsPerDay !== undefined) return false;
  const wish = asked.limits ?? {};
  return (
    isWithinList(wish.signers, limits.signers) &&
    isWithinList(wish.contracts, limits.contracts) &&
    isWithinList(wish.functions, limits.functions) &&
    isWithinAmount(wish.valuePerTransaction, limits.valuePerTransaction) &&
    isWithinAmount(wish.feeCap, limits.feeCap)
  );
}

function isWithinList(asked: readonly string[] | undefined, granted: readonly string[] | undefined): boolean {
  return granted === undefined || (asked?.every((name) => granted.includes(name)) ?? false);
}

function isWithinAmount(asked: string | undefined, granted: string | undefined): boolean {
  return granted === undefined || (asked !== undefined && BigInt(asked) <= BigInt(granted));
}
