import { Option, type Command } from 'commander';
import type { Actions } from './action.js';
import { examples } from './file-commands.js';
import type { FeeOptions, TransactionsFilter } from './transaction.command.js';

/** Commands about transactions, and the switch of their signers. */
export function addTransactions(program: Command, run: Actions['run']): void {
  const load = () => import('./transaction.command.js');
  const transaction = program
    .command('transaction')
    .alias('transactions')
    .description('transactions on chains: list, show, cancel, replace');
  transaction
    .command('list', { isDefault: true })
    .description('list them, newest first')
    .option('--status <status>', 'one, or several separated by commas')
    .option('--pending', 'those that are not final')
    .option('--signer <name>', 'name or address')
    .option('--network <name>', 'of one network')
    .option('--contract <name>', 'name or address')
    .option('--function <name>', 'name or signature')
    .option('--origin <origin>', 'flow:<name> or key:<id>')
    .addOption(new Option('--created-after <time>', 'RFC 3339'))
    .addOption(new Option('--created-before <time>', 'RFC 3339'))
    .option('--limit <number>', 'how many at the most')
    .option('--before <place>', 'go on from an earlier page')
    .addHelpText('after', examples('patchbay transactions --pending', 'patchbay transaction list --signer treasury'))
    .action(run(async (session, filter: TransactionsFilter) => (await load()).listTransactions(filter, session)));
  transaction
    .command('show <id>')
    .description('one, by id or hash, with its attempts and history')
    .addHelpText('after', examples('patchbay transaction show 0x5c50…'))
    .action(run(async (session, id: string) => (await load()).showTransaction(id, session)));
  transaction
    .command('cancel <id>')
    .description('try to put nothing in its place; which of the two is mined decides')
    .addHelpText('after', examples('patchbay transaction cancel 0b0e…'))
    .action(run(async (session, id: string) => (await load()).cancelTransaction(id, session)));
  transaction
    .command('replace <id>')
    .description('send it again at a higher fee, in wei')
    .option('--max <wei>', 'highest price per gas')
    .option('--tip <wei>', 'tip per gas')
    .option('--cap <wei>', 'what no raise goes above')
    .addHelpText('after', examples('patchbay transaction replace 0b0e… --max 90000000000'))
    .action(run(async (session, id: string, fee: FeeOptions) => (await load()).replaceTransaction(id, fee, session)));
}

export function addSignerSwitch(signer: Command, run: Actions['run']): void {
  const load = () => import('./transaction.command.js');
  signer
    .command('suspend <name>')
    .description('let it accept nothing more; what it accepted goes on')
    .requiredOption('--reason <text>', 'shown to those who are refused')
    .option('--network <name>', 'on one network; default: on all')
    .addHelpText('after', examples('patchbay signer suspend treasury --reason "key leaked"'))
    .action(
      run(async (session, name: string, options: { reason: string; network?: string }) =>
        (await load()).switchSigner(name, options, session),
      ),
    );
  signer
    .command('resume <name>')
    .description('let it accept transactions again')
    .option('--network <name>', 'on one network; default: on all')
    .addHelpText('after', examples('patchbay signer resume treasury'))
    .action(
      run(async (session, name: string, options: { network?: string }) =>
        (await load()).switchSigner(name, options, session),
      ),
    );
}
