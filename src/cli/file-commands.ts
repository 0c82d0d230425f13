import { Option, type Command } from 'commander';
import type { Actions } from './action.js';
import type { FaultFormat } from './fault-text.js';
import type { RealRunOptions } from './run-real.command.js';
import type { DryRunOptions } from './run.command.js';

const format = (): Option => new Option('--format <form>', 'how faults are printed').choices(['text', 'github']);

/** Commands that work on files, without a hub. */
export function addFileCommands(program: Command, { run }: Actions): void {
  program.commandsGroup('Files:');
  program
    .command('lint [paths...]')
    .description('check flows and their tests: every fault at once, with its place and remedy')
    .addOption(format())
    .option('--strict', 'fail on warnings too')
    .addHelpText('after', examples('patchbay lint', 'patchbay lint flows/large-transfer.yaml --format github'))
    .action(
      run(async (session, paths: string[], options: { format?: FaultFormat; strict?: boolean }) => {
        const { checkFiles } = await import('./check-files.command.js');
        return checkFiles('lint', paths, options, session);
      }),
    );
  program
    .command('test [paths...]')
    .description('run the tests beside the flows')
    .addOption(format())
    .addHelpText('after', examples('patchbay test', 'patchbay test flows/large-transfer.test.yaml --json'))
    .action(
      run(async (session, paths: string[], options: { format?: FaultFormat }) => {
        const { checkFiles } = await import('./check-files.command.js');
        return checkFiles('test', paths, options, session);
      }),
    );
  program
    .command('run <flow>')
    .description('run one flow, by file or name, once with an event from a file; without --real nothing is sent')
    .requiredOption('--event <file>', 'the event, as JSON or YAML; - reads it from stdin')
    .option('--dry-run', 'print every call that would be made, and make none (the default)')
    .option('--answers <file>', 'what steps answer in a dry run: steps.<id>: output')
    .addOption(new Option('--real', 'hand the event to the hub and follow the run').conflicts(['dryRun', 'answers']))
    .option('--idempotency-key <key>', 'with --real: the same key starts no second run')
    .addHelpText(
      'after',
      examples(
        'patchbay run large-transfer --event transfer.json',
        'patchbay run large-transfer --event transfer.json --real',
      ),
    )
    .action(
      run(async (session, flow: string, options: DryRunOptions & RealRunOptions & { real?: boolean }) => {
        if (options.real === true)
          return (await import('./run-real.command.js')).realRunCommand(flow, options, session);
        return (await import('./run.command.js')).dryRunCommand(flow, options, session);
      }),
    );
  const make = program.command('new').description('write a new flow or connector to start from');
  make
    .command('flow <name>')
    .description('a flow that works as it stands, and its test')
    .addHelpText('after', examples('patchbay new flow order-received'))
    .action(run(async (session, name: string) => (await import('./new.command.js')).newFlow(name, session)));
  make
    .command('connector <name>')
    .description('a connector with one trigger and one action, in a checkout of Patchbay')
    .addHelpText('after', examples('patchbay new connector acme'))
    .action(run(async (session, name: string) => (await import('./new.command.js')).newConnector(name, session)));
  program
    .command('schema')
    .description('print the JSON schema of flow files, for editors')
    .addHelpText('after', examples('patchbay schema > flow.schema.json'))
    .action(run(async (session) => (await import('./schema.command.js')).schemaCommand(session)));
}

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}
