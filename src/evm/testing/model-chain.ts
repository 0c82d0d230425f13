import { toQuantity } from '../block.js';
import type { Rpc, RpcCall } from '../rpc-client.js';
import { RpcError } from '../rpc-error.js';

/** What happens at one call to the node. */
export type ChainTurn =
  | { readonly kind: 'nothing' | 'fails' | 'isLate' | 'dies' }
  | { readonly kind: 'mines'; readonly transactions: number }
  /** That many blocks leave the chain; what they had is mined again in as many of the new ones, or not at all. */
  | { readonly kind: 'reorganises'; readonly depth: number; readonly blocks: number; readonly keeps: boolean }
  /** A node behind answers: for so many calls the chain looks as it was that many changes ago. */
  | { readonly kind: 'lags'; readonly calls: number; readonly behind: number };

interface ModelBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly transactions: readonly string[];
}

const address = `0x${'a1'.repeat(20)}`;
/** May contain anything, and is no bloom that some chains always write. */
const bloom = `0x${'f'.repeat(511)}e`;

/** A chain in memory behind a node that answers calls; at each of them something may happen. */
export class ModelChain {
  readonly chainId = 1;
  readonly batchLimit = 100;
  onDeath: () => void = () => undefined;
  #blocks: readonly ModelBlock[] = [block(0, hashOf(0), hashOf(-1), [])];
  readonly #history: (readonly ModelBlock[])[] = [];
  #turns: ChainTurn[];
  #made = 0;
  #lagging = 0;
  #view: readonly ModelBlock[] | undefined;

  /**
   * @param mostBlocks – of one search; more is refused
   * @param oldest – whose header the node still has
   */
  constructor(
    turns: readonly ChainTurn[],
    private readonly mostBlocks = 1_000,
    private readonly oldest = 0,
  ) {
    this.#turns = [...turns];
  }

  get isQuiet(): boolean {
    return this.#turns.length === 0 && this.#lagging === 0;
  }

  get head(): number {
    return this.#blocks.length - 1;
  }

  /** Transactions in the chain up to a block. */
  transactionsTo(number: number): string[] {
    return this.#blocks.slice(0, number + 1).flatMap(({ transactions }) => transactions);
  }

  mine(count = 0): void {
    this.#extend(this.#blocks, [Array.from({ length: count }, () => this.#next())]);
  }

  async pass<T>(ask: (rpc: Rpc) => Promise<T>): Promise<T> {
    return await ask(this as unknown as Rpc);
  }

  async requestMany(calls: readonly RpcCall[]) {
    return await Promise.allSettled(calls.map(({ method, params }) => this.request(method, params)));
  }

  async request(method: string, params: readonly unknown[] = []): Promise<unknown> {
    await Promise.resolve();
    const turn = this.#turns.shift() ?? { kind: 'nothing' };
    if (turn.kind === 'mines') this.mine(turn.transactions);
    if (turn.kind === 'reorganises') this.#reorganise(turn);
    if (turn.kind === 'dies') this.onDeath();
    if (turn.kind === 'fails') throw new RpcError('transport', 'The connection was reset');
    if (turn.kind === 'lags') {
      this.#view = this.#history.at(-turn.behind) ?? this.#blocks;
      this.#lagging = turn.calls;
    }
    const blocks = this.#lagging > 0 ? (this.#view ?? this.#blocks) : this.#blocks;
    this.#lagging = Math.max(0, this.#lagging - 1);
    return this.#answer(blocks, method, params, turn.kind === 'isLate');
  }

  #answer(blocks: readonly ModelBlock[], method: string, [first]: readonly unknown[], isLate: boolean): unknown {
    switch (method) {
      case 'eth_getBlockByNumber':
        return this.#headerOf(first === 'latest' ? blocks.at(-1) : blocks[Number(first)]);
      case 'eth_getBlockByHash':
        return this.#headerOf(blocks.find(({ hash }) => hash === first));
      case 'eth_getBlockReceipts': {
        const found = blocks.find(({ hash }) => hash === first);
        return found ? [{ logs: logsOf(found) }] : null;
      }
      case 'eth_getLogs': {
        const { fromBlock, toBlock } = first as { readonly fromBlock: string; readonly toBlock: string };
        const end = Number(toBlock);
        if (end - Number(fromBlock) >= this.mostBlocks) throw new RpcError('rangeTooLarge', 'Too many blocks');
        if (end >= blocks.length) return blocks.slice(Number(fromBlock)).flatMap(logsOf);
        // What was mined last is not indexed yet.
        return blocks.slice(Number(fromBlock), isLate ? Math.min(end + 1, blocks.length - 1) : end + 1).flatMap(logsOf);
      }
      default:
        throw new RpcError('rejected', `${method} is unknown`, { rpcCode: -32601 });
    }
  }

  #headerOf(found: ModelBlock | undefined): object | null {
    if (found === undefined || found.number < this.oldest) return null;
    const { number, hash, parentHash, transactions } = found;
    const logsBloom = transactions.length === 0 ? `0x${'0'.repeat(512)}` : bloom;
    return { number: toQuantity(number), hash, parentHash, timestamp: toQuantity(1_700_000_000 + number), logsBloom };
  }

  #reorganise({ depth, blocks: count, keeps }: Extract<ChainTurn, { kind: 'reorganises' }>): void {
    const stays = Math.max(1, this.#blocks.length - depth);
    const gone = this.#blocks.slice(stays).flatMap(({ transactions }) => transactions);
    const fresh = Array.from({ length: count }, (_, place) =>
      keeps && count > 0 ? gone.filter((_, index) => index % count === place) : [],
    );
    this.#extend(this.#blocks.slice(0, stays), fresh);
  }

  #extend(base: readonly ModelBlock[], fresh: readonly (readonly string[])[]): void {
    this.#history.push(this.#blocks);
    const blocks = [...base];
    for (const transactions of fresh) {
      const parent = blocks.at(-1);
      blocks.push(block(blocks.length, this.#next(), parent?.hash ?? '', transactions));
    }
    this.#blocks = blocks;
  }

  #next(): string {
    return hashOf((this.#made += 1) + 1_000);
  }
}

function block(number: number, hash: string, parentHash: string, transactions: readonly string[]): ModelBlock {
  return { number, hash, parentHash, transactions };
}

function hashOf(number: number): string {
  return `0x${(BigInt(number) + 1n).toString(16).padStart(64, '0')}`;
}

function logsOf({ number, hash, transactions }: ModelBlock): object[] {
  return transactions.map((transactionHash, index) => ({
    ...{ address, topics: [], data: '0x01', blockNumber: toQuantity(number), blockHash: hash, transactionHash },
    ...{ transactionIndex: toQuantity(index), logIndex: toQuantity(index) },
  }));
}
