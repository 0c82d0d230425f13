import type { Io } from '../../src/cli/io.js';

export interface Terminal extends Io {
  stdout(): string;
  stderr(): string;
  interrupt(): void;
}

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Columns; absent: output goes to a pipe. */
  readonly width?: number;
  /** What a person types, in order; absent: nobody is there. */
  readonly answers?: readonly string[];
  readonly stdin?: string;
}

/** A terminal whose output can be read. */
export function aTerminal({
  env = {},
  cwd = process.cwd(),
  width,
  answers,
  stdin = '',
}: TerminalOptions = {}): Terminal {
  let stdout = '';
  let stderr = '';
  const left = [...(answers ?? [])];
  const interruption = new AbortController();
  return {
    out: (text) => void (stdout += `${text}\n`),
    err: (text) => void (stderr += `${text}\n`),
    write: (text) => void (stderr += text),
    env,
    cwd,
    width,
    isErrTerminal: width !== undefined,
    isInteractive: answers !== undefined,
    ask: async (question) => {
      stderr += question;
      return left.shift() ?? '';
    },
    readAll: async () => stdin,
    interruption: () => interruption.signal,
    stdout: () => stdout,
    stderr: () => stderr,
    interrupt: () => interruption.abort(),
  };
}
