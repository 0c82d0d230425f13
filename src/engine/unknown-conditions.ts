import type { z } from '#sdk';
import type { Where } from './flow.js';
import { checkReference } from './flow.references.js';
import { parsePath, type Path } from './path.js';

export interface UnknownCondition {
  /** Below the `where`. */
  readonly path: Path;
  readonly detail: string;
  readonly fix: string | undefined;
}

/** Conditions on what an event has not got, which would never hold; for places where there is nothing but an event. */
export function findUnknownConditions(where: Where, event: z.ZodType): readonly UnknownCondition[] {
  return Object.keys(where).flatMap((path) => {
    const segments = parsePath(path);
    if (segments === undefined) return [];
    const [root = ''] = segments;
    if (root !== 'event') {
      return [
        { path: [path], detail: `There is nothing called ${root}.`, fix: `Begin with event, e.g. event.${path}.` },
      ];
    }
    const problem = checkReference(segments, { event });
    return problem === undefined ? [] : [{ path: [path], detail: problem.detail, fix: problem.fix }];
  });
}
