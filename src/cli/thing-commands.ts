import { Option, type Command } from 'commander';
import { collected, type Actions } from './action.js';
import type { AuthorizationOptions } from './connection-authorization.command.js';
import type { NewConnectionOptions } from './connection.command.js';
import type { RetryOptions } from './dead-letters.command.js';
import { examples } from './file-commands.js';
import type { NewKeyOptions } from './key.command.js';
import type { RunsFilter } from './runs.command.js';
import { addIftttCommands } from './ifttt-commands.js';
import { addOracleCommands } from './oracle-commands.js';
import { addStreamCommands } from './stream-commands.js';
import { addSyncCommands } from './sync-commands.js';
import type { AccountsOptions } from './signer.command.js';
import { addSignerSwitch, addTransactions } from './transaction-commands.js';

/** Commands about the things of a hub: noun, then verb. */
export function addThingCommands(program: Command, { run }: Actions): void {
  program.commandsGroup('Things of a hub:');
  addFlows(program, run);
  addRuns(program, run);
  addDeadLetters(program, run);
  addStreamCommands(program, run);
  addSyncCommands(program, run);
  addConnections(program, run);
  addIftttCommands(program, run);
  addOracleCommands(program, run);
  addSigners(program, run);
  addTransactions(program, run);
  addKeys(program, run);
}

function addFlows(program: Command, run: Actions['run']): void {
  const load = () => import('./flow.command.js');
  const flow = program.command('flow').alias('flows').description('the flows the hub knows: list, show, pause, resume');
  flow
    .command('list', { isDefault: true })
    .description('list them')
    .addHelpText('after', examples('patchbay flow list', 'patchbay flows --json'))
    .action(run(async (session) => (await load()).listFlows(session)));
  flow
    .command('show <name>')
    .description('one, with its document')
    .addHelpText('after', examples('patchbay flow show large-transfer'))
    .action(run(async (session, name: string) => (await load()).showFlow(name, session)));
  flow
    .command('pause <name>')
    .description('start no new runs; runs that began go on')
    .addHelpText('after', examples('patchbay flow pause large-transfer'))
    .action(run(async (session, name: string) => (await load()).setFlowPaused(name, true, session)));
  flow
    .command('resume <name>')
    .description('start runs again')
    .addHelpText('after', examples('patchbay flow resume large-transfer'))
    .action(run(async (session, name: string) => (await load()).setFlowPaused(name, false, session)));
}

function addRuns(program: Command, run: Actions['run']): void {
  const load = () => import('./runs.command.js');
  const states = new Option('--state <state>').choices(['queued', 'running', 'completed', 'failed', 'cancelled']);
  const runs = program.command('runs').description('runs: list, show, watch, retry, replay, cancel');
  paged(runs.command('list', { isDefault: true }))
    .description('list them, newest first')
    .option('--flow <name>', 'of one flow')
    .addOption(states)
    .option('--event <id>', 'started by one event')
    .addHelpText('after', examples('patchbay runs', 'patchbay runs --flow large-transfer --state failed'))
    .action(run(async (session, filter: RunsFilter) => (await load()).listRuns(filter, session)));
  runs
    .command('show <id>')
    .description('one, step by step')
    .addHelpText('after', examples('patchbay runs show 0b0e…'))
    .action(run(async (session, id: string) => (await load()).showRun(id, session)));
  runs
    .command('watch [id]')
    .description('follow one to its end, or all new ones')
    .option('--flow <name>', 'of one flow')
    .addHelpText('after', examples('patchbay runs watch 0b0e…', 'patchbay runs watch --flow large-transfer'))
    .action(
      run(async (session, id: string | undefined, filter: RunsFilter) => (await load()).watchRuns(id, filter, session)),
    );
  runs
    .command('retry <id>')
    .description('the same run goes on at its first unfinished step, with the same idempotency keys')
    .option('--wait', 'until it is over')
    .addHelpText('after', examples('patchbay runs retry 0b0e… --wait'))
    .action(
      run(async (session, id: string, options: { wait?: boolean }) => (await load()).retryRun(id, options, session)),
    );
  runs
    .command('replay <id>')
    .description('a new run from the same event: what was done may be done again; without --real nothing is started')
    .addOption(new Option('--as <when>', 'the version of the flow').choices(['then', 'now']).default('now'))
    .option('--real', 'do it')
    .addHelpText('after', examples('patchbay runs replay 0b0e…', 'patchbay runs replay 0b0e… --as then --real'))
    .action(
      run(async (session, id: string, options: { real?: boolean; as?: 'then' | 'now' }) =>
        (await load()).replayRun(id, options, session),
      ),
    );
  runs
    .command('cancel <id>')
    .description('no further step starts; nothing is undone')
    .addHelpText('after', examples('patchbay runs cancel 0b0e…'))
    .action(run(async (session, id: string) => (await load()).cancelRun(id, session)));
}

function addDeadLetters(program: Command, run: Actions['run']): void {
  const load = () => import('./dead-letters.command.js');
  const letters = program.command('dead-letters').description('runs that were given up: list, show, retry, drop');
  paged(letters.command('list', { isDefault: true }))
    .description('list them, newest first')
    .option('--flow <name>', 'of one flow')
    .addHelpText('after', examples('patchbay dead-letters', 'patchbay dead-letters --flow large-transfer'))
    .action(run(async (session, filter: RunsFilter) => (await load()).listDeadLetters(filter, session)));
  letters
    .command('show <id>')
    .description('why it was given up, with its event')
    .addHelpText('after', examples('patchbay dead-letters show 0b0e…'))
    .action(run(async (session, id: string) => (await load()).showDeadLetter(id, session)));
  letters
    .command('retry [id]')
    .description('go on at the first unfinished step: one, or all of a flow')
    .option('--event <file>', 'the event as it should have been, for one')
    .option('--flow <name>', 'with --all: of one flow')
    .option('--all', 'all of them')
    .option('--wait', 'until the one is over')
    .addHelpText(
      'after',
      examples(
        'patchbay dead-letters retry 0b0e… --event corrected.json',
        'patchbay dead-letters retry --flow large-transfer --all',
      ),
    )
    .action(
      run(async (session, id: string | undefined, options: RetryOptions) =>
        (await load()).retryDeadLetters(id, options, session),
      ),
    );
  letters
    .command('drop <id>')
    .description('give it up for good')
    .addHelpText('after', examples('patchbay dead-letters drop 0b0e…'))
    .action(run(async (session, id: string) => (await load()).dropDeadLetter(id, session)));
}

function addConnections(program: Command, run: Actions['run']): void {
  const load = () => import('./connection.command.js');
  const connection = program
    .command('connection')
    .alias('connections')
    .description('accounts and networks: list, add, test, authorize, remove');
  connection
    .command('list', { isDefault: true })
    .description('list them; secrets are not shown')
    .addHelpText('after', examples('patchbay connection list'))
    .action(run(async (session) => (await load()).listConnections(session)));
  connection
    .command('add <connector>')
    .description('add one to the hub; what is missing is asked for')
    .option('--name <name>', 'default: the name of the connector')
    .option('--set <name=value>', 'a setting, may be repeated', collected)
    .option(
      '--set-env <name=VARIABLE>',
      'a setting from an environment variable, may be repeated: for secrets',
      collected,
    )
    .option('--file <file>', 'settings as JSON or YAML; - reads them from stdin')
    .option('--object <name>', 'of Salesforce: the object whose newest record is shown')
    .addHelpText(
      'after',
      examples(
        'patchbay connection add salesforce',
        'patchbay connection add ifttt --set-env makerKey=IFTTT_MAKER_KEY',
        'patchbay connection add salesforce --name org --file org.yaml',
      ),
    )
    .action(
      run(async (session, connector: string, options: NewConnectionOptions & { object?: string }) => {
        if (connector === 'salesforce')
          return (await import('./salesforce-setup.command.js')).addSalesforce(options, session);
        return (await load()).addConnection(connector, options, session);
      }),
    );
  connection
    .command('test <name>')
    .description('try its settings out, without changing anything on the other side')
    .addHelpText('after', examples('patchbay connection test salesforce'))
    .action(run(async (session, name: string) => (await load()).testConnection(name, session)));
  connection
    .command('authorize <name>')
    .description('let the hub in with your browser, where the other side asks for consent')
    .option('--port <number>', 'of this machine, where the browser comes back to', '8976')
    .option('--paste', 'the browser is on another machine: you paste the address that it ends at')
    .addHelpText('after', examples('patchbay connection authorize org', 'patchbay connection authorize org --paste'))
    .action(
      run(async (session, name: string, options: AuthorizationOptions) =>
        (await import('./connection-authorization.command.js')).authorizeConnection(name, options, session),
      ),
    );
  connection
    .command('remove <name>')
    .description('remove one that was added to the hub')
    .addHelpText('after', examples('patchbay connection remove org'))
    .action(run(async (session, name: string) => (await load()).removeConnection(name, session)));
}

function addSigners(program: Command, run: Actions['run']): void {
  const load = () => import('./signer.command.js');
  const signer = program
    .command('signer')
    .alias('signers')
    .description('what signs transactions: list, suspend, resume');
  signer
    .command('list', { isDefault: true })
    .description('list them with their addresses, and what keeps one from signing; keys are not shown')
    .addHelpText('after', examples('patchbay signer list'))
    .action(run(async (session) => (await load()).listSigners(session)));
  addSignerSwitch(signer, run);
  const wallet = program
    .command('wallet')
    .alias('wallets')
    .description('phrases that signers come from: list, accounts');
  wallet
    .command('list', { isDefault: true })
    .description('list them')
    .addHelpText('after', examples('patchbay wallet list'))
    .action(run(async (session) => (await load()).listWallets(session)));
  wallet
    .command('accounts <name>')
    .description('addresses of one, with the names to use in flows and requests')
    .option('--from <index>', 'the first one', '0')
    .option('--count <number>', 'how many', '10')
    .addHelpText(
      'after',
      examples('patchbay wallet accounts customers', 'patchbay wallet accounts customers --from 100'),
    )
    .action(
      run(async (session, name: string, options: AccountsOptions) =>
        (await load()).listAccounts(name, options, session),
      ),
    );
}

function addKeys(program: Command, run: Actions['run']): void {
  const load = () => import('./key.command.js');
  const key = program.command('key').alias('keys').description('API keys: create, list, revoke');
  key
    .command('list', { isDefault: true })
    .description('list them')
    .addHelpText('after', examples('patchbay key list'))
    .action(run(async (session) => (await load()).listKeys(session)));
  key
    .command('create <name>')
    .description('make one; its text is printed this once')
    .requiredOption('--scope <scope>', 'what it may do, may be repeated: runs:read, flows:*, admin …', collected)
    .option('--expires <time>', 'a date, or a span such as 30d')
    .option(
      '--limit <name=value>',
      'what it may send to chains, may be repeated: signers, contracts, functions (lists with commas), valuePerTransaction, valuePerDay, feeCap (wei), transactionsPerDay',
      collected,
    )
    .addHelpText(
      'after',
      examples(
        'patchbay key create ci --scope flows:read --scope runs:read --expires 90d',
        'patchbay key create shop --scope chain:send --limit signers=shop --limit valuePerDay=1000000000000000000',
      ),
    )
    .action(
      run(async (session, name: string, options: NewKeyOptions) => (await load()).createKey(name, options, session)),
    );
  key
    .command('revoke <id>')
    .description('it stops working at once')
    .addHelpText('after', examples('patchbay key revoke 3f2c…'))
    .action(run(async (session, id: string) => (await load()).revokeKey(id, session)));
  paged(program.command('audit'))
    .description('who did what, newest first')
    .addHelpText('after', examples('patchbay audit --limit 20'))
    .action(
      run(async (session, filter: { limit?: string; before?: string }) => (await load()).listAudit(filter, session)),
    );
}

function paged(command: Command): Command {
  return command
    .option('--limit <number>', 'how many at the most')
    .option('--before <place>', 'go on from an earlier page');
}
