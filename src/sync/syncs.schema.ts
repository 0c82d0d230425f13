import { z } from '#sdk';

const fault = z.object({
  pointer: z.string(),
  detail: z.string(),
  fix: z.string().optional(),
  file: z.string().optional(),
  line: z.number().int().optional(),
  column: z.number().int().optional(),
  rule: z.string().optional(),
  severity: z.enum(['error', 'warning']).optional(),
});

const count = () => z.number().int().min(0);

const pass = z.object({
  kind: z.enum(['backfill', 'check']),
  state: z.enum(['running', 'finished']),
  done: count(),
  total: count().meta({ description: 'As far as it is known by now' }),
  agreed: count(),
  differing: count().meta({ description: 'Keys whose two sides differed' }),
  repaired: count().meta({ description: 'Of those, brought in order' }),
  failed: count(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});

export const syncAnswer = z.object({
  name: z.string(),
  description: z.string().optional(),
  file: z.string(),
  kind: z.enum(['state', 'events']),
  state: z.enum(['running', 'paused', 'disabled']),
  flows: z.array(z.string()).meta({ description: 'The flows that keep it' }),
  faults: z.array(fault).meta({ description: 'Of the file as it is now; not empty means that an older version runs' }),
  warnings: z
    .array(fault)
    .meta({ description: 'Risks that it takes, and what could not be checked when it was loaded' }),
  counts: z.object({
    rows: count().meta({ description: 'Keys that are known' }),
    agreed: count(),
    differing: count(),
    failed: count(),
    open: count().meta({ description: 'Being written, or waiting for the chain' }),
  }),
  pass: pass.nullable().meta({ description: 'The last look at both sides as a whole, or the one under way' }),
});

export const syncsAnswer = z.object({ syncs: z.array(syncAnswer) });

export const syncDetailAnswer = z.object({
  ...syncAnswer.shape,
  document: z.string(),
  rows: z.array(
    z.object({
      key: z.string(),
      recordId: z.string().nullable(),
      state: z.enum(['agreed', 'differing', 'failed']),
      error: z.unknown().nullable(),
      updatedAt: z.iso.datetime(),
    }),
  ),
});

export const checkAnswer = z.object({ run: z.string() });

export type SyncView = z.output<typeof syncAnswer>;

export const trialRequest = z.strictObject({
  document: z.string().max(65_536).meta({ description: 'The sync, as YAML' }),
  key: z.string().min(1).max(500).optional().meta({ description: 'Of the entry on the chain' }),
  recordId: z
    .string()
    .optional()
    .meta({ description: 'Instead of the key; without either the first record that has one' }),
});

const values = z.record(z.string(), z.unknown());

export const trialAnswer = z.object({
  key: z.string(),
  salesforce: z.object({ id: z.string(), fields: values }).nullable(),
  chain: values.nullable(),
  wouldWrite: z.object({
    salesforce: z.object({ kind: z.enum(['create', 'update', 'delete']), fields: values }).nullable(),
    chain: z.array(z.object({ function: z.string(), args: z.unknown() })),
  }),
  dependsOnTime: z.boolean(),
});
