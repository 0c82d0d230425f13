import type { Command } from 'commander';
import type { Actions } from './action.js';
import { examples } from './file-commands.js';

/** Commands about what is kept equal on both sides. */
export function addSyncCommands(program: Command, run: Actions['run']): void {
  const load = () => import('./sync.command.js');
  const sync = program
    .command('sync')
    .alias('syncs')
    .description('what is kept equal in Salesforce and on a chain: list, show, check');
  sync
    .command('list', { isDefault: true })
    .description('list them, with what is in order')
    .addHelpText('after', examples('patchbay sync list', 'patchbay syncs --json'))
    .action(run(async (session) => (await load()).listSyncs(session)));
  sync
    .command('show <name>')
    .description('one, with what is not in order')
    .addHelpText('after', examples('patchbay sync show member-balances'))
    .action(run(async (session, name: string) => (await load()).showSync(name, session)));
  sync
    .command('check <name>')
    .description('compare both sides as a whole, and repair what differs if the sync says so')
    .addHelpText('after', examples('patchbay sync check member-balances'))
    .action(run(async (session, name: string) => (await load()).checkSync(name, session)));
}
