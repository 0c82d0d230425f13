import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, loadConfig } from '#platform';
import { builtInConnectors } from '../../connectors/index.js';
import { startDevChain, type DevChain } from '../../sandbox/chain/dev-chain.js';
import { deployDemoContracts, sendTransfer, treasury } from '../../sandbox/chain/demo-contracts.js';
import { createZapierHooks, type ZapierStandIn } from '../../sandbox/zapier/hooks.js';
import { devAccounts } from '../../src/evm/testing/dev-chain.js';
import { startHub, type Hub } from '../../src/hub.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { silentLog } from '../environment/silent-log.js';
import { startStandIn, type StandInServer } from './stand-in-server.js';

const adminKey = 'pbk_test-key-of-a-hub-that-lives-for-one-test-only';

/** A whole hub in this process, a chain, and Zapier as the sandbox plays it. */
export class ZapierHub {
  #hub: Hub | undefined;

  private constructor(
    readonly chain: DevChain,
    readonly zapier: ZapierStandIn,
    readonly server: StandInServer,
    private readonly database: TestDatabase,
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(flows: Readonly<Record<string, string>>): Promise<ZapierHub> {
    const zapier = createZapierHooks();
    const [database, chain, server, folder] = await Promise.all([
      createTestDatabase(),
      startDevChain({ port: 0, blockTimeSeconds: 1, stateFile: undefined, log: silentLog }),
      startStandIn(zapier),
      mkdtemp(join(tmpdir(), 'patchbay-zapier-')),
    ]);
    await deployDemoContracts(chain.rpc);
    const env = {
      PATCHBAY_EGRESS_ALLOW: '127.0.0.1:1-65535',
      DATABASE_URL: database.url,
      PATCHBAY_PORT: '0',
      PATCHBAY_DATA_DIR: folder,
      PATCHBAY_FLOWS_DIR: join(folder, 'flows'),
      PATCHBAY_CONFIG: join(folder, 'patchbay.yaml'),
      PATCHBAY_ADMIN_KEY: adminKey,
      PATCHBAY_PUBLIC_URL: 'https://hub.example',
    };
    const started = new ZapierHub(chain, zapier, server, database, folder, env);
    await mkdir(join(folder, 'flows'));
    for (const [name, text] of Object.entries(flows)) await writeFile(join(folder, 'flows', name), text);
    await writeFile(
      join(folder, 'patchbay.yaml'),
      `
networks:
  local: { rpcUrl: '${chain.url}', chainId: 31337, confirmations: 1, revertedAfter: 5, default: true }
signers:
  treasury: { privateKey: '${treasury.privateKey}' }
  visitor: { privateKey: '${devAccounts[1].key}' }
`,
    );
    await started.boot();
    return started;
  }

  /** Starts the hub again after {@link halt}, with everything it kept. */
  async boot(): Promise<void> {
    this.#hub = await startHub({
      config: loadConfig(this.env),
      log: createLog({ level: 'silent', format: 'json' }),
      connectors: builtInConnectors,
      env: this.env,
    });
  }

  async halt(): Promise<void> {
    await this.#hub?.stop();
    this.#hub = undefined;
  }

  get url(): string {
    return this.#hub?.url ?? '';
  }

  get flows(): Hub['flows'] {
    if (this.#hub === undefined) throw new Error('The hub is not running');
    return this.#hub.flows;
  }

  /** A key as a user of Zapier gets it. */
  async makeKey(scopes: readonly string[] = ['zapier:use']): Promise<string> {
    const { body } = await this.ask('POST', '/api/keys', { name: 'zapier', scopes });
    return String(body['key']);
  }

  /** Moves USDC. @returns the hash of the transaction */
  transfer(amount: number, to: string): Promise<string> {
    return sendTransfer(this.chain.rpc, { to, value: BigInt(amount) * 1_000_000n });
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    key = adminKey,
  ): Promise<{ status: number; type: string; body: Record<string, unknown> }> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  }

  async close(): Promise<void> {
    await this.halt();
    await this.server.stop();
    await this.chain.stop();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
