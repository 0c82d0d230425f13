import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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

const startDeadlineMs = 20_000;
const stateIntervalSeconds = 10;

/**
 * Runs anvil under a shell that ends it as soon as the pipe to this process closes: so it goes with its parent, also when that is
 * killed. When the shell ends, anvil has ended, and its state is written.
 */
const supervised = `
exec 3<&0
"$@" <&- 3<&- &
chain=$!
(cat <&3 >/dev/null; kill -TERM $chain 2>/dev/null) &
wait $chain
`;

export async function startDevChain(options: DevChainOptions): Promise<DevChain> {
  const port = await findFreePort(options.port);
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

async function launch(port: number, { blockTimeSeconds, stateFile, log }: DevChainOptions): Promise<DevChain> {
  if (stateFile !== undefined) mkdirSync(dirname(stateFile), { recursive: true });
  const child = spawn(
    'sh',
    ['-c', supervised, 'development-chain', anvilPath(), ...argumentsFor(port, blockTimeSeconds, stateFile)],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  const said: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const rpc = createRpc(url);

  let isStopping = false;
  const stop = async (): Promise<void> => {
    isStopping = true;
    child.stdin?.end();
    await ended;
  };
  try {
    await waitUntilReady(rpc, child);
  } catch (error) {
    await stop();
    throw new Error(`The development chain did not start: ${said.join('').trim().slice(-500)}`, { cause: error });
  }
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
    '--quiet',
    // A transaction is mined at once, and blocks go on without any, so that confirmations come.
    ...(blockTimeSeconds === undefined ? [] : ['--block-time', String(blockTimeSeconds), '--mixed-mining']),
    ...(stateFile === undefined ? [] : ['--state', stateFile, '--state-interval', String(stateIntervalSeconds)]),
  ];
}

async function waitUntilReady(rpc: Rpc, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startDeadlineMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`It ended with code ${child.exitCode}`);
    try {
      await rpc('eth_chainId');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(50);
    }
  }
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

async function findFreePort(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + 100; port += 1) {
    const free = await tryPort(port);
    if (free !== undefined) return free;
  }
  throw new Error(`None of the ports ${wanted} to ${wanted + 99} is free`);
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, '127.0.0.1', () => {
      const { port: taken } = probe.address() as AddressInfo;
      probe.close(() => resolve(taken));
    });
  });
}
