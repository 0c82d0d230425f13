import { PatchbayError } from '#sdk';
import { isRecord } from './path.js';
import { inspectTemplate, type Expression } from './template.parser.js';
import { toJson, type TemplateHelper } from './template.helpers.js';

/** What templates and conditions may refer to. */
export interface Scope {
  readonly event?: unknown;
  readonly steps?: Readonly<Record<string, unknown>>;
  readonly run?: unknown;
  readonly flow?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly item?: unknown;
  readonly index?: number;
}

export type Render<Result = unknown> = (scope: Scope) => Result;

const maxOutput = 256 * 1024;

export function hasTemplate(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}

/** What is known before there is anything to fill in: a template is `undefined`. */
export function withoutTemplates(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, knownOf(item)]));
}

function knownOf(value: unknown): unknown {
  if (hasTemplate(value)) return undefined;
  if (Array.isArray(value)) return value.map(knownOf);
  return isRecord(value) ? withoutTemplates(value) : value;
}

/**
 * Compiles a text once; a text that is exactly one expression keeps the type of its value, anything else becomes text.
 * `place` says where the template stands, for messages.
 *
 * @throws template.invalid, template.tooLarge
 */
export function compileTemplate(text: string, place = ''): Render {
  if (!hasTemplate(text)) return () => text;
  const { parts, problems } = inspectTemplate(text);
  const [problem] = problems;
  if (problem) {
    throw new PatchbayError(problem.rule === 'template-too-large' ? 'template.tooLarge' : 'template.invalid', {
      detail: `${problem.detail}${placed(text, place)}`,
      ...(problem.fix === undefined ? {} : { fix: problem.fix }),
    });
  }
  const source: Source = { text, place };
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return compileExpression(only, source);
  return compileText(parts, source);
}

/** Compiles every template in nested data; data without any is handed on as it is. */
export function compileValue(value: unknown, place = ''): { readonly isConstant: boolean; readonly render: Render } {
  const fill = compileFill(value, place, '');
  if (!fill) return { isConstant: true, render: () => value };
  return { isConstant: false, render: (scope) => fill(scope, { left: maxOutput, place }) };
}

// ---------------------------------------------------------------- nested data

interface Budget {
  left: number;
  readonly place: string;
}

type Fill = (scope: Scope, budget: Budget) => unknown;

/** Undefined when there is nothing to fill in. */
function compileFill(value: unknown, place: string, path: string): Fill | undefined {
  if (typeof value === 'string') {
    if (!hasTemplate(value)) return undefined;
    const render = compileTemplate(value, path === '' ? place : `field ${path}${place === '' ? '' : ` of ${place}`}`);
    return (scope, budget) => weighed(render(scope), budget);
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const keys = Object.keys(value);
  const values = Object.values(value) as unknown[];
  const fills = keys.map((key, index) => compileFill(values[index], place, path === '' ? key : `${path}.${key}`));
  if (fills.every((fill) => fill === undefined)) return undefined;
  if (Array.isArray(value))
    return (scope, budget) => fills.map((fill, index) => (fill ? fill(scope, budget) : values[index]));
  return (scope, budget) => {
    const result: Record<string, unknown> = {};
    for (let index = 0; index < keys.length; index++) {
      const fill = fills[index];
      result[keys[index]!] = fill ? fill(scope, budget) : values[index];
    }
    return result;
  };
}

/** Many small templates can together render a huge input; their sum is bounded. */
function weighed(value: unknown, budget: Budget): unknown {
  weigh(value, budget);
  return value;
}

function weigh(value: unknown, budget: Budget): void {
  budget.left -= typeof value === 'string' ? value.length : 1;
  if (budget.left < 0) {
    throw new PatchbayError('template.tooLarge', {
      detail: `More than 256 kB were rendered for ${budget.place || 'one value'}.`,
    });
  }
  if (typeof value !== 'object' || value === null) return;
  for (const item of Object.values(value)) weigh(item, budget);
}

// ---------------------------------------------------------------- text

interface Source {
  readonly text: string;
  readonly place: string;
}

function compileText(parts: readonly (string | Expression)[], source: Source): Render<string> {
  const renders = parts.map((part) => (typeof part === 'string' ? part : compileExpression(part, source)));
  return (scope) => {
    let text = '';
    for (const render of renders) {
      text += typeof render === 'string' ? render : toText(render(scope));
      if (text.length > maxOutput) throw tooLarge(source);
    }
    return text;
  };
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  return value instanceof Date ? value.toISOString() : toJson(value);
}

// ---------------------------------------------------------------- expressions

function compileExpression(expression: Expression, source: Source): Render {
  const render = compileOptional(expression, source);
  if (expression.kind !== 'path') return render;
  return (scope) => {
    const value = render(scope);
    if (value === undefined) throw missingValue(expression.path.join('.'), source);
    return value;
  };
}

/** Gives undefined for what is missing. */
function compileOptional(expression: Expression, source: Source): Render {
  switch (expression.kind) {
    case 'literal':
      return () => expression.value;
    case 'path':
      return compilePath(expression.path);
    case 'call':
      return compileCall(expression.helper, expression.args, source);
  }
}

function compilePath([root = '', ...below]: readonly string[]): Render {
  // Roots are names of the scope's own fields: the parser has checked that.
  const name = root as keyof Scope;
  const [first, second] = below;
  if (first === undefined) return (scope) => scope[name];
  if (second === undefined) return (scope) => own(scope[name], first);
  if (below.length === 2) return (scope) => own(own(scope[name], first), second);
  return (scope) => {
    let value: unknown = scope[name];
    for (let index = 0; index < below.length && value !== undefined; index++) value = own(value, below[index]!);
    return value;
  };
}

function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function compileCall(helper: TemplateHelper, args: readonly (Expression | undefined)[], source: Source): Render {
  const catchesMissing = helper.name === 'default';
  const renders = args.map((arg, index) => {
    if (!arg) return () => undefined;
    return catchesMissing && index === 0 ? compileCaught(arg, source) : compileExpression(arg, source);
  });
  const [first = nothing, second = nothing] = renders;
  return (scope) => {
    try {
      const value =
        renders.length === 2
          ? helper.run(first(scope), second(scope))
          : renders.length === 1
            ? helper.run(first(scope))
            : helper.run(...renders.map((render) => render(scope)));
      if (typeof value === 'string' && value.length > maxOutput) throw tooLarge(source);
      return value;
    } catch (error) {
      throw located(error, source);
    }
  };
}

const nothing: Render = () => undefined;

/** The first argument of `default`: whatever is missing in it, however deep, makes it missing. */
function compileCaught(expression: Expression, source: Source): Render {
  if (expression.kind !== 'call') return compileOptional(expression, source);
  const render = compileExpression(expression, source);
  return (scope) => {
    try {
      return render(scope);
    } catch (error) {
      if (error instanceof PatchbayError && error.code === 'template.missingValue') return undefined;
      throw error;
    }
  };
}

/** Helpers know their values but not their place. */
function located(error: unknown, source: Source): unknown {
  if (!(error instanceof PatchbayError) || error.code !== 'template.helper' || error.cause === source) return error;
  return new PatchbayError('template.helper', {
    detail: `${error.detail}${placed(source.text, source.place)}`,
    ...(error.fix === undefined ? {} : { fix: error.fix }),
    cause: source,
  });
}

function missingValue(path: string, source: Source): PatchbayError {
  return new PatchbayError('template.missingValue', {
    detail: `There is no value at ${path}.${placed(source.text, source.place)}`,
    fix: `Correct the path, or give a substitute: {{default ${path} '…'}}.`,
  });
}

function tooLarge(source: Source): PatchbayError {
  return new PatchbayError('template.tooLarge', {
    detail: `The result is larger than 256 kB.${placed(source.text, source.place)}`,
  });
}

function placed(text: string, place: string): string {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return ` Template: ${shown}${place === '' ? '' : ` (${place})`}`;
}
