import { AsyncLocalStorage } from 'node:async_hooks';
import { destination, pino, stdTimeFunctions, type DestinationStream } from 'pino';
import { PatchbayError, Secret, type Logger } from '#sdk';
import type { Config } from '../config/config.schema.js';
import { prettyLine } from './pretty-line.js';

type Fields = Readonly<Record<string, unknown>>;

export interface Log extends Logger {
  /** The same log with fields that every entry carries. */
  with(fields: Fields): Log;
}

const context = new AsyncLocalStorage<Fields>();

/** Every entry written while `act` runs, and by whatever it starts, carries the fields. */
export function runWithLogContext<Result>(fields: Fields, act: () => Result): Result {
  return context.run({ ...context.getStore(), ...fields }, act);
}

/** Structured entries, one line each. Secrets print as `***`, errors with code, detail and causes. */
export function createLog(config: Config['log'], stream?: DestinationStream): Log {
  const isPretty = (config.format ?? (process.stdout.isTTY ? 'pretty' : 'json')) === 'pretty';
  const output = stream ?? destination({ fd: 1, sync: true });
  const root = pino(
    {
      level: config.level,
      messageKey: 'message',
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    isPretty ? { write: (line: string) => void output.write(prettyLine(line)) } : output,
  );
  return logOver(root);
}

function logOver(root: pino.Logger, own: Fields = {}): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: Fields) => {
    if (root.isLevelEnabled(level)) root[level](printable({ ...context.getStore(), ...own, ...fields }), message);
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => logOver(root, { ...own, ...fields }),
  };
}

const secretNames =
  /^(authorization|cookie|password|secret|token|apikey|api_key|masterkey|privatekey|private_key|mnemonic)$/i;

/** Fields as plain data: secrets masked, errors and big integers as what JSON can hold. */
function printable(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, printableValue(name, value, 0)]));
}

function printableValue(name: string, value: unknown, depth: number): unknown {
  if (value instanceof Secret || (secretNames.test(name) && value !== undefined && value !== null)) return '***';
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return printableError(value, depth);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth > 4) return '…';
  if (Array.isArray(value)) return value.map((item) => printableValue('', item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, printableValue(key, item, depth + 1)]));
}

function printableError(error: Error, depth: number): unknown {
  const known = error instanceof PatchbayError;
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    ...(code === undefined ? { name: error.name } : { code }),
    message: error.message,
    ...(known && error.fix !== undefined ? { fix: error.fix } : {}),
    ...(known && error.code !== 'internal' ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth > 3 ? {} : { cause: printableValue('', error.cause, depth + 1) }),
  };
}
