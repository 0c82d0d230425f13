import { flowJsonSchema } from '#engine';
import type { Session } from './session.js';
import { loadVocabulary } from './vocabulary.js';

/** The grammar of flow files, with everything this folder's connectors offer, for editors. */
export async function schemaCommand(session: Session): Promise<void> {
  session.io.out(JSON.stringify(flowJsonSchema(await loadVocabulary(session.io)), undefined, 2));
}
