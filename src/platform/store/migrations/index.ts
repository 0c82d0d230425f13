import type { Migration } from 'kysely';
import * as ledger from './001-ledger.js';
import * as chain from './002-chain.js';
import * as transactionLayer from './003-transaction-layer.js';
import * as connectors from './004-connectors.js';
import * as sync from './005-sync.js';
import * as oracle from './006-oracle.js';
import * as connectionCare from './006-connection-care.js';
import * as oracleKept from './007-oracle-kept.js';
import * as roomForChanges from './008-room-for-changes.js';
import * as wantedSources from './009-wanted-sources.js';

/** In order of their names; only ever added to. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-ledger': ledger,
  '002-chain': chain,
  '003-transaction-layer': transactionLayer,
  '004-connectors': connectors,
  '005-sync': sync,
  '006-connection-care': connectionCare,
  '006-oracle': oracle,
  '007-oracle-kept': oracleKept,
  '008-room-for-changes': roomForChanges,
  '009-wanted-sources': wantedSources,
};
