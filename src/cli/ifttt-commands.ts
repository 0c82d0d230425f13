import type { Command } from 'commander';
import type { Actions } from './action.js';
import { examples } from './file-commands.js';

/** Commands about the hub as a service of IFTTT. */
export function addIftttCommands(program: Command, run: Actions['run']): void {
  const load = () => import('./ifttt.command.js');
  const ifttt = program.command('ifttt').description('the hub as a service of IFTTT: show, sheet');
  ifttt
    .command('show', { isDefault: true })
    .description('how it is set up, and who polls it')
    .addHelpText('after', examples('patchbay ifttt'))
    .action(run(async (session) => (await load()).showIfttt(session)));
  ifttt
    .command('sheet')
    .description('what to type where at IFTTT, as Markdown')
    .addHelpText('after', examples('patchbay ifttt sheet', 'patchbay ifttt sheet > ifttt-setup.md'))
    .action(run(async (session) => (await load()).printSheet(session)));
}
