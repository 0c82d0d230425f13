import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, loadConfig } from '#platform';
import type { ConnectorDefinition } from '#sdk';
import { builtInConnectors } from '../../connectors/index.js';
import { salesforceOrg } from '../../connectors/salesforce/connection.js';
import { SalesforceClient } from '../../connectors/salesforce/salesforce.client.js';
import { startHub, type Hub } from '../../src/hub.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { startSalesforce, type SalesforceOrg } from './salesforce-org.js';

const adminKey = 'pbk_test-key-of-a-hub-that-lives-for-one-test-only';
/** What takes minutes with a real org takes moments here. */
const quick = { graceMs: 1_000, firstPauseMs: 10, longestPauseMs: 200, limitPauseMs: 200 };

export interface KnownTrigger {
  readonly uses: string;
  readonly cursor: string | null;
  readonly incidents: readonly { readonly reason: string; readonly found: number; readonly emitted: number }[];
}

/** A whole hub in this process, connected to the Salesforce of the sandbox; it can be stopped and started again. */
export class SalesforceHub {
  #hub: Hub | undefined;

  private constructor(
    readonly salesforce: SalesforceOrg,
    private readonly database: TestDatabase,
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(flows: Readonly<Record<string, string>>): Promise<SalesforceHub> {
    const [salesforce, database, folder] = await Promise.all([
      startSalesforce(),
      createTestDatabase(),
      mkdtemp(join(tmpdir(), 'patchbay-salesforce-')),
    ]);
    const env = {
      PATCHBAY_EGRESS_ALLOW: '127.0.0.1:1-65535',
      DATABASE_URL: database.url,
      PATCHBAY_PORT: '0',
      PATCHBAY_DATA_DIR: folder,
      PATCHBAY_FLOWS_DIR: join(folder, 'flows'),
      PATCHBAY_CONFIG: join(folder, 'patchbay.yaml'),
      PATCHBAY_ADMIN_KEY: adminKey,
    };
    await mkdir(join(folder, 'flows'));
    for (const [name, text] of Object.entries(flows)) await writeFile(join(folder, 'flows', name), text);
    const settings = JSON.stringify({ connector: 'salesforce', ...salesforce.settings });
    await writeFile(join(folder, 'patchbay.yaml'), `connections: { salesforce: ${settings} }\n`);
    const started = new SalesforceHub(salesforce, database, folder, env);
    await started.boot();
    return started;
  }

  /** Starts the hub, again after {@link halt} with everything it kept. */
  async boot(): Promise<void> {
    this.#hub = await startHub({
      config: loadConfig(this.env),
      log: createLog({ level: 'silent', format: 'json' }),
      connectors: builtInConnectors.map(withQuickStream),
      env: this.env,
    });
  }

  async halt(): Promise<void> {
    await this.#hub?.stop();
    this.#hub = undefined;
  }

  async triggers(): Promise<readonly KnownTrigger[]> {
    const response = await fetch(`${this.#hub?.url ?? ''}/api/triggers`, {
      headers: { authorization: `Bearer ${adminKey}` },
    });
    const { triggers } = (await response.json()) as { readonly triggers: readonly KnownTrigger[] };
    return triggers;
  }

  async close(): Promise<void> {
    await this.halt();
    await this.salesforce.stop();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function withQuickStream(connector: ConnectorDefinition): ConnectorDefinition {
  if (connector.name !== 'salesforce') return connector;
  const open: typeof salesforceOrg.open = (given, { http, log }) =>
    new SalesforceClient(given, { http, log, stream: quick });
  return { ...connector, connection: { ...salesforceOrg, open } };
}
