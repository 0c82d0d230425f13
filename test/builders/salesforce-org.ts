import { salesforceOrg } from '../../connectors/salesforce/connection.js';
import { SalesforceClient, type SalesforceClientOptions } from '../../connectors/salesforce/salesforce.client.js';
import {
  createSalesforceStandIn,
  sandboxApp,
  type SalesforceStandIn,
  type SalesforceStandInOptions,
} from '../../sandbox/salesforce/index.js';
import { aHttpClient, silentLog } from './action-call.js';

export interface SalesforceOrg {
  readonly org: SalesforceStandIn;
  readonly url: string;
  /** What a user would fill in to reach it. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** A client of it; closed with the org. */
  client(options?: Partial<SalesforceClientOptions>): SalesforceClient;
  /** One more address under which it answers. */
  listen(): Promise<string>;
  stop(): Promise<void>;
}

/** The Salesforce of the sandbox on a free port. */
export async function startSalesforce(options: SalesforceStandInOptions = {}): Promise<SalesforceOrg> {
  const org = createSalesforceStandIn({ longPollMs: 400, ...options });
  const { url } = await org.listen();
  const settings = { loginUrl: url, clientId: sandboxApp.clientId, clientSecret: sandboxApp.clientSecret };
  const clients: SalesforceClient[] = [];
  return {
    org,
    url,
    settings,
    client(clientOptions = {}) {
      const parsed = salesforceOrg.settings.parse(settings);
      const client = new SalesforceClient(parsed, { http: aHttpClient(), log: silentLog, ...clientOptions });
      clients.push(client);
      return client;
    },
    listen: async () => (await org.listen()).url,
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await org.close();
    },
  };
}
