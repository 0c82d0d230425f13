import { decodeCall, signatureOf, type Abi, type AddressBook, type ChainLog, type RpcClient } from '#evm';

/** What is known of the transaction of a log. */
export type DetailsOf = (log: ChainLog) => Readonly<Record<string, unknown>>;

interface ChainTransaction {
  readonly from: string;
  readonly to: string | null;
  readonly input: string;
}

const inOneRequest = 100;
const maxKnownAbis = 1_000;

/** Fetches who signed the transactions of some logs, and what they called. */
export class TransactionDetails {
  readonly #abis = new Map<string, Promise<Abi | undefined>>();

  constructor(
    private readonly rpc: RpcClient,
    private readonly book: AddressBook,
    private readonly wanted: { readonly call: boolean; readonly signer: boolean },
  ) {}

  /** A node that has forgotten a transaction must not stop the stream: its details then say so. */
  async of(logs: readonly ChainLog[], signal: AbortSignal): Promise<DetailsOf> {
    const hashes = [...new Set(logs.map((log) => log.transactionHash))];
    const details = new Map<string, Readonly<Record<string, unknown>>>();
    for (let start = 0; start < hashes.length; start += inOneRequest) {
      const part = hashes.slice(start, start + inOneRequest);
      const answers = await this.rpc.requestMany(
        part.map((hash) => ({ method: 'eth_getTransactionByHash', params: [hash] })),
        signal,
      );
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'rejected') throw rpcError(answer.reason);
        details.set(part[index] ?? '', await this.#describe(answer.value as ChainTransaction | null));
      }
    }
    return (log) => details.get(log.transactionHash) ?? {};
  }

  async #describe(transaction: ChainTransaction | null): Promise<Readonly<Record<string, unknown>>> {
    if (transaction === null) return { detailsError: 'The node does not know the transaction any more' };
    return {
      ...(this.wanted.signer ? { from: transaction.from.toLowerCase() } : {}),
      ...(this.wanted.call ? { call: await this.#callOf(transaction) } : {}),
    };
  }

  async #callOf({ to, input }: ChainTransaction): Promise<Readonly<Record<string, unknown>>> {
    if (to === null) return { to: null, function: 'constructor' };
    const address = to.toLowerCase();
    const abi = await this.#abiOf(address);
    const decoded = abi && decodeCall(abi, input);
    if (!decoded) return { to: address, selector: input.slice(0, 10) };
    return { to: address, function: signatureOf(decoded.fragment), args: decoded.args };
  }

  #abiOf(address: string): Promise<Abi | undefined> {
    const known = this.#abis.get(address);
    if (known) return known;
    const finding = this.book.get(address).then(
      (contract) => contract.abi,
      () => undefined,
    );
    if (this.#abis.size >= maxKnownAbis) this.#abis.clear();
    this.#abis.set(address, finding);
    return finding;
  }
}

/** As it is, so that the watcher sees whose fault it was. */
function rpcError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
