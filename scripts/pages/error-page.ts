import { errorCodes, type ErrorCodeEntry } from '#sdk';
import { generatedBy, type Page } from './page.js';

const advice = {
  never: 'Trying again cannot help: the run becomes a dead letter at once.',
  later: 'Tried again later, as the retry settings of the step say.',
  after: 'Tried again once the time is over that the other side asked for.',
} as const;

/** One heading per code, because the `type` of a problem points to it. */
export function errorPage(): Page {
  const entries = Object.entries<ErrorCodeEntry>(errorCodes);
  const sections = entries.map(
    ([name, { title, status, retry }]) => `### ${name}\n\n${title}. HTTP status ${status}. ${advice[retry]}`,
  );
  const content = `${generatedBy}

# Errors

Every error of Patchbay carries one of these codes: in the journal of a run, in the log, in the answer of the API
(\`application/problem+json\`, RFC 9457) and on the command line. A code is stable. The sentence beside it in an answer says
what happened to what; \`fix\` says what to do.

${sections.join('\n\n')}
`;
  return { path: 'docs/errors.md', content };
}
