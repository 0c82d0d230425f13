import { signerSource, type Network } from '#evm';
import type { ActionDefinition, ObjectSchema, UseService, z } from '#sdk';
import type { oracle } from '../../connectors/oracle/connection.js';
import type { OracleClient } from '../../connectors/oracle/oracle.client.js';
import type { DevChain } from '../../src/evm/testing/dev-chain.js';
import { callAction } from './action-call.js';
import { startLentNetwork, untilEnded } from './lent-network.js';

/** Keys of the accounts after those that specs use elsewhere. */
const keys = {
  one: '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  two: '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
} as const;

export interface FeedStage {
  readonly chain: DevChain;
  readonly network: Network;
  readonly use: UseService;
  /** Lower-case addresses of the signers `one` and `two`. */
  readonly signers: { readonly one: string; readonly two: string };
  /** Calls an action without a connection, again and again while it is pending. */
  run<Input extends ObjectSchema, Output extends z.ZodType>(
    action: ActionDefinition<Input, Output, typeof oracle.settings, OracleClient>,
    given: Readonly<Record<string, unknown>>,
    step?: string,
  ): Promise<z.output<Output>>;
  close(): Promise<void>;
}

/** A chain, its network with two signers, and what the hub lends to actions. */
export async function startFeedStage(): Promise<FeedStage> {
  const { chain, network, use, close } = await startLentNetwork({ signers: keys });
  const source = use(signerSource);
  const [one, two] = await Promise.all([source.get('one'), source.get('two')]);
  let steps = 0;
  return {
    chain,
    network,
    use,
    close,
    signers: { one: one.address, two: two.address },
    async run(action, given, step) {
      steps += 1;
      const idempotencyKey = step ?? `step-${String(steps)}`;
      return await untilEnded(() => callAction(action, { with: given, idempotencyKey, use }));
    },
  };
}
