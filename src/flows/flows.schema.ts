import { z } from '#sdk';

const fault = z.object({
  pointer: z.string(),
  detail: z.string(),
  fix: z.string().optional(),
  file: z.string().optional(),
  line: z.number().int().optional(),
  column: z.number().int().optional(),
  rule: z.string().optional().meta({ description: 'The rule that was broken' }),
  severity: z.enum(['error', 'warning']).optional().meta({ description: 'Default: error' }),
});

const warnings = z.array(fault).meta({
  description:
    'Risks that the document takes, and what could not be checked because the other side of a connection could not be asked',
});

export const faultsAnswer = z.object({ faults: z.array(fault), warnings });

export const flowAnswer = z.object({
  name: z.string(),
  description: z.string().optional(),
  file: z.string(),
  version: z.string(),
  state: z.enum(['running', 'paused', 'disabled']),
  trigger: z.string(),
  steps: z.array(z.string()),
  faults: z.array(fault).meta({ description: 'Of the file as it is now; not empty means that an older version runs' }),
  warnings,
});

export const flowDetailAnswer = z.object({ ...flowAnswer.shape, document: z.string() });

export const flowsAnswer = z.object({
  flows: z.array(flowAnswer),
  broken: z.array(z.object({ file: z.string(), faults: z.array(fault) })),
});
