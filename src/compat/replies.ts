import type { Network } from '#evm';
import type { NetworksService } from '#networks';
import { PatchbayError } from '#sdk';
import { callersKey, givenKey, type TransactionDetail, type TransactionsQueries } from '#transactions';
import type { CompatSettings } from './compat-settings.js';

/** What became of a request, in the words of old clients. */
export type Reply = Readonly<Record<string, unknown>>;

export interface RepliesFilter {
  readonly limit: number;
  readonly skip: number;
  readonly since: Date | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

interface NodeReceipt {
  readonly status?: string;
  readonly transactionIndex?: string;
  readonly cumulativeGasUsed?: string;
}

type Transaction = Omit<TransactionDetail, 'data' | 'attempts' | 'history'>;

/** The receipt store of old clients: nothing is stored twice, each receipt is read from its transaction. */
export class Replies {
  constructor(
    private readonly parts: {
      readonly transactions: TransactionsQueries;
      readonly networks: NetworksService;
      readonly settings: CompatSettings;
    },
  ) {}

  /** Newest first; those that are not mined yet say `pending`. */
  async list({ limit, skip, since, from, to }: RepliesFilter): Promise<Reply[]> {
    const filter = { signer: from, contract: to, createdAfter: since, limit: limit + skip };
    const { items } = await this.parts.transactions.list(filter);
    return this.#describe(items.slice(skip));
  }

  /** Those of the ids that are known. */
  async some(ids: readonly string[], callerId: string): Promise<Reply[]> {
    const found = await Promise.all(ids.map((id) => this.#find(id, callerId)));
    return this.#describe(found.filter((transaction) => transaction !== undefined));
  }

  /** @throws request.notFound */
  async get(id: string, callerId: string): Promise<Reply> {
    const [reply] = await this.some([id], callerId);
    if (reply) return reply;
    throw new PatchbayError('request.notFound', { detail: `There is no request ${id.slice(0, 200)}` });
  }

  /** Of a transaction, by our id. @throws request.notFound */
  async of(transactionId: string): Promise<Reply> {
    const [reply] = await this.#describe([await this.parts.transactions.get(transactionId)]);
    return reply!;
  }

  /** By the id that its caller gave it, by the one that we gave it, or by its hash. */
  async #find(id: string, callerId: string): Promise<Transaction | undefined> {
    const { transactions } = this.parts;
    const byKey = await transactions.list({ idempotencyKey: callersKey({ id: callerId }, id), limit: 1 });
    if (byKey.items[0]) return byKey.items[0];
    return transactions.get(id).catch((error: unknown) => {
      if (error instanceof PatchbayError && error.code === 'request.notFound') return undefined;
      throw error;
    });
  }

  async #describe(transactions: readonly Transaction[]): Promise<Reply[]> {
    const chains = new Set(transactions.map(({ chainId }) => chainId));
    const receipts = new Map<string, NodeReceipt>();
    for (const chainId of chains) {
      const mined = transactions.filter((one) => one.chainId === chainId && one.receipt !== null);
      for (const [hash, receipt] of await this.#receipts(chainId, mined)) receipts.set(hash, receipt);
    }
    return transactions.map((one) => replyOf(one, receipts.get(one.hash ?? ''), this.parts.settings));
  }

  /** What only the node knows is left out while it does not answer. */
  async #receipts(chainId: number, mined: readonly Transaction[]): Promise<[string, NodeReceipt][]> {
    if (mined.length === 0) return [];
    const network: Network | undefined = await this.parts.networks.byChainId(chainId).catch(() => undefined);
    const calls = mined.map(({ hash }) => ({ method: 'eth_getTransactionReceipt', params: [hash] }));
    const answers = (await network?.rpc.requestMany(calls).catch(() => [])) ?? [];
    return mined.flatMap(({ hash }, index): [string, NodeReceipt][] => {
      const answer = answers[index];
      if (hash === null || answer?.status !== 'fulfilled' || answer.value === null) return [];
      return [[hash, answer.value as NodeReceipt]];
    });
  }
}

/** The id that its caller gave the request that was just accepted, or else ours. */
export function requestIdOf({ id, idempotencyKey }: { readonly id: string; readonly idempotencyKey: string }): string {
  return givenKey(idempotencyKey) ?? id;
}

export function isSuccess(reply: Reply): boolean {
  return (reply['headers'] as { type?: unknown } | undefined)?.type === 'TransactionSuccess';
}

function replyOf(transaction: Transaction, receipt: NodeReceipt | undefined, { base }: CompatSettings): Reply {
  const { id, createdAt, updatedAt, status, failure, hash } = transaction;
  const requestId = (transaction.origin?.startsWith('key:') === true ? transaction.idempotencyKey : null) ?? id;
  const common = { _id: requestId, receivedAt: createdAt.getTime() };
  const type = typeOf(transaction, receipt);
  const headers = {
    id,
    requestId,
    requestOffset: '',
    timeReceived: createdAt.toISOString(),
    timeElapsed: (updatedAt.getTime() - createdAt.getTime()) / 1_000,
    ...(type !== undefined && { type }),
  };
  if (type === undefined) return { ...common, pending: true, headers };
  if (type === 'Error') {
    return {
      ...common,
      headers,
      errorMessage: failure?.detail ?? `The transaction was ${status}`,
      errorCode: failure?.code ?? 'evm.cancelled',
      ...(hash !== null && { transactionHash: hash }),
    };
  }
  return {
    ...common,
    headers,
    ...receiptOf(transaction, receipt),
    status: type === 'TransactionSuccess' ? '1' : '0',
    ...(failure !== null && { errorMessage: failure.detail, errorCode: failure.code }),
    ...(transaction.contractAddress !== null && {
      contractAddress: transaction.contractAddress,
      openapi: `${base}/contracts/${transaction.contractAddress}?openapi`,
      apiexerciser: `${base}/contracts/${transaction.contractAddress}?ui`,
    }),
  };
}

function receiptOf({ hash, receipt, from, to, nonce }: Transaction, node: NodeReceipt | undefined): Reply {
  return {
    transactionHash: hash,
    blockHash: receipt?.blockHash,
    blockNumber: String(receipt?.blockNumber),
    gasUsed: receipt?.gasUsed,
    ...(node?.transactionIndex !== undefined && { transactionIndex: String(Number(node.transactionIndex)) }),
    ...(node?.cumulativeGasUsed !== undefined && { cumulativeGasUsed: String(Number(node.cumulativeGasUsed)) }),
    nonce: String(nonce),
    from,
    to,
  };
}

/** Undefined as long as it is not known how it ends. */
function typeOf(
  { status, receipt, failure }: Transaction,
  node: NodeReceipt | undefined,
): 'TransactionSuccess' | 'TransactionFailure' | 'Error' | undefined {
  const isMined = receipt !== null;
  switch (status) {
    case 'confirmed':
      return 'TransactionSuccess';
    case 'failed':
      return isMined ? 'TransactionFailure' : 'Error';
    case 'cancelled':
      return 'Error';
    case 'mined':
      if (failure !== null || node?.status === '0x0') return 'TransactionFailure';
      return node?.status === '0x1' ? 'TransactionSuccess' : undefined;
    default:
      return undefined;
  }
}
