import type { AnyAction } from '#sdk';
import type { Vocabulary } from './vocabulary.js';

interface Use {
  readonly uses: string;
  readonly with?: Readonly<Record<string, unknown>> | undefined;
}

/** Whether one of the steps moves value that should not be moved because of what may still be taken back. */
export function movesValue(steps: readonly Use[], vocabulary: Pick<Vocabulary, 'action'>): boolean {
  return steps.some(({ uses, with: input = {} }) => isMoving(vocabulary.action(uses), input));
}

function isMoving(action: AnyAction | undefined, input: Readonly<Record<string, unknown>>): boolean {
  if (action?.movesValue === undefined || action.isReply === true) return false;
  return typeof action.movesValue === 'function' ? action.movesValue(input) : action.movesValue;
}
