import { defineService } from '#sdk';
import type { Abi } from './abi.js';
import type { Contract } from './address-book.js';

/** Contracts that were deployed or registered through the hub, beside those of the address book's file. */
export interface ContractDirectory {
  /** By name, or by address in lower case; undefined when it is not registered on that network. */
  find(network: string, nameOrAddress: string): Promise<Contract | undefined>;
  names(network: string): Promise<readonly string[]>;
}

export const contractDirectory = defineService<ContractDirectory>('evm.contractDirectory');

/** What can be deployed: an interface that the hub keeps, in one version. */
export interface Interface {
  readonly name: string;
  readonly version: number;
  readonly abi: Abi;
  /** Undefined: it can be talked to, but not deployed. */
  readonly bytecode: string | undefined;
}

/** As what a contract is known as soon as the transaction that deploys it is accepted. */
export interface NewDeployment {
  readonly network: string;
  /** Unique on its network. */
  readonly name: string | undefined;
  /** The hub's own id of the interface in its version. */
  readonly interfaceId: string;
  /** For the audit, e.g. the name of a key. */
  readonly createdBy: string;
}

/** The interfaces that were handed to the hub, and the contracts that are deployed from them. */
export interface InterfaceDirectory {
  /** The newest version unless one is named. */
  find(name: string, version?: number): Promise<Interface | undefined>;
  /**
   * Makes a deployed contract known under its address and, if it is given one, a name. Registering the same again changes
   * nothing.
   *
   * @throws request.conflict when the name belongs to another contract of that network
   */
  register(contract: {
    readonly network: string;
    /** Lower case. */
    readonly address: string;
    readonly name?: string;
    readonly interface: { readonly name: string; readonly version: number };
    /** Id of the transaction that deployed it. */
    readonly transaction?: string;
    /** For the audit, e.g. `flow:payments`. */
    readonly by: string;
  }): Promise<void>;
}

export const interfaceDirectory = defineService<InterfaceDirectory>('evm.interfaceDirectory');
