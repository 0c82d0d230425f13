import type { Contract, ContractDirectory } from '#evm';
import type { Signals } from '#platform';
import { PatchbayError } from '#sdk';
import type { ContractsStore } from './contracts.store.js';
import type { InterfacesService } from './interfaces.service.js';

const topic = 'contracts';
/** For how long a change in another process may be overlooked when its signal gets lost. */
const keepMs = 2_000;
const mostKept = 5_000;

interface Kept {
  readonly contract: Promise<Contract | undefined>;
  readonly until: number;
}

/** The contracts of the store, kept at hand: calls and flows ask for them all the time. */
export class RegisteredContracts implements ContractDirectory {
  readonly #kept = new Map<string, Kept>();
  readonly #stop: () => void;

  constructor(
    private readonly parts: {
      readonly store: ContractsStore;
      readonly interfaces: InterfacesService;
      readonly signals: Signals;
    },
  ) {
    this.#stop = parts.signals.on(topic, () => this.#kept.clear());
    parts.signals.setInterest(topic, true);
  }

  /** @throws request.conflict while it is being deployed: a call would reach nothing */
  find(network: string, nameOrAddress: string): Promise<Contract | undefined> {
    const key = `${network} ${nameOrAddress}`;
    const known = this.#kept.get(key);
    if (known !== undefined && known.until > Date.now()) return known.contract;
    const contract = this.#load(network, nameOrAddress);
    if (this.#kept.size >= mostKept) this.#kept.clear();
    const kept = { contract, until: Date.now() + keepMs };
    this.#kept.set(key, kept);
    // Nothing is kept of what is not there, or not yet.
    const forget = (): void => {
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    };
    contract.then((found) => found ?? forget(), forget);
    return contract;
  }

  names(network: string): Promise<readonly string[]> {
    return this.parts.store.names(network);
  }

  /** Something was changed: forgets it here and in the other processes. */
  forget(): void {
    this.#kept.clear();
    this.parts.signals.publish(topic, null);
  }

  close(): void {
    this.#stop();
    this.parts.signals.setInterest(topic, false);
  }

  async #load(network: string, nameOrAddress: string): Promise<Contract | undefined> {
    const row = await this.parts.store.find(network, nameOrAddress);
    if (row === undefined || row.state === 'failed') return undefined;
    if (row.state === 'deploying') {
      throw new PatchbayError('request.conflict', {
        detail: `The contract ${nameOrAddress} is still being deployed on ${network}`,
        fix: `Wait until its transaction is mined: /api/transactions/${row.transactionId ?? ''}`,
      });
    }
    const { abi } = await this.parts.interfaces.byId(row.interfaceId);
    return { name: row.name, address: row.address, abi, decimals: undefined };
  }
}
