import type { Fault } from '#sdk';
import { loadFlowTests, type Vocabulary } from '#engine';
import { loadFlowFile } from '#flows';
import { faultAnnotation, faultText, type CommandIo, type FaultFormat } from './fault-text.js';
import type { AskChecks } from './lint-checks.js';
import { findFiles, isFlowFile, isTestFile, readText } from './flow-files.js';

export interface LintOptions {
  readonly vocabulary: Vocabulary;
  /** Name of each connection, and its connector; absent: not checked. */
  readonly connections?: ReadonlyMap<string, string>;
  /** Absent: only what the files themselves tell is checked. */
  readonly ask?: AskChecks;
  readonly json?: boolean;
  readonly format?: FaultFormat;
}

/** Checks flows and the form of their tests. Exit code: 0 clean, 3 faults, 4 a path that does not exist. */
export async function lintCommand(paths: readonly string[], options: LintOptions, io: CommandIo): Promise<number> {
  const { files, missing } = await findFiles(paths.length > 0 ? paths : ['flows'], io.cwd, isFlowFile);
  for (const path of missing) io.err(`There is no file or folder ${path}.`);
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  for (const [index, file] of files.entries()) {
    const text = await readText(file, io.cwd);
    const checks = isTestFile(file) ? undefined : await options.ask?.(text, file);
    const found = [...lint(file, text, options), ...(checks?.faults ?? [])];
    faults.push(...found);
    warnings.push(...(checks?.warnings ?? []));
    if (!options.json)
      for (const fault of found)
        io.out(options.format === 'github' ? faultAnnotation(fault) : faultText(fault, text, io));
    if (io.isTerminal && (index + 1) % 50 === 0)
      io.err(`${index + 1} of ${files.length} files, ${faults.length} faults`);
  }
  if (options.json) io.out(JSON.stringify({ files: files.length, faults, warnings }, undefined, 2));
  else if (options.format !== 'github') io.out(summary(files.length, faults.length));
  if (!options.json)
    for (const warning of warnings)
      io.err(options.format === 'github' ? faultAnnotation(warning, 'warning') : faultText(warning, undefined, io));
  if (faults.length > 0) return 3;
  return missing.length > 0 ? 4 : 0;
}

function lint(file: string, text: string, { vocabulary, connections }: LintOptions): readonly Fault[] {
  if (isTestFile(file)) return loadFlowTests(text, file).faults;
  return loadFlowFile(text, { vocabulary, file, ...(connections ? { connections } : {}) }).faults;
}

function summary(files: number, faults: number): string {
  const checked = files === 1 ? '1 file' : `${files} files`;
  if (faults === 0) return `${checked}, no faults`;
  return `${checked}, ${faults === 1 ? '1 fault' : `${faults} faults`}`;
}
