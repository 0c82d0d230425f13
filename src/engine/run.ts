import { PatchbayError } from '#sdk';
import type { Acceptance, CompiledFlow, Flow, Step } from './flow.js';
import { Progress, type Lines } from './progress.js';
import { compileStep } from './step.js';
import { compileTemplate, type Render, type Scope } from './template.js';
import { toJson } from './template.helpers.js';
import { movesValue } from './value.js';
import type { Vocabulary } from './vocabulary.js';
import { compileWhere } from './where.js';

export interface CompileOptions {
  /** From 0 up to 1; spreads retries over time. Absent: they happen exactly when the policy says. */
  readonly random?: () => number;
}

/** Compiles templates and conditions once; the flow has been linted. */
export function compileFlow(flow: Flow, vocabulary: Vocabulary, { random }: CompileOptions = {}): CompiledFlow {
  const compile = (step: Step) => {
    const action = vocabulary.action(step.uses);
    if (!action)
      throw new PatchbayError('flow.invalid', {
        detail: `The flow ${flow.name} uses ${step.uses}, which does not exist.`,
      });
    return compileStep(step, action, flow.name);
  };
  const lines: Lines = {
    steps: flow.steps.map(compile),
    onFailure: flow.onFailure.map(compile),
    onReverted: flow.onReverted.map(compile),
  };
  return {
    flow,
    movesValue: movesValue([...flow.steps, ...flow.onFailure], vocabulary),
    accept: compileAcceptance(flow),
    advance: (advance) => new Progress(flow, lines, advance, random).advance(),
  };
}

function compileAcceptance(flow: Flow): CompiledFlow['accept'] {
  const place = `trigger of ${flow.name}`;
  const conditions = Object.entries(flow.trigger.where ?? {}).map(([path, condition]) => ({
    path,
    holds: compileWhere({ [path]: condition }, place),
  }));
  const idempotencyKey = compileKey(flow.idempotencyKey, `idempotencyKey of ${flow.name}`);
  const orderingKey = compileKey(flow.orderingKey, `orderingKey of ${flow.name}`);
  return (event, env): Acceptance => {
    const scope: Scope = { event, env, flow: { name: flow.name } };
    const broken = conditions.find((condition) => !condition.holds(scope));
    if (broken) return { takes: false, because: `The condition on ${broken.path} does not hold.` };
    return { takes: true, idempotencyKey: idempotencyKey?.(scope), orderingKey: orderingKey?.(scope) };
  };
}

function compileKey(template: string | undefined, place: string): Render<string> | undefined {
  if (template === undefined) return undefined;
  const render = compileTemplate(template, place);
  return (scope) => {
    const value = render(scope);
    const text = typeof value === 'string' ? value : value === null ? '' : toJson(value);
    // Without a value, events that have nothing to do with each other would share one key.
    if (text === '')
      throw new PatchbayError('template.missingValue', {
        detail: `The ${place} is empty for this event. Template: ${template}`,
      });
    return text;
  };
}
