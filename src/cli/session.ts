import { setTimeout as delay } from 'node:timers/promises';
import { exitCodes } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import type { CommandIo } from './fault-text.js';
import { hubClient, type HubClient } from './hub-client.js';
import { Interrupted, type Io } from './io.js';
import { createPaint, type Paint } from './paint.js';
import { renderTable, type Column } from './table.js';

/** Options that every command knows. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly hub?: string;
  readonly quiet?: boolean;
  readonly color?: boolean;
  readonly yes?: boolean;
}

/** What a command works with: the terminal, the common options and, if it asks for one, a hub. */
export interface Session {
  readonly io: Io;
  readonly paint: Paint;
  readonly isJson: boolean;
  /** For commands that work on files. */
  readonly files: CommandIo;
  hub(): Promise<HubClient>;
  /** The one document with `--json`, the text for people otherwise. */
  show(document: unknown, text: () => string): void;
  /** Beside the result; not with `--quiet`. */
  note(text: string): void;
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string;
  /** Asks before something that cannot be taken back; without a terminal only `--yes` lets it happen. */
  confirm(preview: string): Promise<void>;
  /** @throws Interrupted on Ctrl+C */
  pause(ms: number): Promise<void>;
}

export function createSession(io: Io, options: CommonOptions): Session {
  const isJson = options.json ?? false;
  const isColoured = io.width !== undefined && wantsColour(options, io.env);
  const paint = createPaint(isColoured);
  const note = (text: string): void => {
    if (options.quiet !== true) io.err(text);
  };
  return {
    io,
    paint,
    isJson,
    files: { out: (text) => io.out(text), err: note, cwd: io.cwd, isTerminal: isColoured },
    hub: () => hubClient({ hub: options.hub }, io.env),
    show: (document, text) => io.out(isJson ? JSON.stringify(document, undefined, 2) : text()),
    note,
    table: (columns, rows) => renderTable(columns, rows, { width: io.width, paint }),
    confirm: async (preview) => {
      if (options.yes === true) return;
      const gap = preview.includes('\n') ? '\n' : ' ';
      if (!io.isInteractive) throw new UsageError(`${preview}${gap}Nothing was done.`, 'Add --yes to do it.');
      const answer = await io.ask(`${preview}${gap}Go on? [y/N] `);
      if (!/^y(es)?$/i.test(answer)) throw new CommandError(exitCodes.failed, 'Nothing was done.');
    },
    pause: async (ms) => {
      await delay(ms, undefined, { signal: io.interruption() }).catch(() => {
        throw new Interrupted();
      });
    },
  };
}

/** https://no-color.org */
export function wantsColour({ color }: CommonOptions, env: Io['env']): boolean {
  return color !== false && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
