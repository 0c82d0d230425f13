import { readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { uploadLimits } from './upload.js';

const require = createRequire(import.meta.url);

/** Solidity of npm packages that are installed beside the hub and that its operator lets uploads import. */
export class PackageSources {
  readonly #packages: readonly string[];

  constructor(packages: readonly string[]) {
    this.#packages = packages;
  }

  /** undefined when no allowed package has such a file. */
  async find(importPath: string): Promise<string | undefined> {
    const name = this.#packages.find((candidate) => importPath.startsWith(`${candidate}/`));
    const segments = importPath.split('/');
    if (name === undefined || !importPath.endsWith('.sol')) return undefined;
    if (segments.some((segment) => !/^[\w@-][\w.@-]*$/.test(segment))) return undefined;
    for (const folder of require.resolve.paths(name) ?? []) {
      const text = await readInside(join(folder, name), join(folder, ...segments));
      if (text !== undefined) return text;
    }
    return undefined;
  }
}

/** A link inside the package must not lead out of it. */
async function readInside(folder: string, file: string): Promise<string | undefined> {
  try {
    const [root, path] = await Promise.all([realpath(folder), realpath(file)]);
    if (!path.startsWith(root + sep)) return undefined;
    const text = await readFile(path, 'utf8');
    return text.length <= uploadLimits.sourceBytes ? text : undefined;
  } catch {
    return undefined;
  }
}
