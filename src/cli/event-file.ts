import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { exitCodes } from './exit-code.js';
import { CommandError } from './failure.js';
import type { Io } from './io.js';

/** Plain data from a JSON or YAML file, or from stdin when the name is `-`. In YAML, long numbers and `0x…` stay text, as in flows. */
export async function readEvent(file: string, io: Pick<Io, 'cwd' | 'readAll'>): Promise<unknown> {
  const text = file === '-' ? await io.readAll() : await readFile(resolve(io.cwd, file), 'utf8').catch(() => undefined);
  if (text === undefined) throw new CommandError(exitCodes.notFound, `There is no file ${file}.`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (/\.json$/.test(file)) {
      throw new CommandError(
        exitCodes.faults,
        `${file} is not valid JSON: ${error instanceof Error ? error.message : ''}`,
      );
    }
  }
  const { parseYaml } = await import('#engine');
  const { data, faults } = parseYaml(text, file);
  const [first] = faults;
  if (first === undefined) return data;
  throw new CommandError(
    exitCodes.faults,
    `${file}:${first.line ?? 1}:${first.column ?? 1}  ${first.detail}`,
    first.fix,
  );
}
