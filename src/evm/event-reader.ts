import { createLogIds, type ChainLog } from './chain-log.js';
import { formatPosition } from './checkpoint.js';
import { contractEventOf, type ContractEvent } from './contract-event.js';
import type { LogDecoder } from './log-decoder.js';

export interface EventReaderOptions {
  readonly network: { readonly name: string; readonly chainId: number };
  readonly decoder: LogDecoder;
  /** As the address book or the gateway calls the contract. */
  readonly contractName: string | undefined;
}

export interface ReadEvent {
  /** The same when the log is mined again in another block; see {@link createLogIds}. */
  readonly id: string;
  /** Sorts as text. */
  readonly position: string;
  readonly event: ContractEvent;
  /** As it is on the chain. */
  readonly log: ChainLog;
}

/** Makes events of the logs of one listener, which come in order and in parts that may end within a block. */
export class EventReader {
  #idOf: (log: ChainLog) => string;

  constructor(private readonly options: EventReaderOptions) {
    this.#idOf = createLogIds(options.network.chainId);
  }

  /** Without the logs of other events with the same signature. */
  read(logs: readonly ChainLog[]): ReadEvent[] {
    const { decoder, contractName } = this.options;
    const { name: network, chainId } = this.options.network;
    return logs.flatMap((log) => {
      // Also of those that are left out: the ordinal counts them.
      const id = this.#idOf(log);
      const event = contractEventOf({ log, decoder, contractName, network, chainId });
      return event ? { id, position: formatPosition(log.blockNumber, log.logIndex), event, log } : [];
    });
  }

  /** The same blocks may come again. */
  restart(): void {
    this.#idOf = createLogIds(this.options.network.chainId);
  }
}
