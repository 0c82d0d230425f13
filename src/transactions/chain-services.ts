import type { Kysely } from 'kysely';
import type { DeclaredSigners } from '#connections';
import { blockMemory, signerSource, transactionStore } from '#evm';
import type { Database } from '#platform';
import type { HttpClient, ServiceToken, UseService } from '#sdk';
import { KyselyBlockMemory } from './block-memory.store.js';
import { SignersService } from './signers.service.js';
import { TransactionsQueries } from './transactions.queries.js';
import { KyselyTransactionStore } from './transactions.store.js';

export interface ChainServices {
  /** Lends connections of a chain what they keep in the store and sign with. */
  readonly use: UseService;
  /** Adds what another room keeps for them. */
  lend<T>(token: ServiceToken<T>, service: T): void;
  readonly signers: SignersService;
  readonly transactions: TransactionsQueries;
}

export function chainServices(parts: {
  readonly db: Kysely<Database>;
  readonly declared: DeclaredSigners;
  /** To signers that are elsewhere. */
  readonly http: HttpClient;
}): ChainServices {
  const signers = new SignersService({ declared: parts.declared, http: parts.http });
  const services = new Map<string, unknown>([
    [blockMemory.name, new KyselyBlockMemory(parts.db)],
    [signerSource.name, signers],
    [transactionStore.name, new KyselyTransactionStore(parts.db)],
  ]);
  return {
    use: <T>(token: ServiceToken<T>): T => {
      const service = services.get(token.name);
      if (service === undefined) throw new Error(`This hub has no service called ${token.name}.`);
      // The map above gives each token's name what the token's type says.
      return service as T;
    },
    lend: (token, service) => void services.set(token.name, service),
    signers,
    transactions: new TransactionsQueries(parts.db),
  };
}
