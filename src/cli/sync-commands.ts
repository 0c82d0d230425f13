import type { Command } from 'commander';
import { collected, type Actions } from './action.js';
import { examples } from './file-commands.js';
import type { NewSyncOptions } from './sync-new.command.js';

/** Commands about what is kept equal on both sides. */
export function addSyncCommands(program: Command, run: Actions['run']): void {
  const load = () => import('./sync.command.js');
  const sync = program
    .command('sync')
    .alias('syncs')
    .description('what is kept equal in Salesforce and on a chain: list, show, check, new');
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
  sync
    .command('new')
    .description(
      'make one, guided: object and fields of the org, contract and its functions; ends with one record tried',
    )
    .option('--name <name>', 'of the sync')
    .option('--connection <name>', 'the org')
    .option('--object <name>', 'whose records are synced')
    .option('--key <field>', 'the external id that holds the key of the contract')
    .option('--network <name>', 'of the contract (default: the default one)')
    .option('--contract <name>', 'name or address')
    .option('--read <function>', 'gives the entry of a key')
    .option('--event <name>', 'tells that an entry has changed; may be repeated', collected)
    .option('--write <function>', 'sets an entry; none: nothing is written to the chain')
    .option('--remove <function>', 'takes an entry away; none: none is')
    .option('--from <signer>', 'signs what is written to the chain')
    .option('--field <field=value[:direction[:decimals]]>', 'joins a field and a value; may be repeated', collected)
    .option('--mark <field>', 'checkbox that is ticked when the entry is gone')
    .option('--try <key>', 'the key of the record to try (default: the first record that has one)')
    .option('--out <file>', 'default: <name>.sync.yaml in the flow folder')
    .addHelpText(
      'after',
      examples(
        'patchbay sync new',
        'patchbay sync new --object Member__c --contract member-registry --write none --remove none --field Name=name:toSalesforce',
      ),
    )
    .action(
      run(async (session, options: NewSyncOptions) =>
        (await import('./sync-new.command.js')).newSync(options, session),
      ),
    );
}
