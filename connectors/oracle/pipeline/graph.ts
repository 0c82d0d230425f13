import { parse, type AttributeASTNode, type DotASTNode, type NodeRefASTNode } from '@ts-graphviz/ast';
import type { Fault } from '#sdk';
import { orderTasks } from './order.js';
import type { Locate, Place } from './place.js';
import { rootOf, variablesIn } from './variable.js';

export interface Attribute {
  /** As it was written; tasks look for it in any letter case. */
  readonly name: string;
  readonly value: string;
  readonly place: Place;
}

/** One node of the graph. */
export interface Task {
  readonly id: string;
  readonly type: string;
  /** By lower-case name. */
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** Of the result among the results of the run; -1 when none is given. */
  readonly index: number;
  readonly place: Place;
  /** Tasks whose results are its inputs: the drawn edges, in the order of inputs. */
  readonly inputs: readonly string[];
  /** Tasks that must have finished before it: its inputs, and those that its attributes mention. */
  readonly after: readonly string[];
}

export interface Graph {
  /** Every task after all it needs. */
  readonly tasks: readonly Task[];
  /** Tasks that no other one waits for, in the order of their results. */
  readonly terminal: readonly Task[];
}

export interface ReadGraph {
  readonly graph: Graph | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** What is found wrong while reading, with its place. */
export type Tell = (place: Place, rule: string, detail: string, fix?: string) => void;

const opening = 'digraph {\n';
/** Names that `$(…)` gives a meaning of its own. */
const reserved = new Set(['input', 'jobRun', 'jobSpec']);
const mostTasks = 500;

/** Reads an observationSource. `locate` tells where its characters lie in the file. */
export function parseGraph(source: string, locate: Locate): ReadGraph {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const tell: Tell = (place, rule, detail, fix) =>
    faults.push({ pointer: '#', rule, detail, ...place, ...(fix !== undefined && { fix }) });
  const document = readDot(source, locate, tell);
  if (!document) return { graph: undefined, faults, warnings };
  const draft = new Draft(source, locate, tell);
  for (const statement of document.children.flatMap((child) => ('children' in child ? child.children : []))) {
    draft.add(statement);
  }
  for (const place of draft.ignored) {
    warnings.push({
      pointer: '#',
      rule: 'ignored',
      detail: 'Attributes of the graph, and defaults for nodes and edges, have no effect.',
      ...place,
    });
  }
  const tasks = draft.tasks();
  const graph = faults.length === 0 ? orderTasks(tasks, tell) : undefined;
  return { graph: faults.length === 0 ? graph : undefined, faults, warnings };
}

type Statement = Extract<DotASTNode['children'][number], { type: 'Graph' }>['children'][number];

interface DraftNode {
  readonly place: Place;
  readonly attributes: Map<string, Attribute>;
}

class Draft {
  readonly ignored: Place[] = [];
  readonly #nodes = new Map<string, DraftNode>();
  readonly #edges: { readonly from: string; readonly to: string }[] = [];

  constructor(
    readonly source: string,
    readonly locate: Locate,
    readonly tell: Tell,
  ) {}

  add(statement: Statement): void {
    switch (statement.type) {
      case 'Comment':
        return;
      case 'Node':
        this.#addNode(statement.id.value, offsetOf(statement), statement.children);
        return;
      case 'Edge':
        this.#addEdges(statement.targets.map((target) => (target.type === 'NodeRef' ? [target] : target.children)));
        return;
      case 'Attribute':
      case 'AttributeList':
        this.ignored.push(this.locate(offsetOf(statement)));
        return;
      case 'Subgraph':
        this.tell(
          this.locate(offsetOf(statement)),
          'subgraph',
          'Subgraphs have no meaning here.',
          'Write their tasks and edges without the braces around them.',
        );
    }
  }

  tasks(): readonly Task[] {
    if (this.#nodes.size === 0) this.tell(this.locate(0), 'no-tasks', 'The observationSource has no task.');
    if (this.#nodes.size > mostTasks) {
      this.tell(this.locate(0), 'too-many-tasks', `The observationSource has more than ${String(mostTasks)} tasks.`);
      return [];
    }
    return [...this.#nodes].map(([id, node]) => this.#task(id, node));
  }

  #task(id: string, { place, attributes }: DraftNode): Task {
    const type = attributes.get('type');
    if (!type) {
      const fix = `Give it one: ${id} [type=…]. If another task is meant, check the spelling.`;
      this.tell(place, 'missing-type', `The task ${id} has no type.`, fix);
    }
    if (!/^[a-zA-Z0-9_]+$/.test(id)) {
      this.tell(
        place,
        'task-name',
        `The task ${id} cannot be referred to.`,
        'Use letters, digits and underscores in names of tasks.',
      );
    }
    if (reserved.has(id)) this.tell(place, 'task-name', `A task cannot be called ${id}.`, 'Give it another name.');
    const inputs = this.#edges.flatMap(({ from, to }) => (to === id ? from : []));
    return {
      id,
      type: type?.value.toLowerCase() ?? '',
      attributes,
      index: this.#index(attributes.get('index')),
      place,
      inputs: [...new Set(inputs)],
      after: [...new Set([...inputs, ...this.#mentioned(attributes)])],
    };
  }

  #index(attribute: Attribute | undefined): number {
    if (!attribute) return -1;
    if (/^\d{1,6}$/.test(attribute.value)) return Number(attribute.value);
    this.tell(attribute.place, 'index', `index must be a whole number of 0 or more, not ${attribute.value}.`);
    return -1;
  }

  #mentioned(attributes: ReadonlyMap<string, Attribute>): readonly string[] {
    return [...attributes.values()].flatMap(({ name, value, place }) =>
      variablesIn(value).flatMap(({ path }) => {
        const root = rootOf(path);
        if (this.#nodes.has(root)) return root;
        if (!reserved.has(root) || root === 'input') {
          const known = [...this.#nodes.keys(), 'jobSpec', 'jobRun'].join(', ');
          this.tell(
            place,
            'unknown-variable',
            `${name} mentions $(${path}), and there is no task ${root}.`,
            `There is: ${known}.`,
          );
        }
        return [];
      }),
    );
  }

  #addNode(id: string, offset: number, children: readonly { readonly type: string }[]): void {
    const node = this.#node(id, offset);
    for (const child of children) {
      if (child.type !== 'Attribute') continue;
      // The parser's own type leaves this open.
      const { key, value } = child as AttributeASTNode;
      const name = key.value as string;
      node.attributes.set(name.toLowerCase(), {
        name,
        value: textOf(this.source, value),
        place: this.locate(offsetOf(key)),
      });
    }
  }

  #addEdges(groups: readonly (readonly NodeRefASTNode[])[]): void {
    for (const group of groups) for (const { id } of group) this.#node(id.value, offsetOf(id));
    for (const [index, group] of groups.slice(1).entries()) {
      for (const from of groups[index]!) {
        for (const to of group) this.#edges.push({ from: from.id.value, to: to.id.value });
      }
    }
  }

  #node(id: string, offset: number): DraftNode {
    let node = this.#nodes.get(id);
    if (!node) {
      node = { place: this.locate(offset), attributes: new Map() };
      this.#nodes.set(id, node);
    }
    return node;
  }
}

interface Located {
  readonly location?: { readonly start: { readonly offset: number }; readonly end: { readonly offset: number } };
}

function readDot(source: string, locate: Locate, tell: Tell): DotASTNode | undefined {
  try {
    return parse(`${opening}${source}\n}`, { maxInputSize: 1_000_000 });
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    const offset = isLocated(cause) ? offsetOf(cause) : 0;
    const text = error instanceof Error ? error.message : String(error);
    tell(
      locate(Math.min(offset, source.length)),
      'dot',
      `The observationSource cannot be read: ${text.replace(/\.?$/, '.')}`,
      'Attributes are name="text" or name=<{"json": …}>, each text on one line; tasks are joined by ->.',
    );
    return undefined;
  }
}

function isLocated(cause: unknown): cause is Located {
  return typeof cause === 'object' && cause !== null && 'location' in cause;
}

function offsetOf({ location }: Located): number {
  return Math.max(0, (location?.start.offset ?? 0) - opening.length);
}

/** What nodes read: of a text in quotes they resolve Go's escapes, of `<…>` they take what is inside as it is. */
function textOf(source: string, literal: AttributeASTNode['value']): string {
  if (literal.quoted !== true || !literal.location) return literal.value;
  const start = literal.location.start.offset - opening.length;
  return unquote(source.slice(start + 1, literal.location.end.offset - opening.length - 1));
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', "'": "'" };

function unquote(text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/g, (whole, unicode, byte, letter) => {
    const code = (unicode ?? byte) as string | undefined;
    if (code !== undefined) return String.fromCharCode(parseInt(code, 16));
    return escapes[letter as string] ?? whole;
  });
}
