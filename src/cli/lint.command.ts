import type { Fault } from '#sdk';
import { loadFlowTests, type Vocabulary } from '#engine';
import { cannotRead, loadFlowFile } from '#flows';
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
  /** Warnings are faults, but for what could not be asked. */
  readonly strict?: boolean;
}

/**
 * Checks flows and the form of their tests. Exit code: 0 clean, or warnings alone; 3 faults, or with `strict` warnings;
 * 4 a path that does not exist.
 */
export async function lintCommand(paths: readonly string[], options: LintOptions, io: CommandIo): Promise<number> {
  const { files, missing } = await findFiles(paths.length > 0 ? paths : ['flows'], io.cwd, isFlowFile);
  for (const path of missing) io.err(`There is no file or folder ${path}.`);
  const printed = (fault: Fault, text: string | undefined) =>
    options.format === 'github' ? faultAnnotation(fault) : faultText(fault, text, io);
  const faults: Fault[] = [];
  const warnings: { readonly warning: Fault; readonly text: string | undefined }[] = [];
  for (const [index, file] of files.entries()) {
    const read = await readText(file, io.cwd).catch((error: unknown) => cannotRead(file, error));
    const text = typeof read === 'string' ? read : undefined;
    const checks = text === undefined || isTestFile(file) ? undefined : await options.ask?.(text, file);
    const own = typeof read === 'string' ? lint(file, read, options) : { faults: [read], warnings: [] };
    const found = [...own.faults, ...(checks?.faults ?? [])];
    faults.push(...found);
    warnings.push(...distinct([...own.warnings, ...(checks?.warnings ?? [])]).map((warning) => ({ warning, text })));
    if (!options.json) for (const fault of found) io.out(printed(fault, text));
    if (io.isTerminal && (index + 1) % 50 === 0)
      io.err(`${index + 1} of ${files.length} files, ${faults.length} faults`);
  }
  const risks = warnings.map(({ warning }) => warning);
  if (options.json) io.out(JSON.stringify({ files: files.length, faults, warnings: risks }, undefined, 2));
  else if (options.format !== 'github') io.out(summary(files.length, faults.length, warnings.length));
  if (!options.json) for (const { warning, text } of warnings) io.err(printed(warning, text));
  if (faults.length > 0 || (options.strict === true && risks.some(isOfTheFile))) return 3;
  return missing.length > 0 ? 4 : 0;
}

/** The file is not at fault when nobody could be asked. */
function isOfTheFile({ rule }: Fault): boolean {
  return rule !== 'not-checked';
}

/** The hub tells again what was found here. */
function distinct(warnings: readonly Fault[]): readonly Fault[] {
  return [...new Map(warnings.map((warning) => [`${warning.pointer} ${warning.detail}`, warning])).values()];
}

function lint(
  file: string,
  text: string,
  { vocabulary, connections }: LintOptions,
): { readonly faults: readonly Fault[]; readonly warnings: readonly Fault[] } {
  if (isTestFile(file)) return { faults: loadFlowTests(text, file).faults, warnings: [] };
  return loadFlowFile(text, { vocabulary, file, ...(connections ? { connections } : {}) });
}

function summary(files: number, faults: number, warnings: number): string {
  return [
    files === 1 ? '1 file' : `${files} files`,
    faults === 0 ? 'no faults' : faults === 1 ? '1 fault' : `${faults} faults`,
    ...(warnings === 0 ? [] : [warnings === 1 ? '1 warning' : `${warnings} warnings`]),
  ].join(', ');
}
