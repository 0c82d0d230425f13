import { toQuantity } from '../block.js';
import type { RpcCall, RpcClient } from '../rpc-client.js';
import { RpcError } from '../rpc-error.js';
import { ModelBlocks, hexHash, type Lag, type ModelBlock, type Reorganisation } from './model-blocks.js';

/** What happens at one call to the node. */
export type NodeTurn =
  | {
      readonly kind:
        | 'nothing'
        /** The call does not arrive. */
        | 'loses'
        /** What was asked for is done, and the answer does not arrive. */
        | 'losesAnswer'
        /** What it has taken and not mined. */
        | 'forgets'
        | 'rises'
        | 'falls'
        | 'dies'
        | 'storeIsAway'
        | 'storeLosesAnswer';
    }
  | Reorganisation
  | Lag;

interface Sent {
  readonly hash: string;
  readonly nonce: number;
  readonly max: bigint;
  readonly data: string;
}

const perBlock = 4;
const usualPrice = 100n;
const deepest = 3;

/** A chain in memory with one sender, and a node before it that takes transactions by the rules of nonces and prices. */
export class ModelNode {
  price = usualPrice;
  readonly #turns: NodeTurn[];
  /** Never changes below what anybody who waits for that many blocks believes. */
  readonly #chain = new ModelBlocks<Sent>(deepest);
  readonly #pool = new Map<number, Sent>();

  /** @param onTurn – hears of what is not the node's own business */
  constructor(
    readonly from: string,
    turns: readonly NodeTurn[],
    private readonly onTurn: (kind: NodeTurn['kind']) => void,
  ) {
    this.#turns = [...turns];
  }

  get isQuiet(): boolean {
    return this.#turns.length === 0;
  }

  /** What was mined, in the order of nonces. */
  get mined(): readonly (Sent & { readonly blockHash: string })[] {
    return this.#chain.all.flatMap(({ hash: blockHash, transactions }) =>
      transactions.map((sent) => ({ ...sent, blockHash })),
    );
  }

  mine(): void {
    const transactions: Sent[] = [];
    for (let nonce = countOf(this.#chain.all); transactions.length < perBlock; nonce += 1) {
      const sent = this.#pool.get(nonce);
      if (!sent || sent.max < this.price) break;
      transactions.push(sent);
    }
    this.#chain.append(transactions);
    this.#forgetMined();
  }

  /** What happens now. */
  turn(): NodeTurn['kind'] {
    const turn = this.#turns.shift() ?? { kind: 'nothing' };
    if (turn.kind === 'forgets') this.#pool.clear();
    if (turn.kind === 'rises') this.price *= 3n;
    if (turn.kind === 'falls') this.price = usualPrice;
    if (turn.kind === 'reorganises') this.#reorganise(turn);
    if (turn.kind === 'lags') this.#chain.lag(turn);
    this.onTurn(turn.kind);
    return turn.kind;
  }

  /** @param lives – whether who asks is still there; one who is not gets no answers any more */
  rpc(lives: () => boolean): RpcClient {
    const request = async (method: string, params: readonly unknown[] = []): Promise<unknown> => {
      await Promise.resolve();
      const turn = lives() ? this.turn() : 'nothing';
      if (!lives()) return await new Promise<never>(() => undefined);
      if (turn === 'loses') throw new RpcError('transport', 'The connection was reset');
      const answer = this.#answer(this.#chain.answering(), method, params);
      if (turn === 'losesAnswer') throw new RpcError('transport', 'The connection was reset');
      return answer;
    };
    const rpc = {
      ...{ chainId: 1, batchLimit: 100, size: 1, request },
      requestMany: (calls: readonly RpcCall[]) =>
        Promise.allSettled(calls.map(({ method, params }) => request(method, params))),
      requestAll: async (method: string, params: readonly unknown[]) => [await request(method, params)],
      pass: (ask: (one: unknown) => unknown) => ask(rpc),
      traits: () => Promise.resolve({ blockReceipts: true }),
    };
    return rpc as unknown as RpcClient;
  }

  #answer(blocks: readonly ModelBlock<Sent>[], method: string, [first, second]: readonly unknown[]): unknown {
    switch (method) {
      case 'eth_blockNumber':
        return toQuantity(blocks.length - 1);
      case 'eth_getBlockByNumber':
        return headerOf(first === 'latest' ? blocks.at(-1) : blocks[Number(first)]);
      case 'eth_getTransactionCount': {
        let count = countOf(blocks);
        if (second === 'pending') while (this.#pool.has(count)) count += 1;
        return toQuantity(count);
      }
      case 'eth_getTransactionReceipt': {
        const found = blocks.find(({ transactions }) => transactions.some(({ hash: own }) => own === first));
        return found
          ? (this.#receiptsOf(found).find(({ transactionHash }) => transactionHash === first) ?? null)
          : null;
      }
      case 'eth_getBlockReceipts': {
        const found = blocks.find(({ hash: own }) => own === first);
        return found ? this.#receiptsOf(found) : null;
      }
      case 'eth_getTransactionByHash':
        return [...blocks.flatMap(({ transactions }) => transactions), ...this.#pool.values()].some(
          ({ hash: own }) => own === first,
        )
          ? {}
          : null;
      case 'eth_sendRawTransaction':
        return this.#take(String(first));
      default:
        throw new RpcError('rejected', `${method} is unknown`, { rpcCode: -32601 });
    }
  }

  #take(raw: string): string {
    const { nonce, max, data } = JSON.parse(raw) as {
      readonly nonce: number;
      readonly max: string;
      readonly data: string;
    };
    const sent: Sent = { hash: hexHash(raw), nonce, max: BigInt(max), data };
    const known = this.#pool.get(nonce);
    if (known?.hash === sent.hash || this.mined.some(({ hash: own }) => own === sent.hash))
      throw refusal('already known');
    if (nonce < countOf(this.#chain.all)) throw refusal('nonce too low');
    if (known && sent.max * 10n < known.max * 11n) throw refusal('replacement transaction underpriced');
    this.#pool.set(nonce, sent);
    return sent.hash;
  }

  #receiptsOf({ number, hash: blockHash, transactions }: ModelBlock<Sent>) {
    const place = { blockHash, blockNumber: toQuantity(number), from: this.from, status: '0x1', gasUsed: '0x5208' };
    return transactions.map((sent, index) => ({
      ...{ ...place, transactionHash: sent.hash, transactionIndex: toQuantity(index), logs: [], contractAddress: null },
    }));
  }

  /** What leaves is in the pool again, or nowhere. */
  #reorganise(turn: Reorganisation): void {
    const gone = this.#chain.reorganise(turn);
    if (turn.keeps) for (const sent of gone) this.#pool.set(sent.nonce, sent);
    this.#forgetMined();
  }

  #forgetMined(): void {
    const count = countOf(this.#chain.all);
    for (const nonce of this.#pool.keys()) if (nonce < count) this.#pool.delete(nonce);
  }
}

function countOf(blocks: readonly ModelBlock<Sent>[]): number {
  return blocks.reduce((sum, { transactions }) => sum + transactions.length, 0);
}

function headerOf(found: ModelBlock<Sent> | undefined): object | null {
  if (found === undefined) return null;
  const { number, transactions, ...rest } = found;
  const numbers = { number: toQuantity(number), timestamp: toQuantity(1_700_000_000 + number), gasLimit: '0x1c9c380' };
  return { ...rest, ...numbers, logsBloom: '0x', transactions: transactions.map(({ hash: own }) => own) };
}

function refusal(words: string): RpcError {
  return new RpcError('rejected', words, { rpcCode: -32000 });
}
