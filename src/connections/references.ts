import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PatchbayError, type Fault } from '#sdk';

/** Where a value of the configuration file stands, and what its references refer to. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: string;
  readonly pointer: string;
  /** What is wrong is added here, so that all of it is told at once. */
  readonly faults: Fault[];
  /** Paths in the file are relative to it. */
  resolve(path: string): string;
}

export function surroundings(file: string, env: Surroundings['env'], faults: Fault[]): Surroundings {
  return { env, file, faults, pointer: '', resolve: (path) => resolve(dirname(file), path) };
}

/** A text that is read when it is needed, and as it is by then. */
export interface TextSource {
  /** For people: which file or variable. */
  readonly name: string;
  /** Whether it could be read when the file was. */
  readonly isThere: boolean;
  /** Without the line end that editors add. @throws config.invalid when it is gone */
  read(): Promise<string>;
}

export type Reference = string | { readonly env: string } | { readonly file: string };

/** Looks whether the text is there, without keeping it. */
export async function declareText(reference: Reference, at: Surroundings): Promise<TextSource> {
  const { name, find } = findText(reference, at);
  const isThere = (await find()) !== undefined;
  if (!isThere) at.faults.push({ pointer: at.pointer, file: at.file, detail: missing(reference) });
  return {
    name,
    isThere,
    read: async () => {
      const text = await find();
      if (text === undefined) throw new PatchbayError('config.invalid', { detail: missing(reference) });
      return text;
    },
  };
}

/** Replaces every `{ env: NAME }` and `{ file: PATH }` below the value by the text it refers to. */
export async function resolveReferences(value: unknown, at: Surroundings): Promise<unknown> {
  const inside = (item: unknown, key: string | number): Promise<unknown> =>
    resolveReferences(item, { ...at, pointer: `${at.pointer}/${key}` });
  if (Array.isArray(value)) return Promise.all(value.map(inside));
  if (value === null || typeof value !== 'object') return value;
  const reference = asReference(value);
  if (reference !== undefined) {
    const source = await declareText(reference, at);
    if (!source.isThere) return undefined;
    const text = await source.read();
    return typeof reference === 'object' && 'file' in reference ? text.trim() : text;
  }
  const resolved = await Promise.all(
    Object.entries(value).map(async ([key, item]): Promise<[string, unknown]> => [key, await inside(item, key)]),
  );
  return Object.fromEntries(resolved);
}

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function asReference(value: object): Reference | undefined {
  const entries = Object.entries(value);
  const [key, name] = entries[0] ?? [];
  if (entries.length !== 1 || typeof name !== 'string') return undefined;
  if (key === 'env') return { env: name };
  return key === 'file' ? { file: name } : undefined;
}

function findText(
  reference: Reference,
  at: Surroundings,
): { readonly name: string; readonly find: () => Promise<string | undefined> } {
  if (typeof reference === 'string') return { name: at.pointer, find: () => Promise.resolve(reference) };
  if ('env' in reference) {
    const variable = reference.env;
    // An empty variable is one that somebody forgot to fill.
    return { name: variable, find: () => Promise.resolve(at.env[variable] === '' ? undefined : at.env[variable]) };
  }
  const path = at.resolve(reference.file);
  return { name: reference.file, find: () => readFile(path, 'utf8').then(withoutLineEnd, () => undefined) };
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function missing(reference: Reference): string {
  if (typeof reference === 'string') return 'There is no text.';
  return 'env' in reference
    ? `The environment variable ${reference.env} is not set.`
    : `The file ${reference.file} cannot be read.`;
}
