import type { FaultFormat } from './fault-text.js';
import { lintCommand } from './lint.command.js';
import type { Session } from './session.js';
import { testCommand } from './test.command.js';
import { loadVocabulary } from './vocabulary.js';

/** `lint` and `test` need a vocabulary, and this process knows where it comes from. */
export async function checkFiles(
  command: 'lint' | 'test',
  paths: readonly string[],
  options: { readonly format?: FaultFormat },
  session: Session,
): Promise<number> {
  const vocabulary = await loadVocabulary(session.io);
  const folder = session.io.env['PATCHBAY_FLOWS_DIR'] ?? 'flows';
  const check = command === 'lint' ? lintCommand : testCommand;
  return check(paths.length > 0 ? paths : [folder], { vocabulary, json: session.isJson, ...options }, session.files);
}
