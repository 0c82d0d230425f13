import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { freePort } from '../../bench/setup/free-port.js';
import { eventually } from '../builders/eventually.js';

export interface HubProcessOptions {
  /** Absent: the hub starts a database of its own in its data folder. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** File name to YAML. */
  readonly flows: Readonly<Record<string, string>>;
  /** `patchbay.yaml`. */
  readonly configuration?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A hub as its users have it: the built program in a process of its own, which can be killed and started again. */
export class HubProcess {
  readonly key = 'pbk_test-key-of-a-hub-that-lives-for-one-test-only';
  #child: ChildProcess | undefined;
  #output = '';

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly options: HubProcessOptions,
  ) {}

  static async create(options: HubProcessOptions): Promise<HubProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'patchbay-hub-'));
    const hub = new HubProcess(folder, await freePort(), options);
    // The database server of a hub run as root belongs to another user, who must be able to enter.
    await chmod(folder, 0o755);
    await mkdir(join(folder, 'flows'));
    for (const [name, text] of Object.entries(options.flows)) await hub.writeFlow(name, text);
    await writeFile(join(folder, 'patchbay.yaml'), options.configuration ?? '');
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it printed since it was created. */
  get output(): string {
    return this.#output;
  }

  writeFlow(name: string, text: string): Promise<void> {
    return writeFile(join(this.folder, 'flows', name), text);
  }

  /** Resolves when the hub says that it is ready. */
  async start(): Promise<void> {
    const { databaseUrl, redisUrl, env } = this.options;
    const child = spawn(process.execPath, ['dist/src/cli/index.js', 'start'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        LOG_LEVEL: 'warn',
        LOG_FORMAT: 'json',
        PATCHBAY_PORT: String(this.port),
        PATCHBAY_DATA_DIR: join(this.folder, 'data'),
        PATCHBAY_FLOWS_DIR: join(this.folder, 'flows'),
        PATCHBAY_CONFIG: join(this.folder, 'patchbay.yaml'),
        PATCHBAY_ADMIN_KEY: this.key,
        PATCHBAY_EGRESS_ALLOW: '127.0.0.1:1-65535',
        ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
        ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
        ...env,
      },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-200_000);
      });
    }
    await this.#untilReady(child);
  }

  /**
   * Resolves when so many triggers have a place of their own: what happens from now on is heard, whatever happens to the
   * hub. A trigger is listed only once it has begun.
   */
  async untilListening(count = 1): Promise<void> {
    await eventually(async () => {
      const { triggers } = await this.get<{ triggers: { cursor: string | null }[] }>('/api/triggers');
      return triggers.length >= count && triggers.every(({ cursor }) => cursor !== null);
    });
  }

  /** Ends it the hard way. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it the way a service manager does. @returns its exit code */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path, { headers: { authorization: `Bearer ${this.key}` } });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async post<T>(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Stops it if it runs, and removes its folder. A database of its own is stopped with it. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    return ended;
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const until = Date.now() + 110_000;
    while (Date.now() < until) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      const response = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(10_000) }).catch(
        () => undefined,
      );
      if (response?.ok === true) return;
      await delay(25);
    }
    throw new Error(`The hub did not become ready.\n${this.#output}`);
  }
}
