import { toQuantity } from '../block.js';
import type { Rpc, RpcCall } from '../rpc-client.js';
import { RpcError } from '../rpc-error.js';
import { ModelBlocks, hexHash, type Lag, type ModelBlock, type Reorganisation } from './model-blocks.js';

/** What happens at one call to the node. */
export type ChainTurn =
  | { readonly kind: 'nothing' | 'fails' | 'isLate' | 'dies' }
  | { readonly kind: 'mines'; readonly transactions: number }
  | Reorganisation
  | Lag;

const address = `0x${'a1'.repeat(20)}`;
/** May contain anything, and is no bloom that some chains always write. */
const bloom = `0x${'f'.repeat(511)}e`;

/** A chain in memory behind a node that answers calls; at each of them something may happen. */
export class ModelChain {
  readonly chainId = 1;
  readonly batchLimit = 100;
  onDeath: () => void = () => undefined;
  readonly #chain = new ModelBlocks<string>();
  readonly #turns: ChainTurn[];
  #made = 0;

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
    return this.#turns.length === 0 && !this.#chain.isLagging;
  }

  get head(): number {
    return this.#chain.all.length - 1;
  }

  /** Transactions in the chain up to a block. */
  transactionsTo(number: number): string[] {
    return this.#chain.all.slice(0, number + 1).flatMap(({ transactions }) => transactions);
  }

  mine(count = 0): void {
    this.#chain.append(Array.from({ length: count }, () => hexHash(`transaction ${String((this.#made += 1))}`)));
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
    if (turn.kind === 'lags') this.#chain.lag(turn);
    if (turn.kind === 'dies') this.onDeath();
    if (turn.kind === 'fails') throw new RpcError('transport', 'The connection was reset');
    return this.#answer(this.#chain.answering(), method, params, turn.kind === 'isLate');
  }

  #answer(
    blocks: readonly ModelBlock<string>[],
    method: string,
    [first]: readonly unknown[],
    isLate: boolean,
  ): unknown {
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

  #headerOf(found: ModelBlock<string> | undefined): object | null {
    if (found === undefined || found.number < this.oldest) return null;
    const { number, hash, parentHash, transactions } = found;
    const logsBloom = transactions.length === 0 ? `0x${'0'.repeat(512)}` : bloom;
    return { number: toQuantity(number), hash, parentHash, timestamp: toQuantity(1_700_000_000 + number), logsBloom };
  }

  /** What leaves is mined again, spread over the new blocks, or not at all. */
  #reorganise(turn: Reorganisation): void {
    this.#chain.reorganise(turn, (gone, place) =>
      turn.keeps ? gone.filter((_, index) => index % turn.blocks === place) : [],
    );
  }
}

function logsOf({ number, hash, transactions }: ModelBlock<string>): object[] {
  return transactions.map((transactionHash, index) => ({
    ...{ address, topics: [], data: '0x01', blockNumber: toQuantity(number), blockHash: hash, transactionHash },
    ...{ transactionIndex: toQuantity(index), logIndex: toQuantity(index) },
  }));
}
