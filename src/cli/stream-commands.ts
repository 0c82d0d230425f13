import type { Command } from 'commander';
import type { Actions } from './action.js';
import { examples } from './file-commands.js';

/** Commands about event streams. */
export function addStreamCommands(program: Command, run: Actions['run']): void {
  const load = () => import('./stream.command.js');
  const stream = program
    .command('stream')
    .alias('streams')
    .description('event streams: list, show, create, suspend, resume, reset, delete, dead-letters');
  stream
    .command('list', { isDefault: true })
    .description('list them')
    .addHelpText('after', examples('patchbay stream list', 'patchbay streams --json'))
    .action(run(async (session) => (await load()).listStreams(session)));
  stream
    .command('show <name>')
    .description('one, with the places of its consumers and what troubles them')
    .addHelpText('after', examples('patchbay stream show treasury-transfers'))
    .action(run(async (session, name: string) => (await load()).showStream(name, session)));
  stream
    .command('create <file>')
    .description('make one from a YAML or JSON file; - reads it from stdin')
    .addHelpText('after', examples('patchbay stream create transfers.yaml'))
    .action(run(async (session, file: string) => (await load()).createStream(file, session)));
  stream
    .command('suspend <name>')
    .description('deliver nothing more; it keeps its place')
    .option('--reason <text>', 'for those who wonder')
    .addHelpText('after', examples('patchbay stream suspend treasury-transfers --reason "moving the CRM"'))
    .action(
      run(async (session, name: string, options: { reason?: string }) =>
        (await load()).suspendStream(name, options, session),
      ),
    );
  stream
    .command('resume <name>')
    .description('go on where it left off')
    .addHelpText('after', examples('patchbay stream resume treasury-transfers'))
    .action(run(async (session, name: string) => (await load()).resumeStream(name, session)));
  stream
    .command('reset <name>')
    .description('go on from another place; what was delivered may be delivered again')
    .requiredOption('--from <place>', 'now, earliest, or the number of a block')
    .addHelpText('after', examples('patchbay stream reset treasury-transfers --from 18000000 --yes'))
    .action(
      run(async (session, name: string, { from }: { from: string }) => (await load()).resetStream(name, from, session)),
    );
  stream
    .command('delete <name>')
    .description('remove it, with its places and dead letters')
    .addHelpText('after', examples('patchbay stream delete treasury-transfers --yes'))
    .action(run(async (session, name: string) => (await load()).deleteStream(name, session)));
  stream
    .command('dead-letters <name>')
    .description('batches that were given up; --retry or --drop deals with one')
    .option('--retry <id>', 'deliver this one again')
    .option('--drop <id>', 'give this one up for good')
    .addHelpText(
      'after',
      examples(
        'patchbay stream dead-letters treasury-transfers',
        'patchbay stream dead-letters transfers --retry 3f2c…',
      ),
    )
    .action(
      run(async (session, name: string, options: { retry?: string; drop?: string }) =>
        (await load()).streamDeadLetters(name, options, session),
      ),
    );
}
