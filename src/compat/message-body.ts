import { parseDocument, visit } from 'yaml';
import { assertShallow } from '#platform';
import { PatchbayError } from '#sdk';

/**
 * A message as JSON, or as YAML. In YAML numbers stay the text they are written as, so that an address without quotes is
 * still one.
 *
 * @throws request.invalid
 */
export function readMessageBody(text: unknown): unknown {
  if (typeof text !== 'string' || text.trim() === '')
    throw new PatchbayError('request.invalid', { detail: 'There is no message' });
  const value = parseJson(text) ?? parseYaml(text);
  assertShallow(value);
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function parseYaml(text: string): unknown {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) {
    throw new PatchbayError('request.invalid', {
      detail: `The message is neither JSON nor YAML: ${error.message.split('\n', 1)[0] ?? ''}`,
    });
  }
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'number' && node.source !== undefined) node.value = node.source;
    },
  });
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch (cause) {
    throw new PatchbayError('request.invalid', { detail: 'The message refers to parts of itself', cause });
  }
}
