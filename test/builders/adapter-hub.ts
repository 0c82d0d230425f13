import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, loadConfig } from '#platform';
import { builtInConnectors } from '../../connectors/index.js';
import { startHub, type Hub } from '../../src/hub.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

export const adminKey = 'pbk_test-key-of-a-hub-that-lives-for-one-test-only';

/** Read without being narrowed first. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Answered = any;

/** A whole hub in this process, whose flows are asked as external adapters. */
export class AdapterHub {
  #hub: Hub | undefined;

  private constructor(
    private readonly database: TestDatabase,
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(options: {
    /** Name to YAML. */
    readonly flows: Readonly<Record<string, string>>;
    readonly configuration?: string;
    readonly port?: number;
  }): Promise<AdapterHub> {
    const [database, folder] = await Promise.all([createTestDatabase(), mkdtemp(join(tmpdir(), 'patchbay-adapters-'))]);
    const port = options.port ?? 0;
    const env = {
      PATCHBAY_EGRESS_ALLOW: '127.0.0.1:1-65535',
      DATABASE_URL: database.url,
      PATCHBAY_PORT: String(port),
      PATCHBAY_DATA_DIR: folder,
      PATCHBAY_FLOWS_DIR: join(folder, 'flows'),
      PATCHBAY_CONFIG: join(folder, 'patchbay.yaml'),
      PATCHBAY_ADMIN_KEY: adminKey,
      ...(port > 0 && { PATCHBAY_PUBLIC_URL: `http://127.0.0.1:${port}` }),
    };
    const hub = new AdapterHub(database, folder, env);
    await mkdir(join(folder, 'flows'));
    for (const [name, text] of Object.entries(options.flows)) {
      await writeFile(join(folder, 'flows', `${name}.yaml`), text);
    }
    await writeFile(join(folder, 'patchbay.yaml'), options.configuration ?? '');
    await hub.boot();
    return hub;
  }

  /** Starts the hub again after {@link halt}, with everything it kept. */
  async boot(): Promise<void> {
    this.#hub = await startHub({
      config: loadConfig(this.env),
      log: createLog({ level: process.env['TEST_LOG'] === undefined ? 'silent' : 'info', format: 'json' }),
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

  async makeKey(scopes: readonly string[] = ['oracle:adapters']): Promise<string> {
    const { body } = await this.ask('POST', '/api/keys', { name: 'node', scopes });
    return String(body.key);
  }

  /** As a node asks. */
  adapter(flow: string, body: unknown, key = adminKey): Promise<{ status: number; body: Answered }> {
    return this.ask('POST', `/oracle/adapters/${flow}`, body, key);
  }

  async ask(method: string, path: string, body?: unknown, key = adminKey): Promise<{ status: number; body: Answered }> {
    const response = await fetch(path.startsWith('http') ? path : this.url + path, {
      method,
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
  }

  async close(): Promise<void> {
    await this.halt();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
