import { z } from '#sdk';

/** A moment as a flow has it: RFC 3339, or seconds since 1970; the value is seconds. */
export const observedAtInput = z
  .union([
    z.iso.datetime({ offset: true }).transform((text) => Math.floor(Date.parse(text) / 1_000)),
    z.number().int().positive(),
    z
      .string()
      .regex(/^\d{1,12}$/)
      .transform(Number),
  ])
  .optional()
  .meta({
    title: 'Observed at',
    description: 'When the value was seen: a time, or seconds since 1970. Default: now.',
    examples: ['{{steps.price.observedAt}}'],
  });
