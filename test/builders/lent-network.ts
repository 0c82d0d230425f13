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
import { PatchbayError, Secret, type ServiceToken, type UseService } from '#sdk';
import { KyselyTransactionStore } from '../../src/transactions/transactions.store.js';
import { DevChain } from '../../src/evm/testing/dev-chain.js';
import { silent } from '../../src/evm/testing/heard-logs.js';
import { localLeases, localSignals } from '../../src/evm/testing/manager-parts.js';
import { openTestStore } from '../environment/postgres.js';
import { aHttpClient } from './action-call.js';

export interface LentNetworkOptions {
  /** Private keys by the names of signers. A name that is none of them means the first. */
  readonly signers: Readonly<Record<string, string>>;
  /** What is lent beside the network, by the names of their tokens. */
  readonly lent?: Readonly<Record<string, unknown>>;
}

/** A chain of its own whose network sends, as the hub lends it to connectors. */
export interface LentNetwork {
  readonly chain: DevChain;
  readonly network: Network;
  readonly ledger: KyselyTransactionStore;
  readonly use: UseService;
  close(): Promise<void>;
}

export async function startLentNetwork({ signers, lent = {} }: LentNetworkOptions): Promise<LentNetwork> {
  const [chain, store] = await Promise.all([DevChain.start(), openTestStore()]);
  const http = aHttpClient();
  const known = await Promise.all(Object.entries(signers).map(([name, key]) => createKeySigner(name, new Secret(key))));
  const signerOf = (wanted: string) =>
    known.find(({ name, address }) => name === wanted || address === wanted.toLowerCase()) ?? known[0];
  const ledger = new KyselyTransactionStore(store.db);
  const services = new Map<string, unknown>([
    ...Object.entries(lent),
    [transactionStore.name, ledger],
    [signerSource.name, { get: (name: string) => Promise.resolve(signerOf(name)) }],
    [transactionSignals.name, localSignals()],
    [senderLeases.name, localLeases()],
    [contractDirectory.name, { find: () => Promise.resolve(undefined), names: () => Promise.resolve([]) }],
    [blockMemory.name, { load: () => Promise.resolve([]), save: () => Promise.resolve() }],
    [networkDirectory.name, { get: () => Promise.resolve(network), byChainId: () => Promise.resolve(network) }],
  ]);
  const use = <T>(token: ServiceToken<T>): T => {
    if (!services.has(token.name)) throw new Error(`${token.name} is not bound`);
    return services.get(token.name) as T;
  };
  const network = localNetwork(chain.url, { http, log: silent, use });
  network.startSending();
  return {
    chain,
    network,
    ledger,
    use,
    async close() {
      await network.close();
      http.agents.http.destroy();
      await chain.stop();
      await store.close();
    },
  };
}

/** The network of a development chain, behind one of its nodes. */
export function localNetwork(rpcUrl: string, context: ConstructorParameters<typeof Network>[1]): Network {
  return new Network(
    {
      name: 'local',
      rpcUrls: [rpcUrl],
      wsUrl: undefined,
      chainId: DevChain.chainId,
      confirmations: 0,
      revertedAfter: undefined,
      addressBook: undefined,
      blockTimeMs: undefined,
    },
    context,
  );
}

/** As the engine does it: what is pending is asked for again. */
export async function untilEnded<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PatchbayError) || error.code !== 'evm.pending') throw error;
    }
  }
}
