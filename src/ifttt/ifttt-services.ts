import type { Kysely } from 'kysely';
import type { ConnectionsService } from '#connections';
import { transactionFeed } from '#evm';
import type { FlowsService } from '#flows';
import type { ContractsService } from '#gateway';
import type { NetworksService } from '#networks';
import type { ApiKeys, Database, Leases } from '#platform';
import type { RunsQueries } from '#runs';
import type { HttpClient, Logger, UseService } from '#sdk';
import type { TransactionsQueries } from '#transactions';
import type { HookReceiver, SourcesService } from '#triggers';
import { ActionRequests } from './action-requests.js';
import { ActionRuns } from './action-runs.js';
import { ChainChoices } from './built-in/chain-choices.js';
import { contractEvent } from './built-in/contract-event.js';
import { tokenTransfer } from './built-in/token-transfer.js';
import { transactionStatus } from './built-in/transaction-status.js';
import { ConnectWebhooks } from './connect-webhooks.js';
import { Declarations } from './declarations.js';
import { IdentitiesStore } from './identities.store.js';
import { IftttService } from './ifttt.service.js';
import { ItemsStore } from './items.store.js';
import { OauthService } from './oauth/oauth.service.js';
import { TokensStore } from './oauth/tokens.store.js';
import { StoredPublishedItems } from './published-items.js';
import { createQueries } from './queries.js';
import { RealtimeService } from './realtime.service.js';
import { ServiceAccount } from './service-account.js';
import { SetUpSheet } from './sheet.js';
import { TriggerPolls } from './trigger-polls.js';
import { WatchesService } from './watches.service.js';

export interface IftttServices {
  /** What the routes need. */
  readonly provided: readonly object[];
  /** For {@link iftttItems}: what steps publish. */
  readonly published: StoredPublishedItems;
  readonly watches: WatchesService;
  readonly realtime: RealtimeService;
}

/** Puts the service of IFTTT together; `watches` and `realtime` are started where triggers are heard. */
export function iftttServices(parts: {
  readonly db: Kysely<Database>;
  readonly connections: ConnectionsService;
  readonly flows: FlowsService;
  readonly sources: SourcesService;
  readonly receiver: HookReceiver;
  readonly networks: NetworksService;
  readonly contracts: ContractsService;
  readonly runs: RunsQueries;
  readonly transactions: TransactionsQueries;
  readonly keys: ApiKeys;
  readonly leases: Leases;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly use: UseService;
  readonly publicUrl: string;
}): IftttServices {
  const { db, connections, flows, sources, receiver, networks, contracts, runs, transactions } = parts;
  const { keys, leases, http, log, use, publicUrl } = parts;
  const account = new ServiceAccount(connections);
  const items = new ItemsStore(db);
  const identities = new IdentitiesStore(db);
  const tokens = new TokensStore(db);
  const requests = new ActionRequests(db);
  const webhooks = new ConnectWebhooks(db);
  const choices = new ChainChoices({ networks, contracts });
  const networkName = (chainId: number): string | undefined => networks.findName(chainId);
  const builtIn = new Map(
    [
      contractEvent(choices),
      tokenTransfer(choices),
      transactionStatus({ choices, feed: use(transactionFeed), networkName }),
    ].map((trigger) => [trigger.offer.slug, trigger]),
  );
  const declarations = new Declarations(flows, sources, new Set(builtIn.keys()));
  const queries = createQueries({ flows, runs, transactions });
  const oauth = new OauthService({ account, tokens, keys, log });
  const polls = new TriggerPolls({ declarations, builtIn, items, identities });
  const actions = new ActionRuns({ declarations, sources, receiver, requests });
  const forgetful = [items, identities, requests, webhooks, tokens];
  return {
    provided: [
      account,
      new IftttService({ account, declarations, builtIn, polls, actions, queries, webhooks, oauth, log }),
      oauth,
      new SetUpSheet({ account, declarations, builtIn, queries, items, publicUrl }),
      identities,
      webhooks,
    ],
    published: new StoredPublishedItems(items),
    watches: new WatchesService({
      builtIn,
      identities,
      items,
      trim: async () => {
        for (const store of forgetful) await store.trim();
      },
      leases,
      log,
    }),
    realtime: new RealtimeService({ account, identities, http, leases, log }),
  };
}
