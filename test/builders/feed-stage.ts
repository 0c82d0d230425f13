import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import {
  Network,
  blockMemory,
  contractDirectory,
  createKeySigner,
  networkDirectory,
  senderLeases,
  signerSource,
  transactionSignals,
  transactionStore,
} from '#evm';
import type { Store } from '#platform';
import {
  PatchbayError,
  Secret,
  type ActionDefinition,
  type HttpClient,
  type ObjectSchema,
  type ServiceToken,
  type UseService,
  type z,
} from '#sdk';
import { KyselyTransactionStore } from '#transactions';
import { DevChain } from '../../src/evm/testing/dev-chain.js';
import { silent } from '../../src/evm/testing/heard-logs.js';
import { localLeases, localSignals } from '../../src/evm/testing/manager-parts.js';
import { openTestStore } from '../environment/postgres.js';
import { type oracle } from '../../connectors/oracle/connection.js';
import type { OracleClient } from '../../connectors/oracle/oracle.client.js';

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
  const [chain, store]: [DevChain, Store] = await Promise.all([DevChain.start(), openTestStore()]);
  const http: HttpClient = {
    request: () => Promise.reject(new Error('not used')),
    agents: { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) },
    assertAllowed: () => Promise.resolve(),
  };
  const [one, two] = await Promise.all([
    createKeySigner('one', new Secret(keys.one)),
    createKeySigner('two', new Secret(keys.two)),
  ]);
  const lent = new Map<string, unknown>([
    [transactionStore.name, new KyselyTransactionStore(store.db)],
    [signerSource.name, { get: (name: string) => Promise.resolve([one, two].find(isCalled(name)) ?? one) }],
    [transactionSignals.name, localSignals()],
    [senderLeases.name, localLeases()],
    [contractDirectory.name, { find: () => Promise.resolve(undefined), names: () => Promise.resolve([]) }],
    [blockMemory.name, { load: () => Promise.resolve([]), save: () => Promise.resolve() }],
    [networkDirectory.name, { get: () => Promise.resolve(network), byChainId: () => Promise.resolve(network) }],
  ]);
  const use = <T>(token: ServiceToken<T>): T => {
    if (!lent.has(token.name)) throw new Error(`${token.name} is not bound`);
    return lent.get(token.name) as T;
  };
  const network = new Network(
    {
      name: 'local',
      rpcUrls: [chain.url],
      wsUrl: undefined,
      chainId: DevChain.chainId,
      confirmations: 0,
      revertedAfter: undefined,
      addressBook: undefined,
      blockTimeMs: undefined,
    },
    { http, log: silent, use },
  );
  network.startSending();
  let steps = 0;
  return {
    chain,
    network,
    use,
    signers: { one: one.address, two: two.address },
    async run(action, given, step) {
      steps += 1;
      const context = {
        input: action.input.parse(given),
        client: undefined as unknown as OracleClient,
        idempotencyKey: step ?? `step-${String(steps)}`,
        attempt: 1,
        signal: new AbortController().signal,
        http,
        log: silent,
        use,
        flow: 'feeds',
        run: 'run',
        step: 'step',
      };
      for (;;) {
        try {
          return action.output.parse(await action.run(context));
        } catch (error) {
          if (!(error instanceof PatchbayError) || error.code !== 'evm.pending') throw error;
        }
      }
    },
    async close() {
      await network.close();
      http.agents.http.destroy();
      await chain.stop();
      await store.close();
    },
  };
}

function isCalled(name: string): (signer: { readonly name: string; readonly address: string }) => boolean {
  return (signer) => signer.name === name || signer.address === name.toLowerCase();
}
