import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { SandboxLog } from '../log.js';
import { createRpc, type Rpc } from './json-rpc.js';

export interface DevChainOptions {
  /** The next free port is taken if it is busy; 0 takes any. */
  readonly port: number;
  /** Absent: a block for every transaction, and none without. */
  readonly blockTimeSeconds?: number | undefined;
  /** Where the chain is kept across restarts. Absent: nowhere. */
  readonly stateFile?: string | undefined;
  readonly log: SandboxLog;
}

export interface DevChain {
  readonly url: string;
  readonly wsUrl: string;
  readonly port: number;
  readonly rpc: Rpc;
  /** Called when the chain ends without having been stopped. */
  onEnd(listener: () => void): void;
  stop(): Promise<void>;
}

const stateIntervalSeconds = 10;

/**
 * Runs anvil under a shell that ends it as soon as the pipe to this process closes: so it goes with its parent, also when that is
 * killed. When the shell ends, anvil has ended, and its state is written.
 */
const supervised = `
exec 3<&0
"$@" <&- 3<&- &
chain=$!
(cat <&3; kill -TERM $chain) >/dev/null 2>&1 &
wait $chain
`;

export async function startDevChain(options: DevChainOptions): Promise<DevChain> {
  for (let port = options.port; port < options.port + 100; port += 1) {
    const chain = await launchOrBegin(port, options);
    if (chain !== undefined) return chain;
  }
  throw new Error(`None of the ports ${options.port} to ${options.port + 99} is free`);
}

/** Undefined when the port is taken. */
async function launchOrBegin(port: number, options: DevChainOptions): Promise<DevChain | undefined> {
  try {
    return await launch(port, options);
  } catch (error) {
    if (options.stateFile === undefined || !existsSync(options.stateFile)) throw error;
    // A state cut short by a crash is no reason to have no chain.
    const kept = `${options.stateFile}.unreadable`;
    renameSync(options.stateFile, kept);
    options.log.warn('The kept development chain cannot be read; a new one begins', { kept });
    return launch(port, options);
  }
}

async function launch(
  wanted: number,
  { blockTimeSeconds, stateFile, log }: DevChainOptions,
): Promise<DevChain | undefined> {
  if (stateFile !== undefined) mkdirSync(dirname(stateFile), { recursive: true });
  const child = spawn(
    'sh',
    ['-c', supervised, 'development-chain', anvilPath(), ...argumentsFor(wanted, blockTimeSeconds, stateFile)],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));

  let isStopping = false;
  const stop = async (): Promise<void> => {
    isStopping = true;
    child.stdin.end();
    await ended;
  };
  const port = await portOf(child.stdout);
  if (port === undefined) {
    await stop();
    if (said.some((text) => text.includes('already in use'))) return undefined;
    throw new Error(`The development chain did not start: ${said.join('').trim().slice(-500)}`);
  }
  const url = `http://127.0.0.1:${port}`;
  const rpc = createRpc(url);
  // Every call would be printed.
  await rpc('anvil_setLoggingEnabled', false).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  child.stdout.resume();
  return {
    url,
    wsUrl: `ws://127.0.0.1:${port}`,
    port,
    rpc,
    onEnd(listener) {
      void ended.then(() => {
        if (isStopping) return;
        log.error('The development chain ended', { said: said.join('').slice(-500) });
        listener();
      });
    },
    stop,
  };
}

function argumentsFor(port: number, blockTimeSeconds: number | undefined, stateFile: string | undefined): string[] {
  return [
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--chain-id',
    '31337',
    // A transaction is mined at once, and blocks go on without any, so that confirmations come.
    ...(blockTimeSeconds === undefined ? [] : ['--block-time', String(blockTimeSeconds), '--mixed-mining']),
    ...(stateFile === undefined ? [] : ['--state', stateFile, '--state-interval', String(stateIntervalSeconds)]),
  ];
}

/** What it says once it listens; nothing when it ends before. */
async function portOf(stdout: Readable): Promise<number | undefined> {
  let said = '';
  for await (const text of stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += String(text);
    const [, port] = /Listening on 127\.0\.0\.1:(\d+)\n/.exec(said) ?? [];
    if (port !== undefined) return Number(port);
  }
  return undefined;
}

function anvilPath(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`;
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'anvil');
  } catch (error) {
    throw new Error(`There is no development chain for this machine: the package ${name} is not installed`, {
      cause: error,
    });
  }
}
