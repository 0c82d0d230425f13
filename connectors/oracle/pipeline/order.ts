import type { Graph, Task, Tell } from './graph.js';

/** Puts every task after what it needs, and inputs and results in their order. Undefined, and told, when there is a cycle. */
export function orderTasks(tasks: readonly Task[], tell: Tell): Graph | undefined {
  const ordered = sort(tasks);
  if (ordered.length < tasks.length) {
    const done = new Set(ordered.map(({ id }) => id));
    const cycle = findCycle(tasks.filter(({ id }) => !done.has(id)));
    tell(
      cycle[0]!.place,
      'cycle',
      `The tasks need each other in a circle: ${[...cycle, cycle[0]!].map(({ id }) => id).join(' -> ')}.`,
      'Remove one of the edges, or the $(…) that makes it.',
    );
    return undefined;
  }
  const position = new Map(ordered.map(({ id }, index) => [id, index]));
  const byId = new Map(ordered.map((task) => [task.id, task]));
  const inOrder = (a: Task, b: Task): number => a.index - b.index || position.get(a.id)! - position.get(b.id)!;
  const withOrderedInputs = ordered.map((task) => ({
    ...task,
    inputs: task.inputs
      .map((id) => byId.get(id)!)
      .sort(inOrder)
      .map(({ id }) => id),
  }));
  const waitedFor = new Set(ordered.flatMap(({ after }) => after));
  const terminal = withOrderedInputs.filter(({ id }) => !waitedFor.has(id)).sort(inOrder);
  refuseSameIndex(ordered, tell);
  return { tasks: withOrderedInputs, terminal };
}

/** As long as there is one that needs nothing more, the first one of those as written. */
function sort(tasks: readonly Task[]): readonly Task[] {
  const ordered: Task[] = [];
  const done = new Set<string>();
  let rest = [...tasks];
  while (rest.length > 0) {
    const ready = rest.filter(({ after }) => after.every((id) => done.has(id)));
    if (ready.length === 0) break;
    for (const task of ready) done.add(task.id);
    ordered.push(...ready);
    rest = rest.filter(({ id }) => !done.has(id));
  }
  return ordered;
}

/** Every one of them needs another one of them, so that following long enough comes round. */
function findCycle(tasks: readonly Task[]): readonly Task[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const path: Task[] = [];
  let task = tasks[0]!;
  while (!path.includes(task)) {
    path.push(task);
    task = byId.get(task.after.find((id) => byId.has(id))!)!;
  }
  const cycle = path.slice(path.indexOf(task)).reverse();
  const first = cycle.indexOf(tasks.find((one) => cycle.includes(one))!);
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

/** Nodes let 0 be given twice. */
function refuseSameIndex(tasks: readonly Task[], tell: Tell): void {
  const used = new Map<number, string>();
  for (const { id, index, attributes } of tasks) {
    if (index <= 0) continue;
    const other = used.get(index);
    if (other !== undefined) {
      tell(
        attributes.get('index')!.place,
        'index',
        `The tasks ${other} and ${id} have the same index ${String(index)}.`,
      );
    }
    used.set(index, id);
  }
}
