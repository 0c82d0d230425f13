import { dirname, join } from 'node:path';
import { styleText } from 'node:util';
import type { Fault } from '#sdk';
import { loadFlowTests, runFlowTests, type FlowTestReport, type FlowTestResult, type Vocabulary } from '#engine';
import { cannotRead } from '#flows';
import { faultAnnotation, faultText, type CommandIo, type FaultFormat } from './fault-text.js';
import { findFiles, isTestFile, readText } from './flow-files.js';

export interface TestOptions {
  readonly vocabulary: Vocabulary;
  readonly json?: boolean;
  readonly format?: FaultFormat;
}

interface TestedFile extends FlowTestReport {
  readonly file: string;
}

/** Runs the tests beside flows. Exit code: 0 green, 1 red, 3 faults in the files, 4 a path that does not exist. */
export async function testCommand(paths: readonly string[], options: TestOptions, io: CommandIo): Promise<number> {
  const { files, missing } = await findFiles(paths.length > 0 ? paths : ['flows'], io.cwd, isTestFile);
  for (const path of missing) io.err(`There is no file or folder ${path}.`);
  const reports: TestedFile[] = [];
  for (const [index, file] of files.entries()) {
    const report = { file, ...(await testFile(file, options.vocabulary, io)) };
    reports.push(report);
    if (!options.json) await print(report, options, io);
    if (io.isTerminal && (index + 1) % 50 === 0) io.err(`${index + 1} of ${files.length} files`);
  }
  const results = reports.flatMap((report) => report.tests);
  const failed = results.filter((result) => !result.passed).length;
  if (options.json) io.out(JSON.stringify({ passed: results.length - failed, failed, files: reports }, undefined, 2));
  else if (options.format !== 'github')
    io.out(
      `${results.length - failed} passed, ${failed} failed, in ${files.length === 1 ? '1 file' : `${files.length} files`}`,
    );
  if (reports.some((report) => report.faults.length > 0)) return 3;
  if (failed > 0) return 1;
  return missing.length > 0 ? 4 : 0;
}

async function testFile(file: string, vocabulary: Vocabulary, io: CommandIo): Promise<FlowTestReport> {
  const testText = await readText(file, io.cwd).catch((error: unknown) => cannotRead(file, error));
  if (typeof testText !== 'string') return { flow: undefined, tests: [], faults: [testText] };
  const tests = loadFlowTests(testText, file);
  if (!tests.content) return { flow: undefined, tests: [], faults: tests.faults };
  const flowFile = join(dirname(file), tests.content.flow);
  const flowText = await readText(flowFile, io.cwd).catch(() => undefined);
  if (flowText === undefined) {
    const fault = {
      rule: 'unknown-file',
      detail: `There is no file ${flowFile}.`,
      fix: 'Name the flow as its file is named, beside the test.',
    };
    return { flow: undefined, tests: [], faults: [tests.document.faultAt(['flow'], fault)] };
  }
  return runFlowTests({ flowText, testText, vocabulary, flowFile, testFile: file });
}

async function print(report: TestedFile, { format }: TestOptions, io: CommandIo): Promise<void> {
  const sources = new Map<string, string | undefined>();
  const printFault = async (fault: Fault) => {
    if (format === 'github') return io.out(faultAnnotation(fault));
    const { file = report.file } = fault;
    if (!sources.has(file)) sources.set(file, await readText(file, io.cwd).catch(() => undefined));
    io.out(faultText(fault, sources.get(file), io));
  };
  if (format !== 'github') io.out(report.file);
  for (const fault of report.faults) await printFault(fault);
  for (const result of report.tests) {
    if (format !== 'github') io.out(mark(result, io));
    for (const fault of result.faults) await printFault(fault);
  }
}

function mark({ passed, name }: FlowTestResult, { isTerminal }: CommandIo): string {
  const sign = passed ? '✓' : '✗';
  return `  ${isTerminal ? styleText(passed ? 'green' : 'red', sign, { validateStream: false }) : sign} ${name}`;
}
