import { z } from '#sdk';

const testSchema = z.strictObject({
  name: z.string().min(1).describe('What the test tells, as a sentence.'),
  given: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Answers of steps (steps.<id>: its output, or { error: code }), env and run.'),
  when: z.unknown().describe('The event, as far as it matters.'),
  then: z.strictObject({
    run: z.enum(['completed', 'ignored', 'failed']).describe('How the run ends.'),
    calls: z
      .array(z.record(z.string(), z.unknown()))
      .optional()
      .describe('Every call in order, as uses: input. Absent: not looked at.'),
    failed: z.array(z.string()).optional().describe('Steps that are given up.'),
    skipped: z.array(z.string()).optional().describe('Steps whose conditions do not hold.'),
    error: z.string().optional().describe('Code of the error that ends the run.'),
  }),
});

export const flowTestSchema = z.strictObject({
  flow: z.string().min(1).describe('The file with the flow, beside this one.'),
  tests: z.array(testSchema).min(1).max(1_000),
});

export type FlowTestDocument = z.output<typeof flowTestSchema>;
export type FlowTestCase = z.output<typeof testSchema>;
