import type { Kysely } from 'kysely';
import type { GatewayServices } from '#gateway';
import type { NetworksService } from '#networks';
import type { AuditLog, Database, Vault } from '#platform';
import type { Logger } from '#sdk';
import type { StreamsService } from '#streams';
import type { TransactionsQueries } from '#transactions';
import { OldAbis } from './abis.js';
import { CompatSettings } from './compat-settings.js';
import { OldStreams } from './event-streams.js';
import { OldStreamsStore } from './event-streams.store.js';
import { Messages } from './messages.js';
import { OldCalls } from './old-calls.js';
import { Replies } from './replies.js';
import { OldSubscriptions } from './subscriptions.js';

export interface CompatParts {
  readonly db: Kysely<Database>;
  readonly vault: Vault;
  readonly gateway: Pick<GatewayServices, 'interfaces' | 'uploads' | 'contracts' | 'calls' | 'deployments'>;
  readonly networks: NetworksService;
  readonly transactions: TransactionsQueries;
  readonly streams: StreamsService;
  readonly audit: AuditLog;
  readonly publicUrl: string;
  readonly log: Logger;
}

/** What the controllers of this room call: translators in front of the services of the hub. */
export function compatServices(parts: CompatParts): readonly object[] {
  const { db, vault, gateway, networks, transactions, streams, audit, publicUrl, log } = parts;
  const { interfaces, contracts, calls, uploads, deployments } = gateway;
  const settings = new CompatSettings(publicUrl, log);
  const replies = new Replies({ transactions, networks, settings });
  const old = new OldCalls({ calls, replies });
  const owners = new OldStreams({ store: new OldStreamsStore(db, vault), streams, audit });
  return [
    settings,
    replies,
    old,
    owners,
    new OldAbis({ interfaces, contracts, settings }),
    new Messages({ calls, uploads, deployments, old }),
    new OldSubscriptions({ owners, streams, audit }),
  ];
}
