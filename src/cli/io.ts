import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** The terminal as a command sees it. Results go out; everything else, questions included, goes to err. */
export interface Io {
  /** One result, or one line of it; the line break is added. */
  out(text: string): void;
  err(text: string): void;
  /** Without a line break, for what overwrites itself. */
  write(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Columns of the terminal that results go to; undefined when they go to a file or another program. */
  readonly width: number | undefined;
  /** Whether notes and progress go to a terminal. */
  readonly isErrTerminal: boolean;
  /** Whether somebody is there to be asked. */
  readonly isInteractive: boolean;
  ask(question: string, options?: { readonly isSecret?: boolean }): Promise<string>;
  readAll(): Promise<string>;
  /** Raised by Ctrl+C from the first call on; until then Ctrl+C ends the process. */
  interruption(): AbortSignal;
}

export function processIo(): Io {
  let interruption: AbortController | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of a pipe, such as `head`, has seen enough.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    write: (text) => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    width: process.stdout.isTTY ? process.stdout.columns : undefined,
    isErrTerminal: process.stderr.isTTY,
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    ask,
    readAll: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    interruption: () => {
      if (interruption === undefined) {
        const made = (interruption = new AbortController());
        process.once('SIGINT', () => made.abort());
      }
      return interruption.signal;
    },
  };
}

function ask(question: string, { isSecret = false }: { readonly isSecret?: boolean } = {}): Promise<string> {
  let isMuted = false;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isMuted) process.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  return new Promise((resolve, reject) => {
    lines.question(question, (answer) => {
      lines.close();
      if (isSecret) process.stderr.write('\n');
      resolve(answer.trim());
    });
    lines.once('SIGINT', () => {
      lines.close();
      process.stderr.write('\n');
      reject(new Interrupted());
    });
    isMuted = isSecret;
  });
}

/** Somebody pressed Ctrl+C; there is nothing to explain. */
export class Interrupted extends Error {}
