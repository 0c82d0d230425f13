import { nearest, type Fault } from '#sdk';
import { parseGoDuration } from './duration.js';
import { parseGraph, type Attribute, type Graph, type Task } from './graph.js';
import { fillJson } from './params.js';
import { locateIn, type Locate } from './place.js';
import { taskTypes } from './task-types.js';
import { onlyVariable, variablesIn } from './variable.js';

export interface LoadedPipeline {
  /** Undefined when there are faults. */
  readonly graph: Graph | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** What every task may have. */
const commonAttributes = [
  'type',
  'index',
  'timeout',
  'failEarly',
  'retries',
  'minBackoff',
  'maxBackoff',
  'streamID',
  'tags',
];

/** JSON is filled with values; in other texts a variable has to be the whole text. */
const jsonAttributes = new Set(['requestdata', 'headers', 'data', 'value', 'values', 'left', 'right', 'txmeta']);

/** Types that nodes have and that make no sense, or would be a risk, here. */
const otherTypes: Readonly<Record<string, string>> = {
  panic: 'It is there to test nodes.',
  vrf: 'Random numbers need the proving key of a node.',
  vrfv2: 'Random numbers need the proving key of a node.',
  vrfv2plus: 'Random numbers need the proving key of a node.',
};

/** Reads an observationSource and finds every fault in it that can be seen before it runs. */
export function loadPipeline(source: string, locate: Locate = locateIn(source)): LoadedPipeline {
  const read = parseGraph(source, locate);
  const faults = [...read.faults];
  const warnings = [...read.warnings];
  for (const task of read.graph?.tasks ?? []) new TaskCheck(task, faults, warnings).check();
  faults.sort(byPlace);
  warnings.sort(byPlace);
  return { graph: faults.length === 0 ? read.graph : undefined, faults, warnings };
}

class TaskCheck {
  constructor(
    readonly task: Task,
    readonly faults: Fault[],
    readonly warnings: Fault[],
  ) {}

  check(): void {
    const { task } = this;
    const type = Object.hasOwn(taskTypes, task.type) ? taskTypes[task.type]! : undefined;
    if (!type) return this.#refuseType();
    const known = [...commonAttributes, ...type.attributes].map((name) => name.toLowerCase());
    for (const [name, attribute] of task.attributes) {
      if (!known.includes(name)) {
        const meant = nearest(name, [...type.attributes, ...commonAttributes]);
        this.#warn(
          attribute,
          'unknown-attribute',
          `${task.type} has no attribute ${attribute.name}; it has no effect.`,
          meant === undefined ? 'Remove it.' : `Did you mean ${meant}?`,
        );
      }
      this.#checkVariables(name, attribute);
    }
    for (const name of type.required ?? []) {
      if (this.#text(name) !== undefined) continue;
      this.#fault(task.place, 'missing-attribute', `The task ${task.id} has no ${name}.`, `Add ${name}="…".`);
    }
    if (task.inputs.length > (type.mostInputs ?? Infinity)) {
      this.#fault(
        task.place,
        'too-many-inputs',
        `${task.type} takes ${String(type.mostInputs)} result, and ${task.inputs.join(' and ')} are drawn before ${task.id}.`,
        'Draw one edge only; $(…) makes a task wait for another one without an edge.',
      );
    }
    this.#checkTiming();
    for (const { attribute, detail, fix } of type.problems?.((name) => this.#literal(name)) ?? []) {
      this.#fault(task.attributes.get(attribute.toLowerCase())?.place ?? task.place, 'bad-value', detail, fix);
    }
  }

  #refuseType(): void {
    const { type, attributes, place, id } = this.task;
    if (type === '') return;
    const meant = nearest(type, Object.keys(taskTypes));
    this.#fault(
      attributes.get('type')?.place ?? place,
      'unknown-task',
      `The task ${id} is of the type ${type}, which cannot be run here.`,
      otherTypes[type] ??
        (meant === undefined ? `There is: ${Object.keys(taskTypes).join(', ')}.` : `Did you mean ${meant}?`),
    );
  }

  #checkTiming(): void {
    for (const name of ['timeout', 'minBackoff', 'maxBackoff']) {
      const text = this.#text(name);
      if (text === undefined || parseGoDuration(text) !== undefined) continue;
      this.#badValue(name, `${name} must be a duration such as 500ms or 1m30s, not ${text}.`);
    }
    const retries = this.#text('retries');
    if (retries !== undefined && !/^\d{1,3}$/.test(retries)) {
      this.#badValue('retries', `retries must be a number up to 999, not ${retries}.`);
    }
    for (const name of ['failEarly', 'async', 'lax']) {
      const text = this.#literal(name);
      if (text === undefined || /^(true|false|1|0|t|f)$/i.test(text)) continue;
      this.#badValue(name, `${name} must be true or false, not ${text}.`);
    }
  }

  #checkVariables(name: string, attribute: Attribute): void {
    const { value } = attribute;
    if (onlyVariable(value) !== undefined) return;
    if (name === 'requestdata' || name === 'headers') {
      try {
        fillJson(value.trim() === '' ? 'null' : value, attribute.name, () => null);
      } catch (error) {
        const fix = 'A $(variable) stands for a whole value, without quotes around it.';
        this.#fault(attribute.place, 'json', `${error instanceof Error ? error.message : String(error)}.`, fix);
      }
    }
    if (jsonAttributes.has(name) || variablesIn(value).length === 0) return;
    this.#warn(
      attribute,
      'literal-variable',
      `${attribute.name} keeps $(${variablesIn(value)[0]!.path}) as it is written: a variable is only filled in when it is the whole text.`,
    );
  }

  #text(name: string): string | undefined {
    const value = this.task.attributes.get(name.toLowerCase())?.value;
    return value === undefined || value.trim() === '' ? undefined : value;
  }

  #literal(name: string): string | undefined {
    const text = this.#text(name);
    return text === undefined || onlyVariable(text) !== undefined ? undefined : text;
  }

  #badValue(name: string, detail: string): void {
    this.#fault(this.task.attributes.get(name.toLowerCase())?.place ?? this.task.place, 'bad-value', detail);
  }

  #fault(place: Task['place'], rule: string, detail: string, fix?: string): void {
    this.faults.push({ pointer: `#/${this.task.id}`, rule, detail, ...(fix !== undefined && { fix }), ...place });
  }

  #warn({ place, name }: Attribute, rule: string, detail: string, fix?: string): void {
    const pointer = `#/${this.task.id}/${name}`;
    this.warnings.push({ pointer, rule, detail, ...(fix !== undefined && { fix }), ...place });
  }
}

function byPlace(a: Fault, b: Fault): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
