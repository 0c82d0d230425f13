import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import type { Bench, Backend } from './bench.js';

export interface HubOptions {
  readonly backend: Backend;
  readonly databaseUrl: string;
  /** Name to YAML. */
  readonly flows: Readonly<Record<string, string>>;
  /** `patchbay.yaml`. */
  readonly configuration?: string;
}

export const projectFolder = fileURLToPath(new URL('../../..', import.meta.url));
const readyMs = 60_000;

/** The hub as its users run it, in a process of its own, on the bench's own PostgreSQL. */
export class BenchHub {
  readonly key = 'pbk_key-of-a-hub-that-lives-for-one-measurement';
  #child: ChildProcess | undefined;

  private constructor(
    private readonly bench: Bench,
    private readonly options: HubOptions,
    private readonly folder: string,
    readonly url: string,
  ) {}

  static async create(bench: Bench, options: HubOptions): Promise<BenchHub> {
    const folder = await mkdtemp(join(bench.folder, 'hub-'));
    await mkdir(join(folder, 'flows'));
    const hub = new BenchHub(bench, options, folder, `http://127.0.0.1:${await freePort()}`);
    for (const [name, text] of Object.entries(options.flows)) await hub.writeFlow(name, text);
    await writeFile(join(folder, 'patchbay.yaml'), options.configuration ?? '');
    bench.cleanup.add('hub', () => hub.stop());
    return hub;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('The hub was not started');
    return this.#child.pid;
  }

  writeFlow(name: string, text: string): Promise<void> {
    return writeFile(join(this.folder, 'flows', `${name}.yaml`), text);
  }

  /** Resolves when the hub says that it is ready. */
  async start({ roles = 'api,listener,worker' } = {}): Promise<void> {
    const { profileFolder } = this.bench;
    const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    const child = spawn(process.execPath, [...profile, 'dist/src/cli/index.js', 'start'], {
      cwd: projectFolder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...this.#environment(), PATCHBAY_ROLES: roles },
      // Ctrl+C reaches the bench alone, which then stops everything in order.
      detached: true,
    });
    this.#child = child;
    for (const until = Date.now() + readyMs; Date.now() < until; await delay(20)) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      const response = await fetch(`${this.url}/health/ready`).catch(() => undefined);
      if (response?.ok === true) return;
    }
    throw new Error('The hub did not become ready');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  #environment(): Record<string, string> {
    const { backend, databaseUrl } = this.options;
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      LOG_LEVEL: 'error',
      LOG_FORMAT: 'json',
      PATCHBAY_PORT: new URL(this.url).port,
      PATCHBAY_DATA_DIR: join(this.folder, 'data'),
      PATCHBAY_FLOWS_DIR: join(this.folder, 'flows'),
      PATCHBAY_CONFIG: join(this.folder, 'patchbay.yaml'),
      PATCHBAY_ADMIN_KEY: this.key,
      PATCHBAY_EGRESS_ALLOW: '127.0.0.1:1-65535',
      DATABASE_URL: databaseUrl,
      ...(backend.redisUrl !== undefined && { REDIS_URL: backend.redisUrl }),
    };
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const forced = setTimeout(() => child.kill('SIGKILL'), 40_000);
    await ended;
    clearTimeout(forced);
  }
}
