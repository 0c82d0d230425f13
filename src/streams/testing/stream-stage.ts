import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Network,
  blockMemory,
  contractDirectory,
  interfaceDirectory,
  transactionFeed,
  type BlockMemory,
  type TransactionChange,
} from '#evm';
import {
  Signals,
  createHttpClient,
  createLeases,
  createLog,
  createMetrics,
  createVault,
  joinInstances,
  parseEgress,
  type Store,
} from '#platform';
import { PatchbayError, type Feed, type ServiceToken } from '#sdk';
import { DevChain } from '../../evm/testing/dev-chain.js';
import { CircuitBreakers } from '../circuit-breaker.js';
import { ContractSource } from '../contract-source.js';
import { PositionsStore } from '../positions.store.js';
import { StreamPumps } from '../stream-pumps.js';
import type { StreamDefinition } from '../stream.schema.js';
import { StreamsService } from '../streams.service.js';
import { StreamsStore } from '../streams.store.js';
import { createWebhookTarget } from '../targets/webhook.target.js';
import { TransactionSource } from '../transaction-source.js';

const log = createLog({ level: 'silent', format: 'json' });
const vault = createVault(Buffer.alloc(32, 7));
export const otherToken = '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512';

/** One process that serves streams, over a real database and a real chain. */
export interface StreamProcess {
  readonly service: StreamsService;
  readonly pumps: StreamPumps;
  readonly store: StreamsStore;
  readonly network: Network;
  readonly metrics: ReturnType<typeof createMetrics>;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly store: Store;
  readonly chain: DevChain;
  readonly feed?: Feed<TransactionChange>;
  readonly revertedAfter?: number;
}

export async function startStreamProcess({ store: database, chain, ...rest }: StageOptions): Promise<StreamProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'streams-'));
  const book = join(folder, 'book.yaml');
  const contracts = Object.entries({ token: chain.token, other: otherToken });
  await writeFile(
    book,
    `contracts:\n${contracts.map(([name, address]) => `  ${name}: { address: '${address}', abi: DemoToken }\n`).join('')}`,
  );
  const http = createHttpClient({ egress: parseEgress(['127.0.0.1']), log });
  const memory: BlockMemory = { load: () => Promise.resolve([]), save: () => Promise.resolve() };
  const services = new Map<unknown, unknown>([
    [blockMemory, memory],
    [contractDirectory, { find: () => Promise.resolve(undefined), names: () => Promise.resolve([]) }],
    [interfaceDirectory, { find: () => Promise.resolve(undefined) }],
    [transactionFeed, rest.feed],
  ]);
  const use = <T>(token: ServiceToken<T>): T => services.get(token) as T;
  const network = new Network(
    {
      name: 'local',
      rpcUrls: [chain.url],
      wsUrl: undefined,
      chainId: DevChain.chainId,
      confirmations: undefined,
      revertedAfter: rest.revertedAfter,
      addressBook: book,
      blockTimeMs: undefined,
    },
    { http, log, use },
  );
  const instance = await joinInstances(database, { name: 'hub', roles: ['listener'], log });
  const leases = createLeases(database, instance, log);
  const signals = new Signals({ connection: database.connection, pool: database.pool, name: instance.id, log });
  await signals.start();
  const store = new StreamsStore(database.db, vault);
  const metrics = createMetrics();
  const openSource = (definition: StreamDefinition) =>
    Promise.resolve(
      definition.source === 'events'
        ? new ContractSource(network, definition)
        : new TransactionSource(use(transactionFeed), definition, undefined),
    );
  const createTarget = (definition: StreamDefinition) => {
    const { target } = definition;
    if (target.type === 'webhook') return createWebhookTarget(target, { http, shape: definition });
    throw new PatchbayError('request.conflict');
  };
  const service = new StreamsService({ store, signals, openSource, createTarget });
  const pumps = new StreamPumps({
    store,
    positions: new PositionsStore(database.pool),
    leases,
    breakers: new CircuitBreakers({ failures: 10, openMs: 200, longestOpenMs: 1_000 }),
    signals,
    openSource,
    createTarget,
    metrics,
    log,
    onEnded: async (stream, reason) => void (await service.suspendUnchanged(stream, reason)),
  });
  pumps.start({ callsTargets: true });
  return {
    service,
    pumps,
    store,
    network,
    metrics,
    stop: async () => {
      await pumps.stop();
      await network.close();
      await leases.close();
      await signals.close();
      await instance.leave();
      await rm(folder, { recursive: true });
    },
  };
}
