import { transactionFeed } from '#evm';
import type { NetworksService } from '#networks';
import type { UseService } from '#sdk';
import { ContractSource } from './contract-source.js';
import type { StreamDefinition } from './stream.schema.js';
import type { StreamSource } from './stream-source.js';
import { TransactionSource } from './transaction-source.js';

export interface StreamSourceDeps {
  readonly networks: NetworksService;
  readonly use: UseService;
}

/** Where a stream reads. @throws connection.notFound, and what opening the network throws */
export async function openStreamSource(definition: StreamDefinition, deps: StreamSourceDeps): Promise<StreamSource> {
  const { source, network } = definition;
  if (source === 'events') return new ContractSource(await deps.networks.get(network), definition);
  const only = network === undefined ? undefined : await deps.networks.get(network);
  return new TransactionSource(deps.use(transactionFeed), definition, only);
}
