import { z } from '#sdk';

export const feedContract = z
  .string()
  .min(1)
  .meta({ title: 'Contract', description: 'Name in the address book, or an address.', examples: ['eth-usd'] });

export const networkName = z
  .string()
  .min(1)
  .optional()
  .meta({
    title: 'Network',
    description: 'Default: that of the connection, else the default network.',
    examples: ['local'],
  });

/** A decimal number, in the terms of the feed rather than of its contract. */
export const bound = z.union([z.string().regex(/^[+-]?\d+(\.\d+)?$/, 'must be a decimal number'), z.number()]);

export const signerName = z
  .string()
  .min(1)
  .optional()
  .meta({
    title: 'Signer',
    description: 'Name of the signer that signs and pays. Default: that of the connection.',
    examples: ['treasury'],
  });

/** What is published. */
export const valueInput = z.union([z.string(), z.number()]).meta({
  title: 'Value',
  description: 'A decimal number, as text of any length.',
  examples: ['{{steps.price.value}}'],
});

export const deviationInput = z.strictObject({
  percent: bound.default(0).meta({
    title: 'Percent',
    description: 'Of the last answer that the difference must reach.',
    examples: ['0.5'],
  }),
  absolute: bound.default(0).meta({
    title: 'Absolute',
    description: 'What the difference must be greater than.',
  }),
});
