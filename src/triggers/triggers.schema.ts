import { z } from '#sdk';

const error = z.object({ code: z.string(), message: z.string(), fix: z.string().optional() }).nullable();

export const triggersAnswer = z.object({
  triggers: z.array(
    z.object({
      id: z.string(),
      uses: z.string(),
      connection: z.string().nullable(),
      cursor: z.string().nullable().meta({ description: 'Where it goes on after a restart' }),
      error,
      heardAt: z.iso.datetime().nullable(),
      incidents: z
        .array(
          z.object({
            at: z.iso.datetime(),
            reason: z.string(),
            since: z.iso.datetime(),
            found: z.number().int().meta({ description: 'What is there since then' }),
            emitted: z.number().int().meta({ description: 'Of that, what had not been heard' }),
          }),
        )
        .meta({ description: 'When something was missed and looked for; newest first, at most 20' }),
    }),
  ),
});

export const manualRunAnswer = z.object({
  event: z.uuid(),
  runs: z.array(z.uuid()),
  duplicates: z.number().int().meta({ description: 'Of the runs, those that existed already' }),
  ignored: z.string().optional().meta({ description: 'Why the flow does not take the event' }),
});

export const backfillAnswer = z.object({
  id: z.uuid(),
  flow: z.string(),
  state: z.enum(['running', 'completed', 'failed', 'cancelled']),
  from: z.string(),
  to: z.string().nullable(),
  startsRuns: z.boolean(),
  done: z.number().meta({ description: "In the trigger's own terms, e.g. blocks" }),
  total: z.number(),
  events: z.number().int(),
  error,
});

export const hookAnswer = z.object({
  accepted: z.number().int(),
  events: z.array(z.uuid()),
  runs: z.array(z.uuid()),
  duplicates: z
    .number()
    .int()
    .meta({ description: 'Of the runs, those that existed already: the same was heard before' }),
});
