import type { FaultFormat } from './fault-text.js';
import { hubChecks } from './lint-checks.js';
import { lintCommand } from './lint.command.js';
import type { Session } from './session.js';
import { testCommand } from './test.command.js';
import { loadVocabulary } from './vocabulary.js';

/** `lint` and `test` need a vocabulary, and this process knows where it comes from. */
export async function checkFiles(
  command: 'lint' | 'test',
  paths: readonly string[],
  options: { readonly format?: FaultFormat; readonly strict?: boolean },
  session: Session,
): Promise<number> {
  const vocabulary = await loadVocabulary(session.io);
  const folder = session.io.env['PATCHBAY_FLOWS_DIR'] ?? 'flows';
  const wanted = paths.length > 0 ? paths : [folder];
  const given = { vocabulary, json: session.isJson, ...options };
  if (command === 'test') return testCommand(wanted, given, session.files);
  return lintCommand(wanted, { ...given, ask: hubChecks(vocabulary, () => session.hub()) }, session.files);
}
