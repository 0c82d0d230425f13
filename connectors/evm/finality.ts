import { shortfallOf, type Network } from '#evm';
import { z, type TriggerFinality } from '#sdk';

/** Blocks on top, or the chain's own word for final. */
export function confirmations(more = '') {
  return z
    .union([
      z.number().int().min(0).max(10_000),
      z
        .string()
        .regex(/^\d{1,4}$/)
        .transform(Number),
      z.enum(['safe', 'finalized']),
    ])
    .optional()
    .meta({
      title: 'Confirmations',
      description: `Blocks on top before it counts, or safe or finalized. Default: the setting of the network${more}.`,
      examples: [3, 'finalized'],
    });
}

/** Of triggers, whose flows may move value because of what is heard. */
export function heardConfirmations() {
  return confirmations('; for a flow that moves value, what is final there');
}

/** Of triggers that have such confirmations. */
export const blockFinality: TriggerFinality<Network> = {
  input: 'confirmations',
  shortfall: (input) => shortfallOf(input['confirmations']),
};

export const contractInput = z
  .string()
  .min(1)
  .meta({ title: 'Contract', description: 'Name in the address book, or an address.', examples: ['usdc'] });

export const abiInput = z
  .string()
  .min(1)
  .optional()
  .meta({
    title: 'ABI',
    description: 'Name of an ABI, for a contract that is given by address.',
    examples: ['DemoToken'],
  });
