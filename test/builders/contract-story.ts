import { devAccounts } from '../../src/evm/testing/dev-chain.js';

/** Arguments in order, as viem and ethers take them; or with what the call carries. */
export type Case = readonly unknown[] | { readonly args: readonly unknown[]; readonly value: bigint };

/** Addresses of the contracts of the project, by the name under which they are deployed. */
export type Places = Readonly<Record<string, string>>;

export interface Telling {
  readonly at: Places;
  /** In a transaction, until it is confirmed. */
  send(signature: string, args: readonly unknown[], value?: bigint): Promise<void>;
  /** Money without any call. */
  give(value: bigint): Promise<void>;
  mine(blocks: number): Promise<void>;
}

/** What happens to a contract, and what it is asked afterwards. */
export interface ContractStory {
  readonly name: string;
  readonly contract: string;
  /** Where it lies in the project. */
  readonly source: string;
  deployedWith(at: Places): readonly unknown[];
  /** What is really sent. */
  tell(telling: Telling): Promise<void>;
  /** For every function by its signature: calls that work, and calls that it must refuse. */
  cases(at: Places): Promise<Readonly<Record<string, readonly Case[]>>>;
  /** Functions of which no case works, because of what the contract is. */
  readonly alwaysRefuses: readonly string[];
}

/** Who takes part, beside the one who sends. */
export const people = {
  treasury: devAccounts[0].address,
  other: devAccounts[1].address,
  third: `0x${'3c'.repeat(20)}`,
  nobody: `0x${'00'.repeat(20)}`,
} as const;

/** Of a function that takes nothing. */
export const asIs: readonly Case[] = [[]];
