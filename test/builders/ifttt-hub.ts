import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, loadConfig } from '#platform';
import { builtInConnectors } from '../../connectors/index.js';
import { startDevChain, type DevChain } from '../../sandbox/chain/dev-chain.js';
import { deployDemoContracts, sendTransfer, treasury } from '../../sandbox/chain/demo-contracts.js';
import { IftttStandIn } from '../../sandbox/ifttt/ifttt.js';
import { startHub, type Hub } from '../../src/hub.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { silentLog } from '../environment/silent-log.js';
import { startStandIn, type StandInServer } from './stand-in-server.js';

export interface IftttAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, else text. */
  // A spec reads answers without narrowing them first.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export const serviceKey = 'service-key-of-a-test';

const adminKey = 'pbk_test-key-of-a-hub-that-lives-for-one-test-only';

/** A whole hub in this process that is a service of IFTTT, beside its stand-in and a chain. */
export class IftttHub {
  #hub: Hub | undefined;

  private constructor(
    readonly chain: DevChain,
    readonly standIn: IftttStandIn,
    /** Faults and requests of the stand-in. */
    readonly standInServer: StandInServer,
    private readonly database: TestDatabase,
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(options: {
    readonly flows: Readonly<Record<string, string>>;
    /** Further settings of the connection, as lines of YAML. */
    readonly settings?: string;
    /** False: the hub has no connection to IFTTT. */
    readonly isConfigured?: boolean;
  }): Promise<IftttHub> {
    const standIn = new IftttStandIn({ makerKey: 'maker-key', serviceKey, retryAfterMs: [50, 50, 50] });
    const [database, chain, server, folder] = await Promise.all([
      createTestDatabase(),
      startDevChain({ port: 0, blockTimeSeconds: 1, stateFile: undefined, log: silentLog }),
      startStandIn(standIn),
      mkdtemp(join(tmpdir(), 'patchbay-ifttt-')),
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
    const started = new IftttHub(chain, standIn, server, database, folder, env);
    await mkdir(join(folder, 'flows'));
    for (const [name, text] of Object.entries(options.flows)) await writeFile(join(folder, 'flows', name), text);
    await writeFile(
      join(folder, 'patchbay.yaml'),
      configuration({ ...options, chainUrl: chain.url, iftttUrl: server.url }),
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
    this.standIn.connect(this.url);
  }

  /** Moves USDC. @returns the hash of the transaction */
  transfer(amount: number, to: string): Promise<string> {
    return sendTransfer(this.chain.rpc, { to, value: BigInt(amount) * 1_000_000n });
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

  /** As IFTTT calls, with the service key unless told otherwise; a body that is text is sent as it is. */
  ifttt(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<IftttAnswer> {
    return this.ask(method, `/ifttt/v1${path}`, body, {
      'ifttt-service-key': serviceKey,
      'x-request-id': randomUUID().replaceAll('-', ''),
      'content-type': 'application/json',
      ...headers,
    });
  }

  /** As whoever runs the hub. */
  api(method: string, path: string, body?: unknown): Promise<IftttAnswer> {
    return this.ask(method, path, body, {
      authorization: `Bearer ${adminKey}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    });
  }

  async ask(
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<IftttAnswer> {
    const response = await fetch(path.startsWith('http') ? path : this.url + path, {
      method,
      redirect: 'manual',
      headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== '')),
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
  }

  async close(): Promise<void> {
    await this.halt();
    this.standIn.stop();
    await this.standInServer.stop();
    await this.chain.stop();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function configuration(wish: {
  readonly settings?: string;
  readonly isConfigured?: boolean;
  readonly chainUrl: string;
  readonly iftttUrl: string;
}): string {
  const { settings = '', isConfigured = true, chainUrl, iftttUrl } = wish;
  const connection = `
connections:
  ifttt:
    connector: ifttt
    serviceKey: ${serviceKey}
    realtimeUrl: ${iftttUrl}
${settings}`;
  return `
networks:
  local: { rpcUrl: '${chainUrl}', chainId: 31337, confirmations: 0, revertedAfter: 5 }
signers:
  treasury: { privateKey: '${treasury.privateKey}' }
${isConfigured ? connection : ''}`;
}
