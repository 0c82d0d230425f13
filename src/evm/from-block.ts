import { z } from '#sdk';

/** An input of triggers that listen to a chain. */
export function fromBlock() {
  return z
    .number()
    .int()
    .min(0)
    .optional()
    .meta({ title: 'From block', description: 'Where the first start begins. Default: with the next block.' });
}
