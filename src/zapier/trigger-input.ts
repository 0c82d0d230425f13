import { describeIssues } from '#engine';
import { PatchbayError, type z } from '#sdk';
import { triggerInputs, type TriggerInput, type TriggerName } from './zapier.schema.js';

/** @throws request.invalid with every fault at once */
export function parseInput(trigger: TriggerName, given: Readonly<Record<string, unknown>>): TriggerInput {
  const schema: z.ZodType<TriggerInput> = triggerInputs[trigger];
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const faults = describeIssues(result.error.issues, schema, given, 'input').map(({ path, detail, fix }) => ({
    pointer: `#/input/${path.join('/')}`,
    detail,
    ...(fix !== undefined && { fix }),
  }));
  throw new PatchbayError('request.invalid', {
    detail: faults.map(({ detail }) => detail).join(' '),
    fix: `The trigger ${trigger} takes ${Object.keys(triggerInputs[trigger].shape).join(', ')}.`,
    faults,
  });
}
