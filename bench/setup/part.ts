import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Cleanup } from './cleanup.js';

/** A program of the bench in a process of its own, so that nothing measured shares a thread with what measures it. */
export class Part {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #said: unknown[] = [];
  readonly #waiting: { resolve: (line: unknown) => void; reject: (error: Error) => void }[] = [];
  readonly #ended: Promise<void>;
  #failure: Error | undefined;

  private constructor(
    readonly name: string,
    options: object,
  ) {
    const entry = fileURLToPath(new URL(`../processes/${name}.js`, import.meta.url));
    this.#child = spawn(process.execPath, [entry, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.#lines.on('line', (line) => {
      const value: unknown = JSON.parse(line);
      const next = this.#waiting.shift();
      if (next === undefined) this.#said.push(value);
      else next.resolve(value);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#failure = new Error(`${name} ended (${signal ?? code}) before it said what was waited for`);
        for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
        resolve();
      });
    });
  }

  /** It is stopped with the scenario at the latest. */
  static start(name: string, options: object, cleanup: Cleanup): Part {
    const part = new Part(name, options);
    cleanup.add(name, () => part.stop());
    return part;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The next line of JSON that it prints; the caller names its shape. */
  async next<T>(): Promise<T> {
    if (this.#said.length > 0) return this.#said.shift() as T;
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (line: unknown) => void, reject });
    });
  }

  /** A part ends when its input does. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const forced = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.#ended;
    clearTimeout(forced);
  }
}
