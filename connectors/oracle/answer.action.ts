import { PatchbayError, defineAction, z } from '#sdk';

export const answer = defineAction({
  title: "Answer the adapter's caller",
  summary: 'Says what the caller of a flow that is an external adapter gets; the last one counts.',
  input: z.object({
    result: z.unknown().meta({
      title: 'Result',
      description: 'What jobs pick as `result` or `data,result`. Give numbers of more than 15 digits as text.',
      examples: ['3120.55'],
    }),
    data: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ title: 'Data', description: 'Told beside the result, in `data`.' }),
  }),
  output: z.object({ result: z.unknown(), data: z.record(z.string(), z.unknown()).optional() }),
  examples: [{ result: '3120.55' }, { result: '3120.55', data: { source: 'exchange', volume: '1200.5' } }],
  repeatable: 'Nothing is sent by this step: the answer goes out when the run has ended, and is the same each time.',
  isPure: true,
  run({ input: { result, data } }) {
    if (!isAnswer(result)) {
      throw new PatchbayError('oracle.answer', {
        detail: `The result is ${typeof result === 'string' ? 'empty text' : String(result)}, which a caller might take for a good answer.`,
        fix: 'Look at what the steps before gave, or fail with a step of your own.',
      });
    }
    return { result, ...(data !== undefined && { data }) };
  },
});

/** Neither nothing, nor what nothing becomes on its way through texts and numbers. */
function isAnswer(result: unknown): boolean {
  if (typeof result === 'number') return Number.isFinite(result);
  if (typeof result === 'string') return !/^\s*(null|undefined|nan)?\s*$/i.test(result);
  return result !== undefined && result !== null;
}
