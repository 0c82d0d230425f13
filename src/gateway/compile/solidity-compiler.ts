import { PatchbayError, type Logger } from '#sdk';
import type { CompiledContract } from './compiled.js';
import { planCompilation, writeInput, type CompileOptions } from './compile-input.js';
import { CompileProcess, compileLimits, type CompileLimits } from './compile-process.js';
import { readOutput } from './compile-output.js';
import { chooseCompiler, installedCompilers } from './installed-compilers.js';
import { PackageSources } from './package-sources.js';
import type { SourceUpload } from './upload.js';

export interface SolidityCompilerOptions {
  readonly log: Logger;
  readonly limits?: Partial<CompileLimits>;
  /** npm packages beside the hub from which uploads may import, e.g. `@openzeppelin/contracts`. Default: none. */
  readonly importPackages?: readonly string[];
}

export interface Compilation {
  /** By file, then by name. */
  readonly contracts: readonly CompiledContract[];
  /** The standard-JSON input, exactly as solc got it: with the same compiler it gives the same code again. */
  readonly input: string;
  /** Messages of solc, as it prints them. */
  readonly warnings: readonly string[];
}

const busyRetryMs = 5_000;

/**
 * Compiles uploads with npm `solc`, in a process of its own that is killed when it takes too long and cannot take
 * more memory than it may. One compilation at a time; others wait for their turn. What was compiled last is not compiled
 * again.
 */
export class SolidityCompiler {
  readonly #log: Logger;
  readonly #limits: CompileLimits;
  readonly #packages: PackageSources;
  #process: CompileProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #last: { readonly folder: string; readonly input: string; readonly output: Promise<string> } | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  constructor({ log, limits = {}, importPackages = [] }: SolidityCompilerOptions) {
    this.#log = log;
    this.#limits = { ...compileLimits, ...limits };
    this.#packages = new PackageSources(importPackages);
  }

  /** Versions that are installed, newest first. */
  versions(): readonly string[] {
    return installedCompilers().map(({ version }) => version);
  }

  /**
   * @throws solidity.invalid with every fault of the sources by file, line and column, solidity.compilerMissing,
   * solidity.tooExpensive, request.tooLarge, request.invalid, hub.busy
   */
  async compile(upload: SourceUpload, options: CompileOptions = {}): Promise<Compilation> {
    const plan = await planCompilation(upload, options, this.#packages, this.#limits.sourceBytes);
    const compiler = chooseCompiler(installedCompilers(), options.compiler, plan.pragmas);
    const input = writeInput(plan, compiler, options);
    const output = await this.#outputOf(compiler.folder, input);
    return { ...readOutput(output, plan), input };
  }

  /** Nothing is compiled any more, and no process is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#last = undefined;
    clearTimeout(this.#idle);
    await this.#process?.close();
  }

  /** Of a project people register one contract after another, and all of them come out of one compilation. */
  async #outputOf(folder: string, input: string): Promise<string> {
    if (this.#last?.folder === folder && this.#last.input === input) return await this.#last.output;
    const last = { folder, input, output: this.#inTurn(() => this.#run(folder, input)) };
    this.#last = last;
    last.output.catch(() => {
      if (this.#last === last) this.#last = undefined;
    });
    return await last.output;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    // The one at work is counted with those that wait.
    if (this.#waiting > this.#limits.queue) {
      throw new PatchbayError('hub.busy', {
        detail: `${String(this.#limits.queue)} uploads wait for the compiler already`,
        fix: 'Try again in some seconds.',
        retryAfterMs: busyRetryMs,
      });
    }
    this.#waiting += 1;
    const result = this.#turn.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#turn = result.catch(() => undefined);
    return await result;
  }

  async #run(folder: string, input: string): Promise<string> {
    if (this.#isClosed) throw new PatchbayError('hub.stopping');
    clearTimeout(this.#idle);
    const startedAt = performance.now();
    const process = await this.#processFor(folder);
    try {
      return await process.compile(input);
    } catch (error) {
      this.#log.warn('The compiler was stopped', { error, durationMs: Math.round(performance.now() - startedAt) });
      if (this.#isClosed) throw new PatchbayError('hub.stopping', { cause: error });
      throw error;
    } finally {
      this.#idle = setTimeout(() => this.#rest(process), this.#limits.idleMs).unref();
      if (this.#isClosed) clearTimeout(this.#idle);
    }
  }

  /** An idle hub keeps neither a compiler nor its output in memory. */
  #rest(process: CompileProcess): void {
    this.#last = undefined;
    void process.close();
  }

  async #processFor(folder: string): Promise<CompileProcess> {
    if (this.#process?.isUsable && this.#process.folder === folder) return this.#process;
    await this.#process?.close();
    if (this.#isClosed) throw new PatchbayError('hub.stopping');
    this.#process = new CompileProcess(folder, this.#limits);
    return this.#process;
  }
}
