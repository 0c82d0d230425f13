import { suggest, type AnyAction, type AnyTrigger, type Fault, type z } from '#sdk';
import { coerce } from './coercion.js';
import type { FlowDocument, StepDocument } from './flow.schema.js';
import { checkReference, type Names } from './flow.references.js';
import { isRecord, parsePath, type Path } from './path.js';
import { describeIssues, findUnknownFields, type Issue } from './schema-faults.js';
import { hasTemplate, withoutTemplates } from './template.js';
import { inspectTemplate } from './template.parser.js';
import { movesValue } from './value.js';
import type { Vocabulary } from './vocabulary.js';
import { inspectWhere } from './where.js';
import type { FaultText, Spot, YamlDocument } from './yaml-document.js';

export interface LintOptions {
  readonly vocabulary: Vocabulary;
  /** Name of each connection, and its connector; absent: not checked. */
  readonly connections?: ReadonlyMap<string, string> | undefined;
  /** What `env` may refer to; absent: not checked. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Everything about a flow that its grammar cannot see: names, inputs, references, templates, conditions. */
export function lintFlow(flow: FlowDocument, document: YamlDocument, options: LintOptions): readonly Fault[] {
  return new Linter(flow, document, options).lint();
}

type Definition = Pick<AnyTrigger & AnyAction, 'input' | 'connection'>;

class Linter {
  readonly #faults: Fault[] = [];
  readonly #vocabulary: Vocabulary;

  constructor(
    readonly flow: FlowDocument,
    readonly document: YamlDocument,
    readonly options: LintOptions,
  ) {
    this.#vocabulary = options.vocabulary;
  }

  lint(): readonly Fault[] {
    const { flow } = this;
    this.#checkIds();
    const trigger = this.#vocabulary.trigger(flow.trigger.uses);
    const base: Names = {
      event: trigger ? trigger.event : 'open',
      env: this.options.env,
      steps: new Map(),
      later: new Set(),
    };
    this.#checkUse(flow.trigger, trigger, ['trigger'], 'trigger', { env: base.env });
    this.#checkWhere(flow.trigger.where, ['trigger', 'where'], base);
    this.#checkTemplates(flow.idempotencyKey, ['idempotencyKey'], base);
    this.#checkTemplates(flow.orderingKey, ['orderingKey'], base);
    const run = { ...base, run: 'step' } as const;
    const done = this.#checkSteps(flow.steps, 'steps', run);
    this.#checkSteps(flow.onFailure ?? [], 'onFailure', { ...run, run: 'failure', steps: done });
    this.#checkSteps(flow.onReverted ?? [], 'onReverted', { ...run, steps: done });
    this.#checkFinality(trigger);
    return this.#faults;
  }

  /** Steps under onReverted are there for what was taken back. */
  #checkFinality(trigger: AnyTrigger | undefined): void {
    const { steps, onFailure = [], trigger: written } = this.flow;
    if (trigger?.finality === undefined || !movesValue([...steps, ...onFailure], this.#vocabulary)) return;
    const fault = trigger.finality.shortfall(withoutTemplates(written.with ?? {}));
    if (fault === undefined) return;
    const { pointer, detail, fix } = fault;
    const path = ['trigger', 'with', ...pointer.split('/').slice(1)];
    const text = { rule: 'less-than-final', detail: `${detail}.`, fix };
    this.#faults.push({ ...this.document.faultAt(path, text), severity: 'warning' });
  }

  #checkIds(): void {
    const seen = new Set<string>();
    for (const list of ['steps', 'onFailure', 'onReverted'] as const) {
      for (const [index, { id }] of (this.flow[list] ?? []).entries()) {
        if (id === undefined) continue;
        if (seen.has(id)) {
          this.#add([list, index, 'id'], {
            rule: 'duplicate-step',
            detail: `There are two steps with the id ${id}.`,
            fix: 'Give one of them another id.',
          });
        }
        seen.add(id);
      }
    }
  }

  /** Gives the names that steps after these may refer to. */
  #checkSteps(steps: readonly StepDocument[], list: string, names: Names): ReadonlyMap<string, z.ZodType | 'open'> {
    const done = new Map(names.steps);
    const later = new Set(steps.flatMap(({ id }) => id ?? []));
    for (const [index, step] of steps.entries()) {
      const path = [list, index];
      const action = this.#vocabulary.action(step.uses);
      const here: Names = { ...names, steps: done, later, isRepeated: step.forEach !== undefined };
      this.#checkForEach(step, [...path, 'forEach'], { ...here, isRepeated: false });
      this.#checkUse(step, action, path, 'action', here);
      this.#checkWhere(step.where, [...path, 'where'], here);
      if (step.id === undefined) continue;
      later.delete(step.id);
      done.set(step.id, !action ? 'open' : step.forEach === undefined ? action.output : action.output.array());
    }
    return done;
  }

  #checkForEach(step: StepDocument, path: Path, names: Names): void {
    if (step.forEach === undefined) return;
    this.#checkTemplates(step.forEach, path, names);
    if (inspectTemplate(step.forEach).problems.length > 0) return;
    const { parts } = inspectTemplate(step.forEach);
    if (parts.length === 1 && typeof parts[0] !== 'string') return;
    this.#add(path, {
      rule: 'bad-value',
      detail: 'forEach needs a template that gives a list.',
      fix: 'Write forEach: "{{event.items}}".',
    });
  }

  #checkUse(
    use: FlowDocument['trigger'] | StepDocument,
    definition: Definition | undefined,
    path: Path,
    kind: 'trigger' | 'action',
    names: Names,
  ): void {
    if (!definition) this.#add([...path, 'uses'], this.#unknownUse(use.uses, kind));
    this.#checkConnection(use, definition, path);
    this.#checkTemplates(use.with, [...path, 'with'], names);
    if (definition) this.#checkInputs(use.with ?? {}, definition.input, path);
  }

  #unknownUse(uses: string, kind: 'trigger' | 'action'): FaultText {
    const [connector = ''] = uses.split('.');
    const known = this.#vocabulary.connectors();
    if (!known.includes(connector)) {
      return {
        rule: 'unknown-connector',
        detail: `There is no connector ${connector}.`,
        fix: suggest(connector, known) ?? 'Install the connector.',
      };
    }
    const [names, others] =
      kind === 'trigger'
        ? [this.#vocabulary.triggerNames(), this.#vocabulary.actionNames()]
        : [this.#vocabulary.actionNames(), this.#vocabulary.triggerNames()];
    if (others.includes(uses)) {
      const is = kind === 'trigger' ? 'an action' : 'a trigger';
      return {
        rule: `unknown-${kind}`,
        detail: `${uses} is ${is}, not ${kind === 'trigger' ? 'a trigger' : 'an action'}.`,
        fix: `Use one of the ${kind}s.`,
      };
    }
    const own = names.filter((name) => name.startsWith(`${connector}.`));
    return {
      rule: `unknown-${kind}`,
      detail: `The connector ${connector} has no ${kind} ${uses.slice(connector.length + 1)}.`,
      fix: suggest(uses, own) ?? `The connector ${connector} has no ${kind}s.`,
    };
  }

  #checkConnection(
    { connection, uses }: { connection?: string | undefined; uses: string },
    definition: Definition | undefined,
    path: Path,
  ): void {
    if (connection === undefined || !definition) return;
    const at = [...path, 'connection'];
    if (!definition.connection) {
      this.#add(at, { rule: 'needless-connection', detail: `${uses} needs no connection.`, fix: 'Remove the line.' });
      return;
    }
    const { connections } = this.options;
    if (!connections) return;
    const connector = connections.get(connection);
    if (connector === undefined) {
      this.#add(at, {
        rule: 'unknown-connection',
        detail: `There is no connection ${connection}.`,
        fix: suggest(connection, [...connections.keys()]) ?? `Add the connection ${connection} first.`,
      });
      return;
    }
    const fitting = this.#connectorsOf(definition.connection, uses);
    if (fitting.has(connector)) return;
    const usable = [...connections].flatMap(([name, its]) => (fitting.has(its) ? name : []));
    this.#add(at, {
      rule: 'wrong-connection',
      detail: `The connection ${connection} belongs to ${connector}, and ${uses} needs one of ${[...fitting].join(' or ')}.`,
      fix:
        usable.length > 0
          ? `Use ${usable.slice(0, 8).join(' or ')}.`
          : `Add a connection of ${[...fitting].join(' or ')} first.`,
    });
  }

  /** Connectors may share a kind of connection, e.g. everything that talks to a chain. */
  #connectorsOf(connection: unknown, uses: string): ReadonlySet<string> {
    const vocabulary = this.#vocabulary;
    const names = [
      ...vocabulary.actionNames().filter((name) => vocabulary.action(name)?.connection === connection),
      ...vocabulary.triggerNames().filter((name) => vocabulary.trigger(name)?.connection === connection),
    ];
    return new Set([uses, ...names].map((name) => name.split('.')[0] ?? name));
  }

  #checkInputs(inputs: Record<string, unknown>, schema: z.ZodType, path: Path): void {
    const at = [...path, 'with'];
    for (const fault of findUnknownFields(inputs, schema)) this.#add([...at, ...fault.path], fault, { on: 'key' });
    const issues = issuesOf(coerce(inputs, schema), schema).filter((issue) => !isUndecided(issue, inputs));
    for (const fault of describeIssues(issues, schema, inputs, 'input')) {
      // findUnknownFields has named them, with every nested one.
      if (fault.rule === 'unknown-input') continue;
      this.#add([...at, ...fault.path], fault, fault.on === 'key' ? { on: 'key' } : {});
    }
  }

  #checkWhere(where: Record<string, unknown> | undefined, path: Path, names: Names): void {
    if (!where) return;
    for (const problem of inspectWhere(where))
      this.#add([...path, ...problem.path], problem, problem.on === 'key' ? { on: 'key' } : {});
    this.#checkTemplates(where, path, names);
    for (const key of Object.keys(where)) {
      const segments = parsePath(key);
      const problem = segments && checkReference(segments, names);
      if (problem) this.#add([...path, key], problem, { on: 'key' });
    }
  }

  #checkTemplates(value: unknown, path: Path, names: Names): void {
    if (typeof value === 'string' && hasTemplate(value)) {
      const { problems, references } = inspectTemplate(value);
      for (const problem of problems) this.#add(path, problem, { offset: problem.offset });
      for (const reference of references) {
        const problem = checkReference(reference.path, names);
        if (problem) this.#add(path, problem, { offset: reference.offset });
      }
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
    for (const [key, item] of entries) this.#checkTemplates(item, [...path, key], names);
  }

  #add(path: Path, { rule, detail, fix }: FaultText, spot: Spot = {}): void {
    this.#faults.push(this.document.faultAt(path, { rule, detail, fix }, spot));
  }
}

function issuesOf(value: unknown, schema: z.ZodType): readonly Issue[] {
  try {
    const result = schema.safeParse(value);
    return result.success ? [] : result.error.issues;
  } catch {
    // A transform met a template where it expects a value; the step itself checks again with the value.
    return [];
  }
}

/** A template may still render what fits: only the value at run time can tell. */
function isUndecided(issue: Issue, inputs: unknown): boolean {
  if (issue.code === 'unrecognized_keys') return false;
  let value = inputs;
  for (const key of issue.path) {
    if (!isRecord(value) && !Array.isArray(value)) return hasTemplate(value);
    value = Object.hasOwn(value, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined;
  }
  return holdsTemplate(value);
}

function holdsTemplate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return hasTemplate(value);
  return Object.values(value).some(holdsTemplate);
}
