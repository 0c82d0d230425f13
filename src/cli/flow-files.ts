import { readFile, readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

export interface FoundFiles {
  /** Relative to the working folder, sorted. */
  readonly files: readonly string[];
  /** Paths that do not exist. */
  readonly missing: readonly string[];
}

/** The files themselves, and the YAML files in folders. */
export async function findFiles(
  paths: readonly string[],
  cwd: string,
  wanted: (file: string) => boolean,
): Promise<FoundFiles> {
  const files = new Set<string>();
  const missing: string[] = [];
  for (const path of paths) {
    const full = resolve(cwd, path);
    const found = await stat(full).catch(() => undefined);
    if (!found) missing.push(path);
    else if (!found.isDirectory()) files.add(full);
    else for (const file of await listFolder(full)) if (wanted(file)) files.add(file);
  }
  return { files: [...files].sort().map((file) => relative(cwd, file)), missing };
}

async function listFolder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  // Also links to files: folders that are mounted consist of them.
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink());
  return files.map((entry) => join(entry.parentPath, entry.name));
}

export function isFlowFile(file: string): boolean {
  return /\.ya?ml$/.test(file);
}

export function isTestFile(file: string): boolean {
  return /\.test\.ya?ml$/.test(file);
}

export function readText(file: string, cwd: string): Promise<string> {
  return readFile(resolve(cwd, file), 'utf8');
}
