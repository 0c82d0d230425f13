import { exitCodeOfStatus, exitCodes, type ExitCode } from './exit-code.js';
import { HubAnswerError, type Problem } from './hub-client.js';
import { Interrupted, type Io } from './io.js';
import type { Paint } from './paint.js';

/** A command cannot do what it was asked: with its exit status, a sentence and a remedy. */
export class CommandError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    readonly detail: string,
    readonly fix?: string,
  ) {
    super(detail);
  }
}

export class UsageError extends CommandError {
  constructor(detail: string, fix?: string) {
    super(exitCodes.usage, detail, fix);
  }
}

interface Failure {
  readonly exitCode: number;
  readonly problem: Problem;
}

/** Says what went wrong, on the side of the notes. @returns the exit status */
export function tellFailure(error: unknown, io: Io, { paint, isJson }: { paint: Paint; isJson: boolean }): number {
  if (error instanceof Interrupted) return exitCodes.interrupted;
  const { exitCode, problem } = failureOf(error);
  io.err(isJson ? JSON.stringify(problem, undefined, 2) : problemText(problem, paint));
  return exitCode;
}

export function problemText(problem: Problem, paint: Paint): string {
  const { code, detail, title, fix, requestId, errors = [] } = problem;
  const sentence = detail ?? title ?? 'Something went wrong.';
  return [
    `${paint('red', '✗')} ${code === undefined ? '' : `${paint('bold', code)}  `}${sentence}`,
    ...errors.map(({ file, line, column, pointer, detail: fault, fix: remedy }) => {
      const place = file === undefined ? pointer : [file, line, column].filter((part) => part !== undefined).join(':');
      return `  ${place}  ${fault}${remedy === undefined ? '' : ` ${remedy}`}`;
    }),
    ...(fix === undefined ? [] : [`  Fix: ${fix}`]),
    ...(requestId === undefined ? [] : [paint('dim', `  Request ${requestId}`)]),
  ].join('\n');
}

function failureOf(error: unknown): Failure {
  if (error instanceof HubAnswerError) return { exitCode: error.exitCode, problem: error.problem };
  if (error instanceof CommandError) {
    const { exitCode, detail, fix } = error;
    return { exitCode, problem: { detail, ...(fix !== undefined && { fix }) } };
  }
  if (isPatchbayError(error)) {
    const { code, status, detail, fix, faults } = error;
    const exitCode = code === 'config.invalid' ? exitCodes.faults : exitCodeOfStatus(status);
    return { exitCode, problem: { code, detail, ...(fix !== undefined && { fix }), errors: faults } };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { exitCode: exitCodes.failed, problem: { code: 'internal', detail } };
}

interface PatchbayErrorLike extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly fix: string | undefined;
  readonly faults: NonNullable<Problem['errors']>;
}

/** By name, because loading the class would load zod before every `--help`. */
function isPatchbayError(error: unknown): error is PatchbayErrorLike {
  return error instanceof Error && error.name === 'PatchbayError';
}
