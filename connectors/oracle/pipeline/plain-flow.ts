import { parseAbiCall, type AbiText } from './abi-text.js';
import { parseExactJson } from './exact-json.js';
import {
  accessOf,
  connectionLine,
  descriptionOf,
  isUrlOfRequest,
  triggerOf,
  type FlowOptions,
} from './flow-of-spec.js';
import type { Task } from './graph.js';
import type { JobSpec } from './spec.js';
import { isMap } from './value.js';
import { onlyVariable, replaceVariables, rootOf } from './variable.js';
import { quoted } from './yaml-text.js';

/**
 * The same job as a flow of ordinary steps: sources are read, and the request is fulfilled. Undefined when the job does
 * something that these steps do not, or in another way.
 */
export function plainFlowOf(spec: JobSpec, options: FlowOptions): string | undefined {
  if (spec.type !== 'directrequest') return undefined;
  const trigger = triggerOf(spec, options);
  if ('fault' in trigger) return undefined;
  const values = new Reading(spec, options).values();
  if (!values) return undefined;
  const steps = values.map((value, index) => ({
    ...value,
    id: values.length === 1 ? 'value' : `value${String(index + 1)}`,
  }));
  return `name: ${options.name}
description: ${quoted(descriptionOf(spec, options))}

trigger:
${trigger.lines.map((line) => `  ${line}\n`).join('')}
steps:
${steps.map(stepText).join('\n')}
  - id: answer
    uses: oracle.fulfill
${connectionLine(options, 4)}    with:
      request: '{{event.request}}'
${answerLines(steps)
  .map((line) => `      ${line}\n`)
  .join('')}${spec.gasLimit === undefined ? '' : `      gasLimit: ${quoted(spec.gasLimit)}\n`}`;
}

interface Source {
  /** As a flow writes it: text, or a template. */
  readonly url: string;
  readonly path: string;
  /** Whether it may only lead to public addresses. */
  readonly onlyPublic: boolean;
}

interface PlainValue {
  readonly type: string;
  readonly times: string | undefined;
  /** Several: their median, of which one is enough. */
  readonly sources: readonly Source[];
}

type Step = PlainValue & { readonly id: string };

const isNumber = (type: string): boolean => /^u?int/.test(type);

function stepText({ id, type, sources }: Step): string {
  if (!isNumber(type)) {
    const { url, onlyPublic } = sources[0]!;
    return `  - id: ${id}\n    uses: http.request\n    with:\n      url: ${quoted(url)}\n${onlyPublic ? '      onlyPublic: true\n' : ''}`;
  }
  const lines = sources.map(
    ({ url, path, onlyPublic }, index) =>
      `        - name: source${String(index + 1)}\n          url: ${quoted(url)}\n          path: ${quoted(path)}\n${onlyPublic ? '          onlyPublic: true\n' : ''}`,
  );
  const minimum = sources.length > 1 ? '      minimum: 1\n' : '';
  return `  - id: ${id}\n    uses: oracle.collect\n    with:\n${minimum}      sources:\n${lines.join('')}`;
}

function answerLines(steps: readonly Step[]): readonly string[] {
  const parts = steps.map(({ id, type, times, sources }) => [
    `type: ${type}`,
    `value: ${quoted(isNumber(type) ? `{{steps.${id}.value}}` : `{{steps.${id}.body.${sources[0]!.path.replaceAll(',', '.')}}}`)}`,
    ...(times === undefined ? [] : [`times: ${quoted(times)}`]),
  ]);
  if (parts.length === 1) return parts[0]!;
  return ['values:', ...parts.flatMap((part) => part.map((line, index) => `${index === 0 ? '  - ' : '    '}${line}`))];
}

/** Goes back from the transaction to what it is made of. Whatever it meets that is not expected ends it. */
class Reading {
  readonly #tasks: ReadonlyMap<string, Task>;
  /** Tasks that the way back has passed. */
  readonly #seen = new Set<string>();

  constructor(
    readonly spec: JobSpec,
    readonly options: FlowOptions,
  ) {
    this.#tasks = new Map(spec.graph.tasks.map((task) => [task.id, task]));
  }

  values(): readonly PlainValue[] | undefined {
    const send = this.#only(this.spec.graph.terminal, 'ethtx');
    const call = this.#taskAt(send, 'data', 'ethabiencode');
    if (!send || !call) return undefined;
    const abi = abiOf(call);
    if (!/^fulfillOracleRequest2?$/.test(abi?.name ?? '')) return undefined;
    const data = membersOf(call);
    const word = this.#task(data?.['data'], 'ethabiencode');
    if (!word) return undefined;
    const values = this.#valuesIn(word, abi!.name === 'fulfillOracleRequest2');
    const isAllSeen = this.spec.graph.tasks.every(({ id, type }) => this.#seen.has(id) || type === 'ethabidecodelog');
    return isAllSeen ? values : undefined;
  }

  #valuesIn(word: Task, beginsWithId: boolean): readonly PlainValue[] | undefined {
    const abi = abiOf(word);
    const data = membersOf(word);
    if (!abi || !data || abi.name !== '') return undefined;
    const parameters = beginsWithId ? abi.parameters.slice(1) : abi.parameters;
    const values = parameters.map(({ name = '', type }) => this.#value(type, data[name]));
    return values.length > 0 && values.every((value) => value !== undefined) ? values : undefined;
  }

  #value(type: string, path: string | undefined): PlainValue | undefined {
    const task = this.#task(path);
    if (!task || type.endsWith(']')) return undefined;
    const isScaled = task.type === 'multiply';
    const times = isScaled ? this.#text(task, 'times') : undefined;
    if (isScaled && times === undefined) return undefined;
    const read = isScaled ? this.#inputOf(task, 'input') : task;
    const sources = read?.type === 'median' ? this.#medianSources(read) : [this.#source(read)];
    if (!sources || sources.length === 0 || sources.includes(undefined)) return undefined;
    const found = sources.filter((source) => source !== undefined);
    if (!isNumber(type) && (isScaled || !/^[A-Za-z0-9_,]+$/.test(found[0]!.path))) return undefined;
    return { type, times, sources: found };
  }

  #medianSources(median: Task): readonly (Source | undefined)[] | undefined {
    if (median.attributes.has('allowedfaults') || median.attributes.has('values')) return undefined;
    return median.inputs.map((id) => this.#source(this.#see(this.#tasks.get(id))));
  }

  #source(parse: Task | undefined): Source | undefined {
    if (parse?.type !== 'jsonparse' || parse.attributes.has('lax') || parse.attributes.has('separator'))
      return undefined;
    const get = this.#inputOf(parse, 'data');
    if (get?.type !== 'http' || (get.attributes.get('method')?.value ?? 'GET').toUpperCase() !== 'GET')
      return undefined;
    if (get.attributes.has('requestdata') || get.attributes.has('headers')) return undefined;
    const url = this.#text(get, 'url');
    const path = this.#text(parse, 'path');
    return url === undefined || path === undefined ? undefined : { url, path, onlyPublic: this.#isOnlyPublic(get) };
  }

  /** As the pipeline decides it. */
  #isOnlyPublic(get: Task): boolean {
    const access = accessOf(get);
    if (access === 'public' || !isUrlOfRequest(get)) return access === 'public';
    return access !== 'open' || this.options.chainUrls !== 'allowed';
  }

  #only(tasks: readonly Task[], type: string): Task | undefined {
    const [task] = tasks;
    return tasks.length === 1 && task?.type === type ? this.#see(task) : undefined;
  }

  #taskAt(task: Task | undefined, attribute: string, type: string): Task | undefined {
    return this.#task(onlyVariable(task?.attributes.get(attribute)?.value ?? ''), type);
  }

  #task(path: string | undefined, type?: string): Task | undefined {
    const task = path === undefined ? undefined : this.#tasks.get(path);
    return type === undefined || task?.type === type ? this.#see(task) : undefined;
  }

  #inputOf(task: Task, attribute: string): Task | undefined {
    const written = task.attributes.get(attribute)?.value;
    if (written !== undefined) return this.#task(onlyVariable(written));
    return task.inputs.length === 1 ? this.#see(this.#tasks.get(task.inputs[0]!)) : undefined;
  }

  /** A text as a flow writes it; what comes with the request is `{{event.params.…}}` there. */
  #text(task: Task, attribute: string): string | undefined {
    const written = task.attributes.get(attribute)?.value;
    const path = written === undefined ? undefined : onlyVariable(written);
    if (path === undefined) return written;
    const read = this.#tasks.get(rootOf(path));
    if (read?.type !== 'cborparse' || !path.includes('.')) return undefined;
    this.#see(read);
    return `{{event.params.${path.slice(path.indexOf('.') + 1)}}}`;
  }

  #see(task: Task | undefined): Task | undefined {
    if (task) this.#seen.add(task.id);
    return task;
  }
}

function abiOf(task: Task): AbiText | undefined {
  try {
    return parseAbiCall(task.attributes.get('abi')?.value ?? '');
  } catch {
    return undefined;
  }
}

/** Of JSON whose members are variables, their paths. */
function membersOf(task: Task): Readonly<Record<string, string>> | undefined {
  try {
    const text = replaceVariables(task.attributes.get('data')?.value ?? '', (path) => JSON.stringify(path));
    const parsed = parseExactJson(text);
    if (!isMap(parsed)) return undefined;
    const entries = Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return Object.fromEntries(entries);
  } catch {
    return undefined;
  }
}
