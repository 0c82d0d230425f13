import { PatchbayError } from '#sdk';
import { isList, isMap, refusal, shownValue, type Outcome, type Value } from './value.js';

/** `$(task.key.0)`: letters, digits, underscores and dots only. */
const pattern = /\$\(\s*([a-zA-Z0-9_.]+)\s*\)/g;

/** The path when a text is exactly one variable. */
export function onlyVariable(text: string): string | undefined {
  return /^\s*\$\(\s*([a-zA-Z0-9_.]+)\s*\)\s*$/.exec(text)?.[1];
}

/** Every variable that a text mentions, in order, with the place of its `$`. */
export function variablesIn(text: string): readonly { readonly path: string; readonly at: number }[] {
  return [...text.matchAll(pattern)].map((match) => ({ path: match[1]!, at: match.index }));
}

export function replaceVariables(text: string, by: (path: string) => string): string {
  return text.replaceAll(pattern, (_, path: string) => by(path));
}

export function rootOf(path: string): string {
  return path.split('.')[0]!;
}

/** What a run knows: `jobSpec`, `jobRun`, and every task that has finished. */
export class Variables {
  readonly #outcomes = new Map<string, Outcome>();

  constructor(given: Readonly<Record<string, Value>>) {
    for (const [name, value] of Object.entries(given)) this.#outcomes.set(name, { value });
  }

  set(name: string, outcome: Outcome): void {
    this.#outcomes.set(name, outcome);
  }

  /** What a path leads to; the error of a task that failed is an outcome too. @throws oracle.answer when nothing is there */
  find(path: string): Outcome {
    const [root, ...keys] = path.split('.') as [string, ...string[]];
    const outcome = this.#outcomes.get(root);
    if (outcome === undefined) throw refusal(`There is no $(${path}): nothing here is called ${root}`);
    if ('error' in outcome) return outcome;
    return { value: keys.reduce((value, key) => enter(value, key, path), outcome.value) };
  }

  /** @throws the error of the task, in words of the one that needs it */
  get(path: string): Value {
    const outcome = this.find(path);
    if ('error' in outcome) throw because(rootOf(path), outcome.error);
    return outcome.value;
  }
}

/** The error of a task that could not go on without another one; it keeps the code, since the cure is the same. */
export function because(task: string, error: PatchbayError): PatchbayError {
  if (named.has(error)) return error;
  const told = new PatchbayError(error.code, {
    detail: `The task ${task} failed: ${error.detail}`,
    ...(error.fix !== undefined && { fix: error.fix }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    cause: error,
  });
  named.add(told);
  return told;
}

/** Errors that say already in which task they began. */
const named = new WeakSet<PatchbayError>();

function enter(value: Value, key: string, path: string): Value {
  if (isMap(value) && Object.hasOwn(value, key)) return value[key]!;
  if (isList(value) && /^\d+$/.test(key)) {
    const item = value[Number(key)];
    if (item !== undefined) return item;
  }
  throw refusal(`There is no $(${path}): ${shownValue(value)} has no ${key}`);
}
