import type { PatchbayError } from '#sdk';
import { parseExactJson } from './exact-json.js';
import type { Task } from './graph.js';
import { isList, isMap, mapOf, refusal, type Outcome, type Value } from './value.js';
import { because, onlyVariable, replaceVariables, type Variables } from './variable.js';

/** What a task was given: its attributes with their variables, and the results of the tasks drawn before it. */
export class Params {
  constructor(
    readonly task: Task,
    readonly inputs: readonly { readonly task: string; readonly outcome: Outcome }[],
    readonly variables: Variables,
  ) {}

  /** An attribute that is one variable has the type of its value; any other is text. Undefined when absent or empty. */
  find(name: string): Value | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const path = onlyVariable(text);
    return path === undefined ? text : this.variables.get(path);
  }

  /** @throws oracle.answer when the attribute is absent or empty */
  get(name: string): Value {
    const value = this.find(name);
    return value === undefined ? this.#missing(name) : value;
  }

  /** The attribute, or else the result of the task before. */
  findOrInput(name: string): Value | undefined {
    const value = this.find(name);
    return value === undefined ? this.input() : value;
  }

  /** @throws oracle.answer when there is neither */
  getOrInput(name: string): Value {
    const value = this.findOrInput(name);
    return value === undefined ? this.#missing(name, ' and no task before it') : value;
  }

  /** JSON in which variables stand for values, not for text. */
  findJson(name: string): Value | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const path = onlyVariable(text);
    if (path !== undefined) return this.variables.get(path);
    return fillJson(text, this.#label(name), (variable) => this.variables.get(variable));
  }

  /** The same, or else the result of the task before. @throws oracle.answer when there is neither */
  getJsonOrInput(name: string): Value {
    const json = this.findJson(name);
    const value = json === undefined ? this.input() : json;
    return value === undefined ? this.#missing(name, ' and no task before it') : value;
  }

  /** The items of a list, each with its own error; else the results of the tasks before. */
  outcomes(name: string): readonly Outcome[] {
    const text = this.text(name);
    if (text === undefined) return this.inputs.map(({ outcome }) => outcome);
    const path = onlyVariable(text);
    const faults = new Map<object, PatchbayError>();
    const value =
      path === undefined
        ? fillJson(text, this.#label(name), (variable) => {
            const outcome = this.variables.find(variable);
            if ('value' in outcome) return outcome.value;
            // Its place in the list is kept by an object that nothing else is.
            const stand = mapOf([]);
            faults.set(stand, outcome.error);
            return stand;
          })
        : this.variables.get(path);
    if (!isList(value)) throw refusal(`${this.#label(name)} must be a list`);
    return value.map((item) => {
      const error = isMap(item) ? faults.get(item) : undefined;
      return error === undefined ? { value: item } : { error };
    });
  }

  /** The result of a task that is drawn before it. @throws the error of that task */
  input(index = 0): Value | undefined {
    const input = this.inputs[index];
    if (input === undefined) return undefined;
    if ('error' in input.outcome) throw because(input.task, input.outcome.error);
    return input.outcome.value;
  }

  /** As it was written; undefined when absent or empty. */
  text(name: string): string | undefined {
    const value = this.task.attributes.get(name.toLowerCase())?.value;
    return value === undefined || value.trim() === '' ? undefined : value;
  }

  #label(name: string): string {
    return `${name} of the task ${this.task.id}`;
  }

  #missing(name: string, more = ''): never {
    throw refusal(`The task ${this.task.id} has no ${name}${more}`);
  }
}

/** No key of a job is called this. */
const marker = '$patchbay:variable';

/** @throws oracle.answer when it is no JSON */
export function fillJson(text: string, what: string, valueOf: (path: string) => Value): Value {
  let parsed: Value;
  try {
    parsed = parseExactJson(replaceVariables(text, (path) => JSON.stringify({ [marker]: path })));
  } catch (error) {
    throw refusal(
      `${what} is no JSON: ${error instanceof Error ? error.message : String(error)}`,
      'A $(variable) stands for a whole value, without quotes around it and not inside a text.',
    );
  }
  return fill(parsed, valueOf);
}

function fill(value: Value, valueOf: (path: string) => Value): Value {
  if (isList(value)) return value.map((item) => fill(item, valueOf));
  if (!isMap(value)) return value;
  const path = value[marker];
  if (typeof path === 'string') return valueOf(path);
  return mapOf(Object.entries(value).map(([key, item]) => [key, fill(item, valueOf)]));
}
