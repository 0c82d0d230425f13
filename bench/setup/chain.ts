import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { demoToken, deployDemoContracts, payer } from '../../sandbox/chain/demo-contracts.js';
import { deployDemoOracle } from '../../sandbox/chain/demo-oracle.js';
import { startDevChain, type DevChain } from '../../sandbox/chain/dev-chain.js';
import { nowMs } from '../processes/part-process.js';
import type { Samples } from '../processes/sink.js';
import type { Cleanup } from './cleanup.js';

const hugeBlock = '0xe8d4a51000';
/** Given with every transaction, or the node would try each out first. */
const transferGas = '0x15f90';
const manyGas = '0x7a120';
const batchSize = 250;
/** A million ether, in wei. */
const plenty = '0xd3c21bcecceda1000000';
const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

/** A development chain whose blocks come when the bench says so. */
export class BenchChain {
  #nonce = 0;

  private constructor(private readonly chain: DevChain) {}

  static async start(cleanup: Cleanup): Promise<BenchChain> {
    const say = (message: string) => console.error(`  ${message}`);
    const chain = await startDevChain({ port: 0, log: { info: () => undefined, warn: say, error: say } });
    cleanup.add('chain', () => chain.stop());
    await deployDemoContracts(chain.rpc);
    await chain.rpc('evm_setBlockGasLimit', hugeBlock);
    await chain.rpc('evm_setAutomine', false);
    const bench = new BenchChain(chain);
    bench.#nonce = Number(await chain.rpc<string>('eth_getTransactionCount', payer, 'latest'));
    return bench;
  }

  /** An oracle and who asks it. Before blocks are mined every second. */
  async deployOracle(): Promise<void> {
    await this.chain.rpc('evm_setAutomine', true);
    await deployDemoOracle(this.chain.rpc);
    await this.chain.rpc('evm_setAutomine', false);
  }

  get url(): string {
    return this.chain.url;
  }

  get wsUrl(): string {
    return this.chain.wsUrl;
  }

  /** As `patchbay.yaml` names it. */
  get configuration(): string {
    return `networks:\n  local: { rpcUrl: "${this.url}", wsUrl: "${this.wsUrl}", chainId: 31337, confirmations: 0 }\n`;
  }

  async blockNumber(): Promise<number> {
    return Number(await this.chain.rpc<string>('eth_blockNumber'));
  }

  mineEverySecond(): Promise<unknown> {
    return this.chain.rpc('evm_setIntervalMining', 1);
  }

  async stopMining(): Promise<void> {
    await this.chain.rpc('evm_setIntervalMining', 0);
  }

  /** Hands transfers to the chain, which mines them with its next block; `keyOf` says to whom each goes. */
  async sendTransfers(count: number, keyOf: (index: number) => number): Promise<void> {
    await this.#send(count, (index) => ({
      gas: transferGas,
      data: `0xa9059cbb${recipient(keyOf(index))}${word(index + 1)}`,
    }));
  }

  /** Mines blocks full of transfers, ten logs to a transaction. */
  async mineLogs(count: number, perBlock: number): Promise<void> {
    for (let mined = 0; mined < count; mined += perBlock) {
      await this.#send(perBlock / 10, (index) => ({
        gas: manyGas,
        data: `0xec1ac440${recipient((mined + index) % 200)}${word(mined + index + 1)}${word(10)}`,
      }));
      await this.chain.rpc('evm_mine');
    }
  }

  mine(): Promise<unknown> {
    return this.chain.rpc('evm_mine');
  }

  async fund(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) await this.chain.rpc('anvil_setBalance', address, plenty);
  }

  async balanceOf(address: string): Promise<bigint> {
    return BigInt(await this.chain.rpc<string>('eth_getBalance', address, 'latest'));
  }

  /** How many transactions of each are mined, or (`pending`) in the pool with none missing before them. */
  async noncesOf(addresses: readonly string[], at: 'latest' | 'pending'): Promise<number[]> {
    const nonces = await Promise.all(
      addresses.map((address) => this.chain.rpc<string>('eth_getTransactionCount', address, at)),
    );
    return nonces.map(Number);
  }

  logs<Log>(query: Readonly<Record<string, unknown>>): Promise<readonly Log[]> {
    return this.chain.rpc<readonly Log[]>('eth_getLogs', query);
  }

  /** Of the token. */
  async countTransfers(from: number, to: number): Promise<number> {
    const query = { address: demoToken, topics: [transferTopic], fromBlock: hex(from), toBlock: hex(to) };
    return (await this.chain.rpc<readonly unknown[]>('eth_getLogs', query)).length;
  }

  /** When each block was announced, by number. */
  async watchBlocks(cleanup: Cleanup): Promise<ReadonlyMap<number, number>> {
    const minedAt = new Map<number, number>();
    const socket = new WebSocket(this.wsUrl);
    cleanup.add('watcher of blocks', async () => socket.terminate());
    socket.on('message', (data: Buffer) => {
      const at = nowMs();
      const { params } = JSON.parse(data.toString()) as { params?: { result: { number: string } } };
      if (params !== undefined) minedAt.set(Number(params.result.number), at);
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
    return minedAt;
  }

  /** Hands transactions of unlocked accounts to the chain. @throws when it refuses one */
  async send(transactions: readonly Readonly<Record<string, string>>[]): Promise<void> {
    for (let from = 0; from < transactions.length; from += batchSize) {
      const batch = transactions
        .slice(from, from + batchSize)
        .map((transaction, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendTransaction', params: [transaction] }));
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(batch),
      });
      const answers = (await response.json()) as { readonly error?: { readonly message: string } }[];
      const failed = answers.find(({ error }) => error !== undefined);
      if (failed !== undefined) throw new Error(`The chain refused a transaction: ${failed.error?.message}`);
    }
  }

  async #send(count: number, transaction: (index: number) => { readonly gas: string; readonly data: string }) {
    await this.send(
      Array.from({ length: count }, (_, index) => ({
        from: payer,
        to: demoToken,
        nonce: hex(this.#nonce++),
        ...transaction(index),
      })),
    );
  }
}

/**
 * How long each took from the announcement of its block.
 *
 * @param samples – number of a block and time of an arrival, flat
 */
export function sinceMined(samples: Samples, minedAt: ReadonlyMap<number, number>): number[] {
  const ms: number[] = [];
  for (let index = 0; index + 1 < samples.length; index += 2) {
    const at = minedAt.get(samples[index]!);
    if (at !== undefined) ms.push(samples[index + 1]! - at);
  }
  return ms;
}

/** Sends at a steady pace until it is stopped. @returns how to stop it, which tells how many were sent */
export function sendSteadily(chain: BenchChain, perSecond: number): () => Promise<number> {
  const everyMs = 100;
  let sent = 0;
  let isOn = true;
  const ended = (async () => {
    const startedAt = nowMs();
    while (isOn) {
      const due = Math.floor(((nowMs() - startedAt) * perSecond) / 1_000) - sent;
      if (due > 0) await chain.sendTransfers(due, (index) => (sent + index) % 200);
      sent += Math.max(0, due);
      await delay(everyMs);
    }
  })();
  return async () => {
    isOn = false;
    await ended;
    return sent;
  };
}

/** One of the receivers, as an argument of a call. */
function recipient(key: number): string {
  return word(0x10_0000 + key);
}

function word(value: number): string {
  return value.toString(16).padStart(64, '0');
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
