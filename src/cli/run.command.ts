import { readFile, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { loadFlow, type CompiledFlow, type Vocabulary } from '#engine';
import { dryRun, type DryRun } from './dry-run.js';
import { readEvent } from './event-file.js';
import { exitCodes, type ExitCode } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import { faultText } from './fault-text.js';
import { isFlowFile, isTestFile } from './flow-files.js';
import type { Session } from './session.js';
import { loadVocabulary } from './vocabulary.js';

export interface DryRunOptions {
  readonly event: string;
  readonly answers?: string;
}

/** Runs a flow once without any effect: every call that would be made is shown, and none is made. Needs no hub. */
export async function dryRunCommand(flow: string, options: DryRunOptions, session: Session): Promise<ExitCode> {
  const { io } = session;
  const file = await findFlowFile(flow, session);
  const vocabulary = await loadVocabulary(io);
  const compiled = await load(file, vocabulary, session);
  if (compiled === undefined) return exitCodes.faults;
  const report = await dryRun(compiled, {
    event: await readEvent(options.event, io),
    env: flowEnv(io.env),
    answers: options.answers === undefined ? new Map() : await readAnswers(options.answers, compiled, session),
    vocabulary,
    now: new Date(),
  });
  session.show(report, () => dryRunText(report, session));
  return report.outcome === 'failed' ? exitCodes.failed : exitCodes.done;
}

/** A path as it is; a name is looked up in the flow folder, first as a file name, then as the `name:` of a flow. */
async function findFlowFile(flow: string, { io }: Session): Promise<string> {
  if (isFlowFile(flow)) return flow;
  const folder = io.env['PATCHBAY_FLOWS_DIR'] ?? 'flows';
  const names = await readdir(resolve(io.cwd, folder)).catch(() => []);
  const files = names.filter((name) => isFlowFile(name) && !isTestFile(name));
  const exact = files.find((name) => name.replace(/\.ya?ml$/, '') === flow);
  if (exact !== undefined) return join(folder, exact);
  for (const name of files) {
    const text = await readFile(resolve(io.cwd, folder, name), 'utf8');
    if (/^name:\s*(['"]?)([\w-]+)\1\s*(#.*)?$/m.exec(text)?.[2] === flow) return join(folder, name);
  }
  throw new CommandError(
    exitCodes.notFound,
    `There is no flow ${flow} in ${folder}.`,
    files.length === 0
      ? 'Make one: npx patchbay new flow <name>'
      : `Known: ${files.map((name) => name.replace(/\.ya?ml$/, '')).join(', ')}.`,
  );
}

async function load(file: string, vocabulary: Vocabulary, session: Session): Promise<CompiledFlow | undefined> {
  const path = resolve(session.io.cwd, file);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) throw new CommandError(exitCodes.notFound, `There is no file ${file}.`);
  const { flow, faults } = loadFlow(text, { vocabulary, file: relative(session.io.cwd, path) });
  if (flow !== undefined) return flow;
  session.show({ faults }, () => faults.map((fault) => faultText(fault, text, session.files)).join('\n'));
  return undefined;
}

/** The variables that the configuration lets flows see. */
function flowEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = (env['PATCHBAY_FLOW_ENV'] ?? '').split(',').map((name) => name.trim());
  return Object.fromEntries(names.filter((name) => name !== '').map((name) => [name, env[name] ?? '']));
}

/** As under `given` of a flow test: `steps.<id>: output`, or `steps.<id>: { error: code }`. */
async function readAnswers(
  file: string,
  { flow }: CompiledFlow,
  { io }: Session,
): Promise<ReadonlyMap<string, unknown>> {
  const content = await readEvent(file, io);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError(`${file} holds no answers.`, 'Write steps.<id>: followed by what the step answers.');
  }
  const known = [...flow.steps, ...flow.onFailure].map((step) => step.id);
  return new Map(
    Object.entries(content).map(([key, answer]) => {
      const id = key.replace(/^steps\./, '');
      if (key === id || !known.includes(id)) {
        throw new UsageError(
          `${file}: nothing is called ${key}.`,
          `Answers are for ${known.map((one) => `steps.${one}`).join(', ')}.`,
        );
      }
      return [id, answer];
    }),
  );
}

function dryRunText(run: DryRun, { paint }: Session): string {
  if (!run.takes) return `${run.flow}: ignored: ${run.because ?? ''}`;
  const lines = [
    `${paint('bold', run.flow)}: the event is taken`,
    ...(run.idempotencyKey === undefined ? [] : [`  once per      ${run.idempotencyKey}`]),
    ...(run.orderingKey === undefined ? [] : [`  in order of   ${run.orderingKey}`]),
  ];
  for (const [index, call] of run.calls.entries()) {
    lines.push(
      '',
      `${index + 1}. ${paint('bold', call.uses)}  ${paint('dim', call.step)}${call.connection === undefined ? '' : `  over ${call.connection}`}`,
    );
    lines.push(...indented(call.input));
    if (call.error !== undefined) {
      lines.push(
        `   ${paint('red', '✗')} ${call.error}${call.attempts > 1 ? `, after ${call.attempts} attempts` : ''}`,
      );
    } else if (!call.isMadeUp) {
      lines.push(paint('dim', `   answers ${JSON.stringify(call.output)}`));
    }
  }
  if (run.skipped.length > 0) lines.push('', `Skipped: ${run.skipped.join(', ')}`);
  lines.push('', outcomeText(run, paint), 'Nothing was sent.');
  return lines.join('\n');
}

function outcomeText(run: DryRun, paint: Session['paint']): string {
  if (run.error === undefined) {
    const without = run.failed.length === 0 ? '' : ` without ${run.failed.join(', ')}`;
    return `${paint('green', '✓')} The run would complete${without}, with ${run.calls.length} ${run.calls.length === 1 ? 'call' : 'calls'}.`;
  }
  const { step, code, message, fix } = run.error;
  const isForAnswers = code.startsWith('template.') && run.calls.some((call) => call.isMadeUp);
  return [
    `${paint('red', '✗')} The run would fail at ${step}: ${paint('bold', code)}  ${message}`,
    ...(fix === undefined || fix === '' ? [] : [`  Fix: ${fix}`]),
    ...(isForAnswers ? ['  What earlier steps answer is made up here; give real answers with --answers <file>.'] : []),
  ].join('\n');
}

function indented(value: unknown): string[] {
  const text =
    JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item), 2) ?? '';
  return text.split('\n').map((line) => `   ${line}`);
}
