import type { z } from 'zod';
import { knownFields, pointerTo, type Fault } from '#sdk';

/** What a schema has against a value, in words for whoever wrote it: unknown fields with those that there are. */
export function faultsOf(schema: z.ZodType, error: z.ZodError): readonly Fault[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerTo(issue.path), detail: wordsOf(issue) }];
    const known = knownFields(schema, issue.path, 'in');
    return issue.keys.map((key) => ({
      pointer: pointerTo([...issue.path, key]),
      detail: 'Unknown field',
      rule: 'unknown-field',
      ...(known.length > 0 && { fix: `It takes ${known.join(', ')}` }),
    }));
  });
}

function wordsOf(issue: z.core.$ZodIssue): string {
  const { code, message } = issue;
  if (code === 'invalid_union') return wordsOfChoice(issue) ?? message;
  if (code !== 'invalid_type') return message;
  if (message.endsWith('received undefined')) return 'It is missing';
  // Text that was taken for a number is what nobody would call by this name.
  return message.endsWith('received NaN') ? 'It must be a number' : message;
}

/** A choice says nothing itself; what it could be has words, of which those that somebody wrote are best. */
function wordsOfChoice({ errors }: z.core.$ZodIssueInvalidUnion): string | undefined {
  const words = [...new Set(errors.flatMap(([first]) => (first === undefined ? [] : wordsOf(first))))];
  const written = words.filter((text) => !text.startsWith('Invalid '));
  if (written.length > 0) return written.join(', or ');
  return words.length === 0 ? undefined : words.map((text) => text.replace(/^Invalid \w+: /, '')).join(', or ');
}
