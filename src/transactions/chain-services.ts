import type { Kysely } from 'kysely';
import type { ConfigurationFile } from '#connections';
import {
  blockMemory,
  senderLeases,
  signerNames,
  signerSource,
  transactionFeed,
  transactionSignals,
  transactionStore,
} from '#evm';
import type { Database, Leases, Signals } from '#platform';
import type { HttpClient, Logger, ServiceToken, UseService } from '#sdk';
import { KyselyBlockMemory } from './block-memory.store.js';
import { parseDeclaredLimits } from './declared-limits.js';
import { checkLimits, type LimitsParts } from './limits.js';
import { SignerSuspensions } from './signer-suspensions.js';
import { SignersService } from './signers.service.js';
import { KyselyTransactionFeed } from './transaction-feed.store.js';
import { SignalsOfTransactions } from './transaction-signals.js';
import { TransactionsLive } from './transactions-live.js';
import { TransactionsQueries } from './transactions.queries.js';
import { KyselyTransactionStore } from './transactions.store.js';

export interface ChainServices {
  /** Lends connections of a chain what they keep in the store and sign with. */
  readonly use: UseService;
  /** Adds what another room keeps for them. */
  lend<T>(token: ServiceToken<T>, service: T): void;
  readonly signers: SignersService;
  readonly suspensions: SignerSuspensions;
  readonly transactions: TransactionsQueries;
  readonly live: TransactionsLive;
}

/** @throws config.invalid when the limits in the file are not valid */
export function chainServices(parts: {
  readonly db: Kysely<Database>;
  readonly declared: ConfigurationFile;
  /** To signers that are elsewhere. */
  readonly http: HttpClient;
  readonly signals: Signals;
  readonly leases: Leases;
  readonly log: Logger;
  readonly networkName: (chainId: number) => string | undefined;
  readonly addressOf: LimitsParts['addressOf'];
}): ChainServices {
  const { db, declared, http, leases, log, networkName, addressOf } = parts;
  const signers = new SignersService({ declared, http });
  const limits = { ...parseDeclaredLimits(declared), addressOf };
  const signals = new SignalsOfTransactions(parts.signals);
  const feed = new KyselyTransactionFeed(db, signals.onChange, networkName);
  const services = new Map<string, unknown>([
    [blockMemory.name, new KyselyBlockMemory(db)],
    [signerSource.name, signers],
    [signerNames.name, signers],
    [transactionStore.name, new KyselyTransactionStore(db, (trx, drafts) => checkLimits(trx, drafts, limits))],
    [transactionFeed.name, feed],
    [transactionSignals.name, signals],
    [senderLeases.name, leases],
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
    suspensions: new SignerSuspensions(db, signers),
    transactions: new TransactionsQueries(db, networkName),
    live: new TransactionsLive(feed, log),
  };
}
