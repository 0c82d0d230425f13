import type { z } from 'zod';
import type { Fault } from '#sdk';

/** What a schema has against a value, in words for whoever wrote it: unknown fields with those that there are. */
export function faultsOf(schema: z.ZodType, error: z.ZodError): readonly Fault[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerTo(issue.path), detail: wordsOf(issue) }];
    const known = fieldsAt(schema, issue.path);
    return issue.keys.map((key) => ({
      pointer: pointerTo([...issue.path, key]),
      detail: 'Unknown field',
      rule: 'unknown-field',
      ...(known.length > 0 && { fix: `It takes ${known.join(', ')}` }),
    }));
  });
}

/** RFC 6901, as the fragment of an address. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return `#${path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
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

// zod publishes no way to look into a schema of unknown kind; `def` is what its own converters read.
interface Def {
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}

/** Names of the object at a path; of several that it may be, those of all. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const def = schema.def as unknown as Def;
  const inner = def.innerType ?? def.in;
  if (inner !== undefined) return fieldsAt(inner, path);
  if (def.options !== undefined) return [...new Set(def.options.flatMap((option) => fieldsAt(option, path)))];
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(def.shape ?? {});
  const below = def.shape?.[String(first)] ?? def.element ?? def.valueType;
  return below === undefined ? [] : fieldsAt(below, rest);
}
