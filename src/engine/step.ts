import { PatchbayError, type AnyAction } from '#sdk';
import { coerce } from './coercion.js';
import type { Step } from './flow.js';
import { describeIssues } from './schema-faults.js';
import { compileTemplate, compileValue, type Render } from './template.js';
import { lookUp } from './path.js';
import { compileWhere } from './where.js';

export interface CompiledStep {
  readonly step: Step;
  /** As its action says. */
  readonly isPure: boolean;
  readonly holds: Render<boolean>;
  /** The items of `forEach`. */
  readonly items: Render<readonly unknown[]> | undefined;
  /** @throws template.missingValue, template.helper, template.tooLarge, flow.input */
  readonly input: Render;
}

const maxIterations = 1_000;

export function compileStep(step: Step, action: AnyAction, flow: string): CompiledStep {
  const place = `step ${step.id} of ${flow}`;
  return {
    step,
    isPure: action.isPure === true,
    holds: compileWhere(step.where, place),
    items: step.forEach === undefined ? undefined : compileItems(step.forEach, place),
    input: compileInput(step, action, place),
  };
}

function compileItems(forEach: string, place: string): Render<readonly unknown[]> {
  const render = compileTemplate(forEach, `forEach of ${place}`);
  return (scope) => {
    const items = render(scope);
    if (!Array.isArray(items)) {
      throw new PatchbayError('flow.input', {
        detail: `forEach of ${place} needs a list, and ${forEach} gave none.`,
        fix: 'Refer to a list.',
      });
    }
    if (items.length > maxIterations) {
      throw new PatchbayError('flow.input', {
        detail: `forEach of ${place} was given ${items.length} items; at most ${maxIterations} are allowed.`,
        fix: 'Shorten the list, e.g. with {{slice … 0 1000}}.',
      });
    }
    return items as unknown[];
  };
}

function compileInput(step: Step, action: AnyAction, place: string): Render {
  const { render } = compileValue(step.with, place);
  return (scope) => {
    const rendered = coerce(render(scope), action.input);
    const result = action.input.safeParse(rendered);
    if (result.success) return result.data;
    const faults = describeIssues(result.error.issues, action.input, withoutEnv(rendered, step.with), 'input');
    throw new PatchbayError('flow.input', {
      detail: `The input of ${place} does not fit ${step.uses}. ${faults.map((fault) => fault.detail).join(' ')}`,
      fix: [...new Set(faults.flatMap((fault) => fault.fix ?? []))].join(' '),
      faults: faults.map((fault) => ({
        pointer: `#/${fault.path.join('/')}`,
        detail: fault.detail,
        ...(fault.fix === undefined ? {} : { fix: fault.fix }),
      })),
    });
  };
}

/** The environment may hold secrets: values that came from it are not shown. */
function withoutEnv(rendered: unknown, source: unknown): unknown {
  if (typeof source === 'string') return source.includes('{{') && /\benv\b/.test(source) ? '***' : rendered;
  if (typeof source !== 'object' || source === null || typeof rendered !== 'object' || rendered === null)
    return rendered;
  const shown = Object.entries(source).map(([key, item]) => [key, withoutEnv(lookUp(rendered, [key]), item)] as const);
  return Array.isArray(rendered) ? shown.map(([, item]) => item) : Object.fromEntries(shown);
}
