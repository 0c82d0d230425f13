import { RE2JS } from 're2js';
import { suggest } from '#sdk';
import { compareDecimals, toDecimal } from './decimal.js';
import type { Where } from './flow.js';
import { forbiddenNames, isRecord, lookUp, parsePath, type Path } from './path.js';
import { compileTemplate, hasTemplate, type Render, type Scope } from './template.js';

export const operatorNames = ['is', 'not', 'in', 'gt', 'gte', 'lt', 'lte', 'matches', 'exists'] as const;
type OperatorName = (typeof operatorNames)[number];

const maxPattern = 1_000;

/** Whether all conditions hold. A path that leads nowhere makes its condition false, except `exists: false`. */
export function compileWhere(where: Where | undefined, place = ''): Render<boolean> {
  const tests = Object.entries(where ?? {}).map(([path, condition]) => compileCondition(path, condition, place));
  const [first, second] = tests;
  if (!first) return () => true;
  if (!second) return first;
  return (scope) => tests.every((test) => test(scope));
}

export interface WhereProblem {
  /** Below the `where`. */
  readonly path: Path;
  readonly on: 'key' | 'value';
  readonly rule: 'bad-path' | 'unknown-operator' | 'bad-operand';
  readonly detail: string;
  readonly fix?: string | undefined;
}

/** Everything that is wrong with the form of conditions; what they refer to is looked at elsewhere. */
export function inspectWhere(where: Where): readonly WhereProblem[] {
  return Object.entries(where).flatMap(([path, condition]) => {
    const segments = parsePath(path);
    if (!segments || segments.some((segment) => forbiddenNames.has(segment))) {
      return [
        {
          path: [path],
          on: 'key',
          rule: 'bad-path',
          detail: `${path} is not a path.`,
          fix: 'Write names with dots between them, e.g. event.args.to.',
        },
      ];
    }
    return isRecord(condition) ? operatorProblems(path, condition) : operandProblems([path], 'is', condition);
  });
}

function operatorProblems(path: string, condition: Record<string, unknown>): readonly WhereProblem[] {
  const names = Object.keys(condition);
  if (names.length === 0) {
    return [
      {
        path: [path],
        on: 'value',
        rule: 'bad-operand',
        detail: 'The condition is empty.',
        fix: `Use one of ${operatorNames.join(', ')}.`,
      },
    ];
  }
  return names.flatMap((name): readonly WhereProblem[] => {
    if (isOperator(name)) return operandProblems([path, name], name, condition[name]);
    return [
      {
        path: [path, name],
        on: 'key',
        rule: 'unknown-operator',
        detail: `There is no condition ${name}.`,
        fix: suggest(name, operatorNames),
      },
    ];
  });
}

function operandProblems(path: Path, operator: OperatorName, operand: unknown): readonly WhereProblem[] {
  const problem = (detail: string, fix: string): readonly WhereProblem[] => [
    { path, on: 'value', rule: 'bad-operand', detail, fix },
  ];
  switch (operator) {
    case 'exists':
      return typeof operand === 'boolean' ? [] : problem('exists is either true or false.', 'Write exists: true.');
    case 'in':
      return Array.isArray(operand) || hasTemplate(operand) ? [] : problem('in needs a list.', 'Write in: [a, b].');
    case 'matches':
      return patternProblem(operand, problem);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return typeof operand === 'number' || typeof operand === 'string'
        ? []
        : problem(`${operator} needs a number or a text.`, `Write ${operator}: 100.`);
    case 'is':
    case 'not':
      return typeof operand === 'object' && operand !== null
        ? problem('A list or mapping cannot be compared.', 'Use in: [a, b].')
        : [];
  }
}

function patternProblem<Result>(
  operand: unknown,
  problem: (detail: string, fix: string) => readonly Result[],
): readonly Result[] {
  if (typeof operand !== 'string' || hasTemplate(operand)) {
    return problem('matches needs a fixed pattern.', "Write matches: '^0x[0-9a-f]+$'.");
  }
  if (operand.length > maxPattern) return problem('The pattern is longer than 1,000 characters.', 'Shorten it.');
  try {
    RE2JS.compile(operand);
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return problem(`The pattern cannot be read: ${reason}.`, 'Use RE2 syntax: no look-around and no back-references.');
  }
}

// ---------------------------------------------------------------- compiling

type Test = (value: unknown, scope: Scope) => boolean;

function compileCondition(path: string, condition: unknown, place: string): Render<boolean> {
  const segments = parsePath(path) ?? [];
  const tests = isRecord(condition)
    ? Object.entries(condition).map(([name, operand]) =>
        compileTest(name as OperatorName, operand, `${path} ${name}`, place),
      )
    : [compileTest('is', condition, path, place)];
  return (scope) => {
    const value = lookUp(scope, segments);
    return tests.every((test) => test(value, scope));
  };
}

function compileTest(operator: OperatorName, operand: unknown, path: string, place: string): Test {
  if (operator === 'exists') return (value) => (value !== undefined && value !== null) === operand;
  const holds = compileComparison(operator, operand, `where ${path}${place === '' ? '' : ` of ${place}`}`);
  return (value, scope) => value !== undefined && holds(value, scope);
}

function compileComparison(operator: Exclude<OperatorName, 'exists'>, operand: unknown, place: string): Test {
  if (operator === 'matches') {
    // Linear in the text, whatever the pattern: an author of flows must not be able to stop the hub.
    const pattern = RE2JS.compile(String(operand));
    return (value) => typeof value !== 'object' && pattern.matcher(String(value)).find();
  }
  if (operator === 'in') {
    const render = compileList(operand, place);
    return (value, scope) => render(scope).some((one) => isSame(value, one));
  }
  const render = typeof operand === 'string' ? compileTemplate(operand, place) : () => operand;
  switch (operator) {
    case 'is':
      return (value, scope) => isSame(value, render(scope));
    case 'not':
      return (value, scope) => !isSame(value, render(scope));
    case 'gt':
      return (value, scope) => isOrdered(value, render(scope), (order) => order > 0);
    case 'gte':
      return (value, scope) => isOrdered(value, render(scope), (order) => order >= 0);
    case 'lt':
      return (value, scope) => isOrdered(value, render(scope), (order) => order < 0);
    case 'lte':
      return (value, scope) => isOrdered(value, render(scope), (order) => order <= 0);
  }
}

function compileList(operand: unknown, place: string): Render<readonly unknown[]> {
  if (Array.isArray(operand)) {
    const renders = operand.map((item: unknown) =>
      typeof item === 'string' ? compileTemplate(item, place) : () => item,
    );
    return (scope) => renders.map((render) => render(scope));
  }
  const render = compileTemplate(String(operand), place);
  return (scope) => {
    const list = render(scope);
    return Array.isArray(list) ? (list as unknown[]) : [list];
  };
}

/**
 * Two texts are the same letter by letter, except hexadecimal ones: an address has the same meaning in any case.
 * As soon as one side is a number, values are compared as numbers, exactly.
 */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'string' && typeof b === 'string')
    return isHex(a) && isHex(b) && a.toLowerCase() === b.toLowerCase();
  if (!isNumeric(a) && !isNumeric(b)) return false;
  const [left, right] = [toDecimal(a), toDecimal(b)];
  return left !== undefined && right !== undefined && compareDecimals(left, right) === 0;
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isHex(text: string): boolean {
  return /^0x[0-9a-f]+$/i.test(text);
}

/** Numbers by size, other texts (such as RFC 3339 times) by their characters; what cannot be compared is in no order. */
function isOrdered(a: unknown, b: unknown, test: (order: number) => boolean): boolean {
  const [left, right] = [toDecimal(a), toDecimal(b)];
  if (left && right) return test(compareDecimals(left, right));
  if (left || right || typeof a !== 'string' || typeof b !== 'string') return false;
  return test(a < b ? -1 : a > b ? 1 : 0);
}

function isOperator(name: string): name is OperatorName {
  return (operatorNames as readonly string[]).includes(name);
}
