import type { Command } from 'commander';
import type { Actions } from './action.js';
import { examples } from './file-commands.js';
import type { OracleDeployOptions } from './oracle-deploy.command.js';

/** Commands about the hub as an oracle. */
export function addOracleCommands(program: Command, run: Actions['run']): void {
  const oracle = program.command('oracle').description('the hub as an oracle: deploy');
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
}
