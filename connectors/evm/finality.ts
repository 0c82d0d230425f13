import { shortfallOf, type Network } from '#evm';
import { finalityInput, z, type TriggerFinality } from '#sdk';

const digits = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(Number);

/** Blocks on top, as text too, or the chain's own word for final. */
export function confirmations(more = '') {
  const [blocks, word] = finalityInput().options;
  return z
    .union([blocks, digits, word])
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
