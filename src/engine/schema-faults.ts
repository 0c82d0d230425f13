import { findField, followFields, isSecretField, knownFields, shapeOf, suggest, type z } from '#sdk';
import { isRecord, type Path } from './path.js';
import type { FaultText } from './yaml-document.js';

export type Issue = z.core.$ZodIssue;

/** A schema's complaint in our words: where, which rule, what to do. */
export interface SchemaFault extends FaultText {
  readonly path: Path;
  readonly on: 'key' | 'value';
}

/** What the complaints are about: a grammar has keys, an action has inputs. */
export type Subject = 'key' | 'input';

/** A complaint of a schema's own that brings its remedy (`params: { fix }`) is told as it says itself. */
export function describeIssues(
  issues: readonly Issue[],
  schema: z.ZodType,
  value: unknown,
  subject: Subject,
): readonly SchemaFault[] {
  return issues.flatMap((issue) => describeIssue(issue, schema, value, subject));
}

function describeIssue(issue: Issue, schema: z.ZodType, value: unknown, subject: Subject): readonly SchemaFault[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownField([...path, key], knownFields(schema, path, 'in'), subject));
  }
  const remedy = issue.code === 'custom' ? (issue.params?.['fix'] as unknown) : undefined;
  if (typeof remedy === 'string') {
    return [{ path, on: 'value', rule: 'bad-value', detail: issue.message, fix: remedy }];
  }
  const found = at(value, path);
  const wanted = wantedAt(schema, path);
  if (found === undefined && path.length > 0) {
    return [
      {
        path,
        on: 'key',
        rule: `missing-${subject}`,
        detail: `The ${subject} ${path.join('.')} is missing.`,
        fix: wanted === undefined ? `Add ${path.join('.')}.` : `Add ${path.join('.')}: ${wanted}.`,
      },
    ];
  }
  return [
    {
      path,
      on: 'value',
      rule: subject === 'input' ? 'wrong-type' : 'bad-value',
      detail: `${capital(path.join('.') || subject)}: ${lowerFirst(reasonOf(issue))}${shown(found, isSecretField(schema, path))}.`,
      fix: wanted === undefined ? 'Correct the value.' : `Give ${wanted}.`,
    },
  ];
}

/** Names below the value that an object schema would silently drop. */
export function findUnknownFields(value: unknown, schema: z.ZodType, path: Path = []): readonly SchemaFault[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => unknownBelow(item, schema, [...path, index]));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => unknownBelow(item, schema, [...path, key]));
}

function unknownBelow(value: unknown, schema: z.ZodType, path: Path): readonly SchemaFault[] {
  const search = findField(schema, String(path.at(-1)), 'in');
  if (search.found === 'open') return [];
  if (search.found !== undefined) return findUnknownFields(value, search.found, path);
  return shapeOf(schema, 'in').kind === 'list' || search.known.length === 0
    ? []
    : [unknownField(path, search.known, 'input')];
}

function unknownField(path: Path, known: readonly string[], subject: Subject): SchemaFault {
  const name = String(path.at(-1));
  return {
    path,
    on: 'key',
    rule: `unknown-${subject}`,
    detail: `Unknown ${subject} ${name}.`,
    fix: suggest(name, known) ?? `Remove ${name}.`,
  };
}

function reasonOf(issue: Issue): string {
  const reason = issue.message.replace(/^Invalid (input|option|string): /, '');
  // A union says nothing itself; the alternatives know what they wanted.
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return reason;
  const reasons = issue.errors.flatMap((errors) =>
    errors.slice(0, 1).map((error) => error.message.replace(/^Invalid input: /, '')),
  );
  return [...new Set(reasons)].join(', or ');
}

function wantedAt(schema: z.ZodType, path: Path): string | undefined {
  const { found } = followFields(schema, path, 'in');
  if (found === undefined || found === 'open') return undefined;
  const [example] = (found.meta()?.['examples'] as readonly unknown[] | undefined) ?? [];
  const shape = shapeOf(found, 'in');
  const what = shape.kind === 'oneOf' ? `one of ${shape.values.map(String).join(', ')}` : kindNames[shape.kind];
  if (example === undefined) return what;
  return what === undefined ? `a value such as ${String(example)}` : `${what}, e.g. ${String(example)}`;
}

const kindNames: Readonly<Record<string, string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  bigint: 'a whole number',
  list: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((found, key) => {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    return (found as Record<string | number, unknown>)[key];
  }, value);
}

function shown(value: unknown, isSecret: boolean): string {
  if (value === undefined || (typeof value === 'object' && value !== null)) return '';
  return isSecret ? '; the value is secret' : `; it is ${JSON.stringify(value).slice(0, 100)}`;
}

function capital(text: string): string {
  return text === 'key' || text === 'input' ? `The ${text}` : text;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
