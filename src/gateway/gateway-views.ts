import { constructorOf, signatureOf } from '#evm';
import type { KnownContract } from './contracts.service.js';
import type { InterfaceSummary, StoredInterface } from './interfaces.store.js';
import { fragmentsOf } from './natspec.js';
import type { SentTransaction } from './sent-transaction.js';

export type Json = Readonly<Record<string, unknown>>;

export function summaryView(summary: InterfaceSummary): Json {
  const { id: _, isDeployable, ...rest } = summary;
  return { ...rest, deployable: isDeployable, links: interfaceLinks(summary.name, summary.version, isDeployable) };
}

export function interfaceView(known: StoredInterface): Json {
  const { name, version, contract, abi, compiler, createdBy, createdAt } = known;
  const isDeployable = known.bytecode !== undefined;
  return {
    name,
    version,
    contract,
    deployable: isDeployable,
    functions: fragmentsOf(abi, 'function').map(signatureOf),
    events: fragmentsOf(abi, 'event').map(signatureOf),
    constructorInputs: (constructorOf(abi).inputs ?? []).map(({ type, name: input }) =>
      `${type} ${input ?? ''}`.trim(),
    ),
    libraries: Object.keys(known.links),
    compiler,
    createdBy,
    createdAt,
    links: interfaceLinks(name, version, isDeployable),
  };
}

export function contractView(contract: KnownContract): Json {
  const reference = contract.name ?? contract.address;
  const self = `/api/contracts/${reference}`;
  const query = `?network=${encodeURIComponent(contract.network)}`;
  return {
    ...contract,
    links: {
      self: `${self}${query}`,
      openapi: `${self}/openapi.json${query}`,
      docs: `/docs/contracts/${reference}${query}`,
      ...(contract.interface !== undefined && {
        interface: `/api/interfaces/${contract.interface}?version=${String(contract.version)}`,
      }),
      ...(contract.transactionId !== undefined && { transaction: `/api/transactions/${contract.transactionId}` }),
    },
  };
}

export function sentView({ record, network, events }: SentTransaction): Json {
  const { id, status, chainId, from, to, nonce, place } = record;
  return {
    id,
    status,
    network: network.name,
    chainId,
    from,
    to,
    nonce,
    hash: place?.hash ?? record.attempts.at(-1)?.hash,
    ...(place && { blockNumber: place.blockNumber, blockHash: place.blockHash, gasUsed: place.gasUsed }),
    events,
    links: { transaction: `/api/transactions/${id}` },
  };
}

function interfaceLinks(name: string, version: number, isDeployable: boolean): Record<string, string> {
  const self = `/api/interfaces/${name}`;
  const query = `?version=${version}`;
  return {
    self: `${self}${query}`,
    abi: `${self}/abi${query}`,
    openapi: `${self}/openapi.json${query}`,
    docs: `/docs/interfaces/${name}${query}`,
    ...(isDeployable && { deploy: `${self}/deploy` }),
  };
}
