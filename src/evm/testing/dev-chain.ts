import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';

/** Known to everybody: the first accounts of every development chain. */
export const devAccounts = [
  {
    address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    key: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  },
  {
    address: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
    key: '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  },
] as const;

const transferManySelector = '0xec1ac440';

export interface Receipt {
  readonly transactionHash: string;
  readonly status: string;
  readonly blockNumber: string;
  readonly contractAddress: string | null;
  readonly logs: readonly { readonly address: string; readonly topics: string[]; readonly data: string }[];
}

/** A real node for specs: anvil on a free port, with the demo token deployed at its usual address. */
export class DevChain {
  static readonly chainId = 31_337;
  readonly token = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
  readonly url: string;
  readonly wsUrl: string;
  readonly #process: ChildProcess;
  #nextId = 1;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.url = `http://127.0.0.1:${String(port)}`;
    this.wsUrl = `ws://127.0.0.1:${String(port)}`;
  }

  static async start(args: readonly string[] = []): Promise<DevChain> {
    const child = spawn(anvilPath(), ['--port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const chain = new DevChain(child, await portOf(child));
    // Every call would be printed.
    await chain.call('anvil_setLoggingEnabled', [false]);
    child.stdout.resume();
    await chain.deploy('DemoToken');
    return chain;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  async call<T = unknown>(method: string, params: readonly unknown[] = []): Promise<T> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: this.#nextId++, method, params }),
    });
    const answer = (await response.json()) as { result?: T; error?: { message: string } };
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result as T;
  }

  async head(): Promise<number> {
    return Number(await this.call('eth_blockNumber'));
  }

  async mine(blocks = 1): Promise<void> {
    await this.call('anvil_mine', [`0x${blocks.toString(16)}`]);
  }

  /** From the first account unless told otherwise, which the node signs for; mined when this returns, unless automine is off. */
  async send(transaction: Readonly<Record<string, unknown>>): Promise<string> {
    const hash = await this.call<string>('eth_sendTransaction', [{ from: devAccounts[0].address, ...transaction }]);
    // The node answers before its miner has taken the transaction.
    if (await this.call<boolean>('anvil_getAutomine')) await this.receipt(hash);
    return hash;
  }

  /** Waits for the block. */
  async receipt(hash: string): Promise<Receipt> {
    for (;;) {
      const receipt = await this.call<Receipt | null>('eth_getTransactionReceipt', [hash]);
      if (receipt) return receipt;
    }
  }

  async transfer(amount: bigint, to: string = devAccounts[1].address): Promise<string> {
    return await this.send({ to: this.token, data: `0xa9059cbb${pad(to)}${pad(amount.toString(16))}` });
  }

  /** Many Transfer events in one transaction. */
  async transferMany(times: number, amount = 1n): Promise<string> {
    const data = `${transferManySelector}${pad(devAccounts[1].address)}${pad(amount.toString(16))}${pad(times.toString(16))}`;
    return await this.send({ to: this.token, data, gas: '0x1c9c380' });
  }

  async deploy(name: string): Promise<void> {
    const { bytecode } = artefact(name);
    await this.send({ data: bytecode, gas: '0x4c4b40' });
    await this.call('evm_mine');
  }
}

export function artefact(name: string): { abi: unknown[]; bytecode: string } {
  return JSON.parse(readFileSync(join(process.cwd(), 'contracts', 'abi', `${name}.json`), 'utf8')) as {
    abi: unknown[];
    bytecode: string;
  };
}

function pad(hex: string): string {
  return hex.replace(/^0x/, '').padStart(64, '0');
}

function anvilPath(): string {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const require = createRequire(join(process.cwd(), 'package.json'));
  const manifest = require.resolve(`@foundry-rs/anvil-${process.platform}-${architecture}/package.json`);
  return join(dirname(manifest), 'bin', 'anvil');
}

/** Told once it listens. */
async function portOf(child: ChildProcessByStdio<null, Readable, null>): Promise<number> {
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += String(text);
    const [, port] = /Listening on 127\.0\.0\.1:(\d+)\n/.exec(said) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`anvil did not start: ${said}`);
}
