import type { ChainLog } from './chain-log.js';
import type { LogDecoder } from './log-decoder.js';

/** What a contract emitted, as flows, streams and REST show it. */
export interface ContractEvent {
  name: string;
  /** By name; see `DecodedLog`. */
  args: Record<string, unknown>;
  contract: { name?: string; address: string };
  transaction: { hash: string; index: number };
  /** `timestamp` is RFC 3339. */
  block: { number: number; hash: string; timestamp: string };
  log: { index: number };
  network: string;
  chainId: number;
  /** Why an argument is null. */
  decodeError?: string;
  /** The log as it is on the chain, where an argument could not be shown as it is. */
  raw?: { topics: string[]; data: string };
}

export interface ContractEventOf {
  readonly log: ChainLog;
  readonly decoder: LogDecoder;
  /** As the address book or the gateway calls the contract. */
  readonly contractName: string | undefined;
  readonly network: string;
  readonly chainId: number;
}

/** Undefined when it is the log of another event, which has the same signature and other arguments indexed. */
export function contractEventOf(of: ContractEventOf): ContractEvent | undefined {
  const { log, decoder, contractName, network, chainId } = of;
  if (log.topics.length !== decoder.topicCount) return undefined;
  const { args, decodeError, raw } = decoder.decode(log);
  return {
    name: decoder.event.name ?? '',
    args,
    ...(decodeError === undefined ? {} : { decodeError }),
    contract: contractName === undefined ? { address: log.address } : { name: contractName, address: log.address },
    transaction: { hash: log.transactionHash, index: log.transactionIndex },
    block: {
      number: log.blockNumber,
      hash: log.blockHash,
      timestamp: new Date((log.timestamp ?? 0) * 1_000).toISOString(),
    },
    log: { index: log.logIndex },
    network,
    chainId,
    ...(raw ? { raw: { topics: [...raw.topics], data: raw.data } } : {}),
  };
}
