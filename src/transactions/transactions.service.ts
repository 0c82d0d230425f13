import {
  feeWishOf,
  hasReached,
  type Finality,
  type StoredFeeWish,
  type TransactionRecord,
  type Transactions,
  type Wait,
} from '#evm';
import type { AuditLog, Caller } from '#platform';
import { PatchbayError } from '#sdk';
import { callersKey, originOf } from './callers-keys.js';
import type { TransactionsQueries } from './transactions.queries.js';
import type { TransactionBody } from './transactions.schema.js';
import type { TransactionDetail } from './transaction-views.js';

/** A network, as far as sending goes. */
export interface SendingNetwork {
  readonly transactions: Transactions;
  finalityOf(confirmations: Finality | undefined): Finality;
}

/** The networks, by name or by chain. */
export interface SendingNetworks {
  get(name?: string): Promise<SendingNetwork>;
  byChainId(chainId: number): Promise<SendingNetwork>;
}

type BatchItem = TransactionBody & { readonly idempotencyKey?: string | undefined };
type BatchResult =
  | { readonly id: string; readonly status: string }
  | {
      readonly error: { readonly code: string; readonly title: string; readonly detail: string; readonly fix?: string };
    };

const longestWaitMs = 30_000;
/** Of one batch; each asks the node what its transaction would do. */
const atOnce = 50;

/** What callers of the API may do with transactions; each deed is noted in the audit. */
export class TransactionsService {
  constructor(
    private readonly networks: SendingNetworks,
    private readonly queries: TransactionsQueries,
    private readonly audit: AuditLog,
  ) {}

  /** @returns it as it is once it is as far as was asked for, or after 30 s; `isReached` tells which */
  async send(
    body: TransactionBody & { readonly wait: Wait },
    caller: Caller,
    idempotencyKey: string | undefined,
  ): Promise<{ transaction: TransactionDetail; isReached: boolean }> {
    const network = await this.networks.get(body.network);
    const record = await submit(network, body, caller, idempotencyKey);
    const noted = this.audit.write({ actor: caller.name, action: 'transaction.send', subject: record.id });
    const [reached] = await Promise.all([this.#whenReached(network, record, body.wait), noted]);
    return reached;
  }

  /** One by one; what is wrong with one does not hold the others up. The order among them is not promised. */
  async sendAll(items: readonly BatchItem[], caller: Caller): Promise<readonly BatchResult[]> {
    const results: BatchResult[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let index = next++; index < items.length; index = next++) {
        const item = items[index];
        if (item) results[index] = await this.#sendOne(item, caller);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
    const sent = results.flatMap((result) => ('id' in result ? result.id : []));
    await this.audit.write({ actor: caller.name, action: 'transaction.send', detail: { transactions: sent } });
    return results;
  }

  /** Nothing in its place, if that is still possible. @throws request.conflict when it is final */
  async cancel(idOrHash: string, caller: Caller): Promise<TransactionDetail> {
    const { id, network } = await this.#own(idOrHash, caller);
    await network.transactions.cancel(id);
    await this.audit.write({ actor: caller.name, action: 'transaction.cancel', subject: id });
    return this.queries.get(id);
  }

  /** The same at a higher fee. @throws request.conflict when it is final */
  async replace(idOrHash: string, fee: StoredFeeWish, caller: Caller): Promise<TransactionDetail> {
    const { id, network, cap } = await this.#own(idOrHash, caller);
    const limit = caller.limits?.feeCap ?? cap;
    if (caller.limits && limit !== undefined && [fee.max, fee.cap].some((wish) => BigInt(wish ?? 0) > BigInt(limit))) {
      throw new PatchbayError('evm.limit', {
        detail: `The API key ${caller.name} may pay ${limit} wei per gas`,
        fix: 'The limit is called feeCap; who set it can change it.',
      });
    }
    await network.transactions.replace(id, feeWishOf({ ...(cap !== undefined && { cap }), ...fee }));
    await this.audit.write({ actor: caller.name, action: 'transaction.replace', subject: id, detail: { fee } });
    return this.queries.get(id);
  }

  async #whenReached(
    { transactions }: SendingNetwork,
    record: TransactionRecord,
    wait: Wait,
  ): Promise<{ transaction: TransactionDetail; isReached: boolean }> {
    if (wait === 'accepted') {
      const isNew = record.status === 'reserved';
      return {
        transaction: isNew ? this.queries.accepted(record) : await this.queries.get(record.id),
        isReached: false,
      };
    }
    const until = wait === 'mined' ? 'mined' : 'final';
    const signal = new AbortController().signal;
    const waited = await transactions.waitFor(record.id, until, { withinMs: longestWaitMs, signal });
    return { transaction: await this.queries.get(record.id), isReached: hasReached(waited, until) };
  }

  async #sendOne(item: BatchItem, caller: Caller): Promise<BatchResult> {
    try {
      const network = await this.networks.get(item.network);
      const { id, status } = await submit(network, item, caller, item.idempotencyKey);
      return { id, status };
    } catch (thrown) {
      const { code, title, detail, fix } = PatchbayError.from(thrown);
      return { error: { code, title, detail, ...(fix !== undefined && { fix }) } };
    }
  }

  /** A key with limits has a say in what it sent itself. */
  async #own(
    idOrHash: string,
    caller: Caller,
  ): Promise<{ id: string; network: SendingNetwork; cap: string | undefined }> {
    const { id, chainId, origin, fee } = await this.queries.get(idOrHash);
    if (caller.limits && origin !== originOf(caller)) {
      throw new PatchbayError('auth.forbidden', {
        detail: `The key "${caller.name}" has limits, and the transaction ${id} was not sent by it`,
      });
    }
    return { id, network: await this.networks.byChainId(chainId), cap: fee?.cap };
  }
}

async function submit(
  network: SendingNetwork,
  body: TransactionBody,
  caller: Caller,
  idempotencyKey: string | undefined,
): Promise<TransactionRecord> {
  const { from, to, data, value, gas, fee, confirmations } = body;
  return network.transactions.submit({
    idempotencyKey: callersKey(caller, idempotencyKey),
    signer: from,
    data,
    value: BigInt(value),
    finality: network.finalityOf(confirmations),
    origin: originOf(caller),
    ...(to !== undefined && { to }),
    ...(gas !== undefined && { gasLimit: BigInt(gas) }),
    ...(fee && { fee: feeWishOf(fee) }),
  });
}
