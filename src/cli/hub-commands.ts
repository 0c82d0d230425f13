import type { Command } from 'commander';
import type { Actions } from './action.js';
import type { BreakOptions } from './demo.command.js';
import { examples } from './file-commands.js';
import type { ReplayOptions } from './replay.command.js';

/** Commands about a hub as a whole, and questions to it. */
export function addHubCommands(program: Command, { run, io }: Actions): void {
  program.commandsGroup('Hub:');
  program
    .command('start')
    .description('start a hub in this process')
    .option('--sandbox', 'with stand-ins for Salesforce, IFTTT and Zapier, and a development chain', false)
    .addHelpText('after', examples('patchbay start --sandbox', 'DATABASE_URL=postgres://… patchbay start'))
    .action(
      run(async (_session, options: { sandbox: boolean }) => {
        const { startCommand } = await import('./start.command.js');
        return startCommand(options, io);
      }),
    );
  program
    .command('doctor')
    .description('examine the hub: key, readiness, flows, triggers, connections, dead letters')
    .addHelpText('after', examples('patchbay doctor', 'patchbay doctor --json --hub https://hub.example.com'))
    .action(run(async (session) => (await import('./doctor.command.js')).doctorCommand(session)));
  program
    .command('replay <flow>')
    .description(
      'start runs from the past: stored events, or blocks that are read again; without --real nothing is started',
    )
    .option('--from-block <number>', 'first block to read')
    .option('--to-block <number>', 'last block to read; default: the newest final one')
    .option('--since <time>', 'stored events from then on: a date, a time, or an age such as 2h')
    .option('--until <time>', 'stored events up to then')
    .option('--store-only', 'with blocks: keep the events and start no runs')
    .option('--real', 'do it')
    .addHelpText(
      'after',
      examples(
        'patchbay replay large-transfer --since 2h',
        'patchbay replay large-transfer --from-block 100 --to-block 5000 --real',
      ),
    )
    .action(
      run(async (session, flow: string, options: ReplayOptions) =>
        (await import('./replay.command.js')).replayCommand(flow, options, session),
      ),
    );
  const backfill = program.command('backfill').description('blocks that are being read again');
  backfill
    .command('watch <id>')
    .description('show how far it is, until it ends')
    .action(run(async (session, id: string) => (await import('./replay.command.js')).watchBackfill(id, session)));
  backfill
    .command('cancel <id>')
    .description('stop reading; what was read stays')
    .action(run(async (session, id: string) => (await import('./replay.command.js')).cancelBackfill(id, session)));
  addDemo(program, run);

  program.commandsGroup('Questions:');
  program
    .command('explain <id>')
    .description('tell where an event went, or what a run waits for')
    .addHelpText('after', examples('patchbay explain 0b0e…', 'patchbay explain 0b0e… --json'))
    .action(run(async (session, id: string) => (await import('./explain.command.js')).explainCommand(id, session)));
  program
    .command('errors [code]')
    .description('what an error code means')
    .addHelpText('after', examples('patchbay errors http.throttled', 'patchbay errors'))
    .action(run(async (session, code?: string) => (await import('./errors.command.js')).errorsCommand(code, session)));
}

function addDemo(program: Command, run: Actions['run']): void {
  const demo = program.command('demo').description('make something happen in the sandbox');
  const load = () => import('./demo.command.js');
  demo
    .command('transfer [amount]')
    .description('transfer USDC on the development chain (default 25000)')
    .option('--to <wallet>', 'who gets it')
    .addHelpText('after', examples('patchbay demo transfer', 'patchbay demo transfer 12.5'))
    .action(
      run(async (session, amount: string | undefined, { to }: { to?: string }) =>
        (await load()).demoTransfer(amount ?? '25000', to, session),
      ),
    );
  demo
    .command('request [pair]')
    .description('let a contract ask the hub, its oracle, for a price, and wait for the answer (default ETH-USD)')
    .addHelpText('after', examples('patchbay demo request', 'patchbay demo request BTC-USD'))
    .action(run(async (session, pair?: string) => (await load()).demoRequest(pair ?? 'ETH-USD', session)));
  demo
    .command('win')
    .description('win an opportunity in the Salesforce stand-in')
    .action(run(async (session) => (await load()).demoWin(session)));
  demo
    .command('reorg [depth]')
    .description('replace the last blocks of the development chain (default 3)')
    .action(run(async (session, depth?: string) => (await load()).demoReorg(depth ?? '3', session)));
  demo
    .command('break [what]')
    .description('let ifttt, zapier, http, salesforce, signer or prices misbehave (default: ifttt answers 503)')
    .option('--status <code>', 'answer with this status')
    .option('--delay <ms>', 'take this long')
    .option('--lost', 'do what is asked, then cut the connection')
    .option('--times <number>', 'so many times only')
    .option('--every <number>', 'only every so many requests')
    .addHelpText('after', examples('patchbay demo break zapier --times 3', 'patchbay demo break salesforce --lost'))
    .action(
      run(async (session, what: string | undefined, options: BreakOptions) =>
        (await load()).demoBreak(what ?? 'ifttt', options, session),
      ),
    );
  demo
    .command('mend [what]')
    .description('let it work again')
    .action(run(async (session, what?: string) => (await load()).demoMend(what, session)));
}
