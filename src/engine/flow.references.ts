import { followFields, suggest, type z } from '#sdk';
import type { FaultText } from './yaml-document.js';

/** What can be referred to at one place of a flow. What is absent is not in scope there. */
export interface Names {
  readonly event?: z.ZodType | 'open';
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Steps that are done by then, and what they give. */
  readonly steps?: ReadonlyMap<string, z.ZodType | 'open'>;
  readonly later?: ReadonlySet<string>;
  readonly run?: 'step' | 'failure';
  readonly isRepeated?: boolean;
}

/** The fault of a reference such as `steps.contact.id`, if it has one. */
export function checkReference([root = '', ...below]: readonly string[], names: Names): FaultText | undefined {
  switch (root) {
    case 'event':
      return names.event === undefined ? notHere(root, names) : checkFields(root, below, names.event);
    case 'steps':
      return names.run === undefined ? notHere(root, names) : checkStep(below, names);
    case 'run':
      return names.run === undefined ? notHere(root, names) : checkRun(below, names.run);
    case 'flow':
      return names.event === undefined ? notHere(root, names) : checkNames('flow', below, ['name']);
    case 'env':
      return names.env === undefined ? undefined : checkNames('env', below, Object.keys(names.env));
    case 'item':
    case 'index':
      return names.isRepeated ? undefined : notHere(root, names);
    default:
      return {
        rule: 'unknown-reference',
        detail: `There is nothing called ${root}.`,
        fix: suggest(root, inScope(names)),
      };
  }
}

function checkStep([id, ...fields]: readonly string[], names: Names): FaultText | undefined {
  const done = [...(names.steps?.keys() ?? [])];
  if (id === undefined)
    return {
      rule: 'unknown-reference',
      detail: 'steps needs the id of a step.',
      fix: suggest('', done) ?? 'Give a step an id.',
    };
  const output = names.steps?.get(id);
  if (output !== undefined) return checkFields(`steps.${id}`, fields, output);
  if (names.later?.has(id)) {
    return {
      rule: 'later-step',
      detail: `The step ${id} is not done yet at this place.`,
      fix: 'Refer only to steps above this one.',
    };
  }
  return {
    rule: 'unknown-step',
    detail: `There is no step ${id}.`,
    fix: suggest(id, done) ?? 'Give the step an id, and refer only to steps above this one.',
  };
}

function checkRun(fields: readonly string[], run: 'step' | 'failure'): FaultText | undefined {
  const [first, second] = fields;
  if (first === 'error' && run === 'failure')
    return second === undefined ? undefined : checkNames('run.error', [second], errorFields);
  if (first === 'error') {
    return {
      rule: 'unknown-reference',
      detail: 'run.error exists only in the steps of onFailure.',
      fix: 'Move the step to onFailure.',
    };
  }
  return checkNames('run', fields, ['id', 'attempt', 'error']);
}

const errorFields = ['step', 'code', 'message', 'fix'];

function checkNames(root: string, [name]: readonly string[], known: readonly string[]): FaultText | undefined {
  if (name === undefined || known.includes(name)) return undefined;
  return {
    rule: 'unknown-reference',
    detail: `${root} has no ${name}.`,
    fix: suggest(name, known) ?? `Nothing is known of ${root} here.`,
  };
}

function checkFields(root: string, fields: readonly string[], schema: z.ZodType | 'open'): FaultText | undefined {
  if (schema === 'open') return undefined;
  const search = followFields(schema, fields, 'out');
  if (search.found !== undefined) return undefined;
  const parent = [root, ...fields.slice(0, search.depth)].join('.');
  const name = fields[search.depth] ?? '';
  return {
    rule: 'unknown-reference',
    detail: `${parent} has no field ${name}.`,
    fix: suggest(name, search.known) ?? `${parent} is a single value; remove .${name}.`,
  };
}

function notHere(root: string, names: Names): FaultText {
  const fix =
    root === 'item' || root === 'index' ? 'Give the step a forEach.' : `Use one of ${inScope(names).join(', ')}.`;
  return { rule: 'unknown-reference', detail: `${root} does not exist at this place.`, fix };
}

function inScope(names: Names): readonly string[] {
  const run = names.run === undefined ? [] : ['steps', 'run'];
  const event = names.event === undefined ? [] : ['event', 'flow'];
  return [...event, ...run, ...(names.isRepeated ? ['item', 'index'] : []), 'env'];
}
