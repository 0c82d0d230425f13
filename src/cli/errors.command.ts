import { errorCodes, isErrorCode, type ErrorCodeEntry } from '#sdk';
import { exitCodes } from './exit-code.js';
import { CommandError } from './failure.js';
import type { Session } from './session.js';

const advice = {
  never: 'Trying again cannot help: a step that meets it is given up at once.',
  later: 'A step that meets it is tried again, as its retry settings say.',
  after: 'A step that meets it is tried again once the time is over that the other side asked for.',
} as const;

/** What a code means; without one, all of them. */
export function errorsCommand(code: string | undefined, session: Session): void {
  if (code === undefined) return listCodes(session);
  if (!isErrorCode(code)) {
    const area = code.split('.')[0] ?? '';
    const near = Object.keys(errorCodes).filter((known) => known.startsWith(`${area}.`));
    throw new CommandError(
      exitCodes.notFound,
      `There is no error code ${code}.`,
      near.length > 0 ? `Known: ${near.join(', ')}.` : 'List them all: npx patchbay errors',
    );
  }
  const entry: ErrorCodeEntry = errorCodes[code];
  session.show({ code, ...entry }, () =>
    [`${session.paint('bold', code)}  ${entry.title}.`, advice[entry.retry], `Over HTTP: status ${entry.status}.`].join(
      '\n',
    ),
  );
}

function listCodes(session: Session): void {
  const entries = Object.entries<ErrorCodeEntry>(errorCodes).map(([code, entry]) => ({ code, ...entry }));
  session.show({ errors: entries }, () =>
    session.table(
      [
        { title: 'code', text: (entry) => entry.code },
        { title: 'status', text: (entry) => String(entry.status), isNumber: true, drop: 1 },
        { title: 'retry', text: (entry) => entry.retry, drop: 2 },
        { title: 'means', text: (entry) => entry.title, canShrink: true },
      ],
      entries,
    ),
  );
}
