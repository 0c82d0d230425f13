import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { createActions } from './action.js';
import { tellFailure } from './failure.js';
import { addFileCommands } from './file-commands.js';
import { addHubCommands } from './hub-commands.js';
import type { Io } from './io.js';
import { createPaint } from './paint.js';
import { wantsColour, type CommonOptions } from './session.js';
import { addThingCommands } from './thing-commands.js';

/** Executes one command line. @returns the exit status, see `exitCodes` */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const program = createProgram(io, (code) => (exitCode = code));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has told it already: help, the version, or wrong usage.
    if (isCommanderError(error)) return error.exitCode === 0 || error.code === 'commander.help' ? 0 : 2;
    const options = program.opts<CommonOptions>();
    const paint = createPaint(io.isErrTerminal && wantsColour(options, io.env));
    return tellFailure(error, io, { paint, isJson: options.json === true });
  }
}

function createProgram(io: Io, setExitCode: (code: number) => void): Command {
  const program = new Command('patchbay')
    .description('Connects EVM chains with the systems a business already runs.')
    .version(version(), '-V, --version', 'print the version')
    .option('--json', 'one JSON document, with the field names of the API')
    .option('--hub <url>', 'the hub to talk to (PATCHBAY_HUB; default: the one started in this folder)')
    .option('-q, --quiet', 'no notes beside the result')
    .option('-y, --yes', 'do not ask')
    .option('--no-color', 'no colours (also NO_COLOR)')
    .configureHelp({ showGlobalOptions: true, helpWidth: io.width ?? 100 })
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('(patchbay --help lists the commands)')
    .addHelpCommand(
      new Command('help').argument('[command]').description('tell more about a command').helpGroup('Questions:'),
    )
    .exitOverride();
  const actions = createActions(io, setExitCode);
  addFileCommands(program, actions);
  addHubCommands(program, actions);
  addThingCommands(program, actions);
  return program;
}

function isCommanderError(error: unknown): error is Error & { exitCode: number; code: string } {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('commander.')
  );
}

function version(): string {
  // As source this file lies two folders below package.json, built it lies three below.
  const found = ['../../../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((file) => existsSync(file));
  return found === undefined ? '' : (JSON.parse(readFileSync(found, 'utf8')) as { version: string }).version;
}
