import type { ConnectorDefinition } from '#sdk';
import { builtInConnectors } from '../../connectors/index.js';
import { salesforceOrg } from '../../connectors/salesforce/connection.js';
import { SalesforceClient } from '../../connectors/salesforce/salesforce.client.js';
import { LocalHub } from './local-hub.js';
import { startSalesforce, type SalesforceOrg } from './salesforce-org.js';

/** What takes minutes with a real org takes moments here. */
const quick = { graceMs: 1_000, firstPauseMs: 10, longestPauseMs: 200, limitPauseMs: 200 };

export interface KnownTrigger {
  readonly uses: string;
  readonly cursor: string | null;
  readonly incidents: readonly { readonly reason: string; readonly found: number; readonly emitted: number }[];
}

/** A whole hub in this process, connected to the Salesforce of the sandbox; it can be stopped and started again. */
export class SalesforceHub {
  private constructor(
    readonly salesforce: SalesforceOrg,
    private readonly hub: LocalHub,
  ) {}

  static async start(flows: Readonly<Record<string, string>>): Promise<SalesforceHub> {
    const [salesforce, hub] = await Promise.all([
      startSalesforce(),
      LocalHub.create({ connectors: builtInConnectors.map(withQuickStream) }),
    ]);
    await hub.writeFlows(flows);
    const settings = JSON.stringify({ connector: 'salesforce', ...salesforce.settings });
    await hub.writeConfiguration(`connections: { salesforce: ${settings} }\n`);
    await hub.boot();
    return new SalesforceHub(salesforce, hub);
  }

  boot(): Promise<void> {
    return this.hub.boot();
  }

  halt(): Promise<void> {
    return this.hub.halt();
  }

  async triggers(): Promise<readonly KnownTrigger[]> {
    const { body } = await this.hub.ask('GET', '/api/triggers');
    return (body as { readonly triggers: readonly KnownTrigger[] }).triggers;
  }

  async close(): Promise<void> {
    await this.hub.halt();
    await this.salesforce.stop();
    await this.hub.close();
  }
}

/** So that a stream of Salesforce that broke goes on at once. */
export function withQuickStream(connector: ConnectorDefinition): ConnectorDefinition {
  if (connector.name !== 'salesforce') return connector;
  const open: typeof salesforceOrg.open = (given, { http, log }) =>
    new SalesforceClient(given, { http, log, stream: quick });
  return { ...connector, connection: { ...salesforceOrg, open } };
}
