import { defineService } from '#sdk';
import type { Contract } from './address-book.js';

/** Contracts that were deployed or registered through the hub, beside those of the address book's file. */
export interface ContractDirectory {
  /** By name, or by address in lower case; undefined when it is not registered on that network. */
  find(network: string, nameOrAddress: string): Promise<Contract | undefined>;
  names(network: string): Promise<readonly string[]>;
}

export const contractDirectory = defineService<ContractDirectory>('evm.contractDirectory');
