import { Option, type Command } from 'commander';
import { collected, type Actions } from './action.js';
import { examples } from './file-commands.js';
import type { OracleAskOptions } from './oracle-ask.command.js';
import type { OracleDeployOptions } from './oracle-deploy.command.js';
import type { OracleImportOptions } from './oracle-import.command.js';

/** Commands about the hub as an oracle. */
export function addOracleCommands(program: Command, run: Actions['run']): void {
  const oracle = program.command('oracle').description('the hub as an oracle: deploy, ask, import');
  oracle
    .command('deploy')
    .description('put an Operator on a network, let a signer answer for it, declare the connection and a first job')
    .requiredOption('--signer <name>', 'sends the answers')
    .option('--owner <name>', 'signer that deploys and owns the contract (default: the one that answers)')
    .option('--network <name>', 'where (default: the default network)')
    .option('--link <contract>', 'the LINK token: its address, or the name it is registered under (default: link)')
    .option('--new-link', 'deploy a LINK token although this is no development chain')
    .option('--name <name>', 'what the Operator is called from then on', 'operator')
    .option('--connection <name>', 'what the connection is called', 'oracle')
    .option('--job <name>', 'write a flow that answers requests: flows/<name>.yaml')
    .addHelpText(
      'after',
      examples(
        'patchbay oracle deploy --signer treasury --job price',
        'patchbay oracle deploy --network sepolia --owner admin --signer oracle-key --link 0x7798…',
      ),
    )
    .action(
      run(async (session, options: OracleDeployOptions) =>
        (await import('./oracle-deploy.command.js')).deployOracle(options, session),
      ),
    );
  oracle
    .command('ask <connection>')
    .description('ask a job on chain, by way of a contract of its own, and wait for the answer')
    .requiredOption('--job <id>', 'UUID or name of the job')
    .option('--param <key=value>', 'of the request; may be repeated', collected)
    .option('--payment <juels>', 'paid from the LINK of the signer', '0')
    .option('--from <signer>', 'who asks (default: the signer of the connection)')
    .addHelpText(
      'after',
      examples(
        'patchbay oracle ask oracle --job 0eec7e1d-… --param get=https://… --param path=data,price --param times=100',
      ),
    )
    .action(
      run(async (session, connection: string, options: OracleAskOptions) =>
        (await import('./oracle-ask.command.js')).askOracle(connection, options, session),
      ),
    );
  oracle
    .command('import <job.toml>')
    .description('make a flow of the job spec of a Chainlink node')
    .option('--out <file>', 'write it there, e.g. flows/price.yaml (default: to standard output)')
    .option('--name <flow>', 'what the flow is called (default: like the file or the job)')
    .option('--connection <name>', 'the oracle connection (default: the default one)')
    .option('--job <id>', 'job id that consumers name, when the spec has no externalJobID')
    .option('--as-flow', 'ordinary steps instead of the spec as it is, where they can say the same')
    .addOption(
      new Option('--chain-urls <where>', 'where addresses that come with a request may lead').choices([
        'public',
        'allowed',
      ]),
    )
    .addHelpText(
      'after',
      examples(
        'patchbay oracle import job.toml --chain-urls public',
        'patchbay oracle import job.toml --out flows/price.yaml --connection oracle',
      ),
    )
    .action(
      run(async (session, file: string, options: OracleImportOptions) =>
        (await import('./oracle-import.command.js')).importJobSpec(file, options, session),
      ),
    );
}
