import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { PatchbayError } from '#sdk';

export interface CompileLimits {
  /**
   * Processor time of one process. What counts is work done: on a machine that is busy otherwise the same sources take
   * several times as long by the clock, and must compile all the same.
   */
  readonly cpuSeconds: number;
  /** By the clock, from the request to the answer, loading the compiler included. */
  readonly timeoutMs: number;
  /** Of the memory of solc. Governor with all it inherits needs a sixth of this. */
  readonly memoryBytes: number;
  readonly outputBytes: number;
  /** All sources of one compilation. */
  readonly sourceBytes: number;
  /** How long a loaded compiler waits for the next request. */
  readonly idleMs: number;
  /** Requests that wait for their turn. */
  readonly queue: number;
}

export const compileLimits: CompileLimits = {
  cpuSeconds: 30,
  timeoutMs: 60_000,
  memoryBytes: 1_073_741_824,
  outputBytes: 16_000_000,
  sourceBytes: 2_000_000,
  idleMs: 30_000,
  queue: 8,
};

const child = fileURLToPath(new URL('./compile.worker.mjs', import.meta.url));
const wasmPageBytes = 65_536;
/** A process that has worked longer is not used again, so that each request has 20 seconds at least. */
const keptCpuSeconds = 10;
/** The memory of WebAssembly never shrinks; a process that has grown is not worth keeping. */
const keptMemoryBytes = 500_000_000;
const maxHeaderBytes = 1_000;

/** One process with one compiler. It is used for one request at a time, and is done for after the first failure. */
export class CompileProcess {
  readonly #process: ChildProcess;
  readonly #limits: CompileLimits;
  #isUsable = true;

  constructor(
    readonly folder: string,
    limits: CompileLimits,
  ) {
    this.#limits = limits;
    this.#process = start(limits);
    // A process that cannot be started or written to is noticed by its end.
    this.#process.on('error', () => undefined);
    this.#process.stdin?.on('error', () => undefined);
    this.#process.once('exit', () => {
      this.#isUsable = false;
    });
  }

  /** Whether the next request may use it. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** @throws solidity.tooExpensive; internal when the compiler broke down for another reason */
  async compile(input: string): Promise<string> {
    const timeout = setTimeout(
      () => this.#end(`${String(this.#limits.timeoutMs / 1_000)} seconds`),
      this.#limits.timeoutMs,
    );
    this.#hold(true);
    try {
      (this.#process.stdin as Writable).write(`${JSON.stringify({ folder: this.folder, input })}\n`);
      return await this.#readAnswer();
    } catch (error) {
      this.#kill();
      throw error;
    } finally {
      clearTimeout(timeout);
      this.#hold(false);
    }
  }

  async close(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    const exit = once(this.#process, 'exit');
    this.#kill();
    await exit;
  }

  #exceeded: string | undefined;

  #end(limit: string): void {
    this.#exceeded = limit;
    this.#kill();
  }

  #kill(): void {
    this.#isUsable = false;
    this.#process.kill('SIGKILL');
  }

  async #readAnswer(): Promise<string> {
    const { header, content } = await this.#readFrame();
    if (header.memoryBytes > keptMemoryBytes || header.cpuSeconds > keptCpuSeconds) this.#kill();
    if (header.outcome === 'crashed') throw crashed(content, this.#limits);
    // solc reports its own lack of memory as if it were a fault of the source.
    if (content.length < 10_000 && content.includes('std::bad_alloc')) throw tooExpensive(memoryOf(this.#limits));
    return content;
  }

  async #readFrame(): Promise<{ header: Header; content: string }> {
    const answers = this.#process.stdio[3] as Duplex;
    let received = Buffer.alloc(0);
    const chunks: Buffer[] = [];
    let header: Header | undefined;
    let missing = 0;
    for await (const chunk of chunksOf(answers)) {
      if (!header) {
        received = Buffer.concat([received, chunk]);
        const end = received.indexOf('\n');
        if (end < 0 && received.byteLength < maxHeaderBytes) continue;
        header = JSON.parse(received.toString('utf8', 0, end)) as Header;
        if (header.bytes > this.#limits.outputBytes)
          throw tooExpensive(`${String(this.#limits.outputBytes / 1_000_000)} MB of output`);
        missing = header.bytes - (received.byteLength - end - 1);
        chunks.push(received.subarray(end + 1));
      } else {
        chunks.push(chunk);
        missing -= chunk.byteLength;
      }
      if (missing <= 0) return { header, content: Buffer.concat(chunks).toString('utf8') };
    }
    throw await this.#explainEnd();
  }

  /** The process ended before it had answered. */
  async #explainEnd(): Promise<PatchbayError> {
    const { exitCode, signalCode, pid } = this.#process;
    if (pid === undefined) return new PatchbayError('internal', { detail: 'The compiler cannot be started' });
    if (exitCode === null && signalCode === null) await once(this.#process, 'exit');
    if (this.#exceeded !== undefined) return tooExpensive(this.#exceeded);
    const signal = this.#process.signalCode;
    if (signal === 'SIGXCPU') return tooExpensive(`${String(this.#limits.cpuSeconds)} seconds of processor time`);
    // Out of memory: V8 aborts, Linux kills.
    if (signal === 'SIGABRT' || signal === 'SIGKILL') return tooExpensive(memoryOf(this.#limits));
    return new PatchbayError('internal', {
      detail: `The process of the compiler ended with ${signal ?? `code ${String(this.#process.exitCode)}`}`,
    });
  }

  /** An idle process must not keep the hub from ending. */
  #hold(isBusy: boolean): void {
    const handles = [this.#process, ...this.#process.stdio] as { ref?(): void; unref?(): void }[];
    for (const handle of handles) {
      if (isBusy) handle?.ref?.();
      else handle?.unref?.();
    }
  }
}

/** Until the stream ends, in whatever way; it stays open for the next answer. */
async function* chunksOf(stream: Duplex): AsyncGenerator<Buffer> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch {
    // Closed in the middle: the end of the process explains it.
  }
}

interface Header {
  readonly outcome: 'compiled' | 'crashed';
  readonly bytes: number;
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
}

function start(limits: CompileLimits): ChildProcess {
  const flags = [
    // This one does bound the memory of WebAssembly; a limit on address space would not, as V8 reserves 10 GB of it.
    `--wasm-max-mem-pages=${String(Math.floor(limits.memoryBytes / wasmPageBytes))}`,
    '--max-old-space-size=512',
  ];
  const command = [process.execPath, ...flags, child];
  const options = {
    // Nothing of the hub's environment: it may hold secrets.
    env: {},
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'] as ('pipe' | 'ignore')[],
  };
  if (process.platform === 'win32') return spawn(command[0]!, command.slice(1), options);
  return spawn(
    '/bin/sh',
    ['-c', `ulimit -c 0; ulimit -S -t ${String(limits.cpuSeconds)}; exec "$0" "$@"`, ...command],
    options,
  );
}

function crashed(message: string, limits: CompileLimits): PatchbayError {
  const isDepth = /call stack|out of bounds|unreachable|stack overflow/i.test(message);
  const isMemory = /memory|alloc|abort|string length/i.test(message);
  if (isDepth) return tooExpensive('the depth of nesting that the compiler can bear');
  if (isMemory) return tooExpensive(memoryOf(limits));
  return new PatchbayError('internal', { detail: `The compiler broke down: ${message.slice(0, 500)}` });
}

function memoryOf({ memoryBytes }: CompileLimits): string {
  return `${String(Math.round(memoryBytes / 1_048_576))} MB of memory`;
}

function tooExpensive(limit: string): PatchbayError {
  return new PatchbayError('solidity.tooExpensive', {
    detail: `Compiling these sources takes more than ${limit}`,
    fix: 'Name fewer files with `source`, or compile them yourself and send the artefacts.',
  });
}
