import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, loadConfig } from '#platform';
import type { ConnectorDefinition } from '#sdk';
import { builtInConnectors } from '../../connectors/index.js';
import { startHub, type Hub } from '../../src/hub.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

export const adminKey = 'pbk_test-key-of-a-hub-that-lives-for-one-test-only';

/** Specs read what a hub answered without narrowing it first. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Answered = any;

export interface HubAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, else text. */
  readonly body: Answered;
}

export interface LocalHubOptions {
  /** Beside what every hub of a test is started with. */
  readonly env?: Readonly<Record<string, string>>;
  readonly connectors?: readonly ConnectorDefinition[];
}

/** A whole hub in this process, with a database and a folder of its own; it can be stopped and started again. */
export class LocalHub {
  #hub: Hub | undefined;

  private constructor(
    readonly folder: string,
    private readonly database: TestDatabase,
    private readonly env: Readonly<Record<string, string>>,
    private readonly connectors: readonly ConnectorDefinition[],
  ) {}

  /** Everything but started: its flows and its configuration can be written first. */
  static async create({ env = {}, connectors = builtInConnectors }: LocalHubOptions = {}): Promise<LocalHub> {
    const [database, folder] = await Promise.all([createTestDatabase(), mkdtemp(join(tmpdir(), 'patchbay-local-'))]);
    await mkdir(join(folder, 'flows'));
    const usual = {
      PATCHBAY_EGRESS_ALLOW: '127.0.0.1:1-65535',
      DATABASE_URL: database.url,
      PATCHBAY_PORT: '0',
      PATCHBAY_DATA_DIR: folder,
      PATCHBAY_FLOWS_DIR: join(folder, 'flows'),
      PATCHBAY_CONFIG: join(folder, 'patchbay.yaml'),
      PATCHBAY_ADMIN_KEY: adminKey,
    };
    return new LocalHub(folder, database, { ...usual, ...env }, connectors);
  }

  /** @param flows – file name to YAML */
  async writeFlows(flows: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(flows)) await writeFile(join(this.folder, 'flows', name), text);
  }

  /** `patchbay.yaml`. */
  writeConfiguration(text: string): Promise<void> {
    return writeFile(join(this.folder, 'patchbay.yaml'), text);
  }

  /** Starts the hub, again after {@link halt} with everything it kept. */
  async boot(): Promise<void> {
    this.#hub = await startHub({
      config: loadConfig(this.env),
      log: createLog({ level: process.env['TEST_LOG'] === undefined ? 'silent' : 'info', format: 'json' }),
      connectors: this.connectors,
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

  /** As whoever has a key; without one when it is empty. A body that is text is sent as it is. */
  ask(method: string, path: string, body?: unknown, key = adminKey): Promise<HubAnswer> {
    return this.send(method, path, body, {
      ...(key !== '' && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    });
  }

  /** @param path – or a whole address */
  async send(
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<HubAnswer> {
    const response = await fetch(path.startsWith('http') ? path : this.url + path, {
      method,
      redirect: 'manual',
      headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = text !== '' && (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
  }

  /** @returns a key that may do no more than that */
  async makeKey(name: string, scopes: readonly string[]): Promise<string> {
    const { body } = await this.ask('POST', '/api/keys', { name, scopes });
    return String((body as { readonly key: unknown }).key);
  }

  async close(): Promise<void> {
    await this.halt();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
