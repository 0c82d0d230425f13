import { createHash } from 'node:crypto';
import { PatchbayError, type Logger } from '#sdk';
import type { Abi } from './abi.js';
import { findBlock, parseQuantity, toQuantity } from './block.js';
import { currentFee, raisedFee } from './fees.js';
import { finalizedFallback } from './final-blocks.js';
import { NonceManager } from './nonce-manager.js';
import { findReceipt, type Receipt } from './receipt.js';
import { asRevert } from './revert-reason.js';
import type { RpcClient } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import type { Signer, SignerSource } from './signer.js';
import { classifySubmission } from './submission-error.js';
import type { Finality } from './subscription.js';
import type {
  TransactionAttempt,
  TransactionFailure,
  TransactionRecord,
  TransactionStore,
} from './transaction-store.js';

export interface SendRequest {
  /** The same request under the same key is the same transaction, for ever. */
  readonly idempotencyKey: string;
  /** Name of the signer. */
  readonly signer: string;
  readonly to: string;
  readonly data: string;
  readonly value: bigint;
  readonly finality: Finality;
  /** Estimated, and a fifth more, when it is not given. */
  readonly gasLimit?: bigint;
  /** Explains why a call is refused. */
  readonly abi?: Abi;
}

export interface TransactionSenderOptions {
  readonly rpc: RpcClient;
  readonly store: TransactionStore;
  readonly signers: SignerSource;
  readonly log: Logger;
  /** Blocks that a transaction may wait before its fee is raised. Default 3. */
  readonly raiseAfterBlocks?: number;
  /** Time after which the same bytes are sent again, because a node may say yes and forget. Default 60,000. */
  readonly resendAfterMs?: number;
  /** Asked for again after this time when it is not final yet. Default 2,000. */
  readonly pendingRetryMs?: number;
}

const firstLookMs = 20;
const longestLookMs = 500;
const sweepSize = 200;
/** Looks at a nonce that somebody else seems to have used are this far apart before it is believed. */
const nonceDoubtMs = 10_000;
const fillerGas = 21_000n;

/**
 * Sends a transaction at most once per idempotency key, whatever crashes in between: its nonce is reserved, then its bytes
 * are stored, then they are broadcast, and every later attempt uses the same nonce. All methods may be called again at any
 * time and by any process; each goes on where the record stands.
 */
export class TransactionSender {
  readonly #options: TransactionSenderOptions;
  readonly #nonces: NonceManager;
  readonly #doubts = new Map<string, number>();

  constructor(options: TransactionSenderOptions) {
    this.#options = options;
    this.#nonces = new NonceManager(options.rpc, options.store);
  }

  /**
   * Starts the transaction, or goes on with it, as far as is possible without waiting.
   *
   * @throws request.conflict when the key was used for something else
   * @throws evm.reverted, evm.insufficientFunds before a nonce is used
   */
  async send(request: SendRequest): Promise<TransactionRecord> {
    const { store, rpc, signers } = this.#options;
    const signer = await signers.get(request.signer);
    const { idempotencyKey, to, data, value, finality } = request;
    const payloadHash = hashPayload([rpc.chainId, signer.address, to, data, value.toString()]);
    let record = await store.find(idempotencyKey);
    if (!record) {
      const gasLimit = await this.#validate(request, signer);
      record = await this.#nonces.reserve({
        idempotencyKey,
        payloadHash,
        chainId: rpc.chainId,
        signer: signer.name,
        from: signer.address,
        to,
        data,
        value: value.toString(),
        gasLimit: gasLimit.toString(),
        finality,
      });
    }
    if (record.payloadHash !== payloadHash) {
      throw new PatchbayError('request.conflict', {
        detail: `The idempotency key ${idempotencyKey} was used for another transaction`,
        fix: 'Use a new key for a new transaction.',
      });
    }
    return await this.#advance(record);
  }

  /**
   * Like {@link send}, and resolves once the transaction is final.
   *
   * @throws evm.pending when that takes longer than `withinMs`; ask again with the same request
   * @throws evm.reverted, evm.nonceTaken when it is final and has failed
   */
  async sendAndWait(
    request: SendRequest,
    { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<TransactionRecord> {
    const deadline = performance.now() + withinMs;
    let record = await this.send(request);
    for (let lookMs = firstLookMs; !isFinal(record); lookMs = Math.min(longestLookMs, lookMs * 1.5)) {
      if (performance.now() + lookMs > deadline || signal.aborted) {
        throw new PatchbayError('evm.pending', {
          detail: `The transaction ${record.place?.hash ?? record.attempts.at(-1)?.hash ?? record.id} is ${record.status}`,
          retryAfterMs: this.#options.pendingRetryMs ?? 2_000,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, lookMs));
      record = await this.#advance(record);
    }
    if (record.status === 'failed') {
      throw new PatchbayError(record.failure?.code ?? 'evm.reverted', {
        detail: record.failure?.detail ?? `The transaction ${record.place?.hash ?? ''} was reverted`,
      });
    }
    return record;
  }

  /** Goes on with everything that is not final, in the order of nonces; one that cannot go on does not hold the others. */
  async sweep(): Promise<number> {
    const { store, rpc, log } = this.#options;
    const records = await store.listUnfinished(rpc.chainId, sweepSize);
    for (const record of records) {
      try {
        await this.#advance(record);
      } catch (error) {
        log.info('A transaction could not go on', {
          transaction: record.id,
          reason: PatchbayError.from(error).message,
        });
      }
    }
    return records.length;
  }

  async #validate({ to, data, value, gasLimit, abi }: SendRequest, signer: Signer): Promise<bigint> {
    const call = { from: signer.address, to, data, value: toQuantity(value) };
    const { rpc } = this.#options;
    try {
      const [estimate, balance, fee] = await Promise.all([
        rpc.request<string>('eth_estimateGas', [call]).then(BigInt),
        rpc.request<string>('eth_getBalance', [signer.address, 'latest']).then(BigInt),
        currentFee(rpc),
      ]);
      const gas = gasLimit ?? (estimate * 6n) / 5n;
      if (balance < value + gas * fee.max) throw this.#poor(signer.address, undefined);
      return gas;
    } catch (error) {
      if (classifySubmission(error) === 'insufficientFunds') throw this.#poor(signer.address, error);
      throw asRevert(error, abi ?? []) ?? error;
    }
  }

  async #advance(record: TransactionRecord): Promise<TransactionRecord> {
    switch (record.status) {
      case 'reserved':
        return await this.#broadcast(await this.#sign(record, 'payload', await currentFee(this.#options.rpc)));
      case 'signed':
      case 'broadcast':
        return await this.#settle(record);
      case 'mined':
        return await this.#confirm(record);
      case 'confirmed':
      case 'failed':
        return record;
    }
  }

  /** Stores the bytes before anybody else sees them: a signature that is forgotten could not be found on the chain. */
  async #sign(
    record: TransactionRecord,
    kind: TransactionAttempt['kind'],
    fee: Awaited<ReturnType<typeof currentFee>>,
  ): Promise<TransactionRecord> {
    const signer = await this.#options.signers.get(record.signer);
    if (signer.address !== record.from) {
      throw new PatchbayError('evm.unknownSigner', {
        detail: `The signer ${record.signer} has another address now; the transaction was begun by ${record.from}`,
        fix: 'Give the signer its former key until its transactions are final.',
      });
    }
    const isFiller = kind === 'filler';
    const { raw, hash } = await signer.signTransaction({
      chainId: record.chainId,
      nonce: record.nonce,
      to: isFiller ? record.from : record.to,
      data: isFiller ? '0x' : record.data,
      value: isFiller ? 0n : BigInt(record.value),
      gasLimit: isFiller ? fillerGas : BigInt(record.gasLimit),
      fee,
    });
    const number = record.attempts.length + 1;
    const attempt = { number, kind, hash, raw, maxFee: fee.max.toString(), tip: fee.tip?.toString() };
    await this.#options.store.addAttempt(record.id, attempt);
    return await this.#reload(record);
  }

  /** Sends the newest stored bytes; the answer decides how it goes on, and no answer means nothing. */
  async #broadcast(record: TransactionRecord, mayRaise = true): Promise<TransactionRecord> {
    const { rpc, store } = this.#options;
    const attempt = record.attempts.at(-1);
    if (!attempt) return record;
    try {
      await rpc.request('eth_sendRawTransaction', [attempt.raw]);
    } catch (error) {
      switch (classifySubmission(error)) {
        case 'accepted':
        case 'nonceTooHigh':
          // An earlier nonce is still missing; that one is swept as well, and the node may keep or forget this one.
          break;
        case 'nonceTooLow':
          this.#nonces.distrust(record.from);
          return (await this.#findMined(record)) ?? (await this.#doubtNonce(record));
        case 'underpriced':
          if (!mayRaise) return record;
          return await this.#raise(record, false);
        case 'insufficientFunds':
          throw this.#poor(record.from, error);
        case 'impossible':
          return await this.#fill(record, attempt, error);
        case 'unknown':
          if (error instanceof RpcError && error.kind === 'rejected') throw error;
          // It may have been taken: the next look asks for it by its hash, or sends the same bytes again.
          return record;
      }
    }
    await store.markSent(record.id, attempt.number, parseQuantity(await rpc.request('eth_blockNumber')));
    return await this.#settleMined(await this.#reload(record));
  }

  async #settleMined(record: TransactionRecord): Promise<TransactionRecord> {
    return (await this.#findMined(record)) ?? record;
  }

  async #settle(record: TransactionRecord): Promise<TransactionRecord> {
    const mined = await this.#findMined(record);
    if (mined) return mined;
    const attempt = record.attempts.at(-1);
    if (attempt?.sentAt === undefined || attempt.sentBlock === undefined) return await this.#broadcast(record);
    const { rpc, raiseAfterBlocks = 3, resendAfterMs = 60_000 } = this.#options;
    const head = parseQuantity(await rpc.request('eth_blockNumber'));
    if (head - attempt.sentBlock >= raiseAfterBlocks) {
      const count = parseQuantity(await rpc.request('eth_getTransactionCount', [record.from, 'latest']));
      // While an earlier nonce is missing a higher fee cannot help.
      if (count === record.nonce) return await this.#raise(record);
      if (count > record.nonce) return (await this.#findMined(record)) ?? (await this.#doubtNonce(record));
    }
    return Date.now() - attempt.sentAt.getTime() >= resendAfterMs ? await this.#broadcast(record) : record;
  }

  async #raise(record: TransactionRecord, mayRaise = true): Promise<TransactionRecord> {
    const highest = record.attempts.reduce(
      (best, { maxFee, tip }) =>
        BigInt(maxFee) > best.max ? { max: BigInt(maxFee), tip: tip === undefined ? undefined : BigInt(tip) } : best,
      { max: -1n, tip: undefined as bigint | undefined },
    );
    const fee = raisedFee(highest, await currentFee(this.#options.rpc));
    return await this.#broadcast(await this.#sign(record, record.failure ? 'filler' : 'payload', fee), mayRaise);
  }

  /** These bytes can never be mined, but their nonce must be, or nothing after it would be. */
  async #fill(record: TransactionRecord, attempt: TransactionAttempt, error: unknown): Promise<TransactionRecord> {
    if (attempt.kind === 'filler') throw error;
    const failure = {
      code: 'evm.rpc',
      detail: `The node refuses the transaction: ${PatchbayError.from(error).message}`,
    } as const;
    await this.#options.store.setStatus(record.id, { status: record.status, failure });
    return await this.#raise({ ...record, failure });
  }

  /** The receipt of any attempt counts: an older one can win over the newest. */
  async #findMined(record: TransactionRecord): Promise<TransactionRecord | undefined> {
    for (const attempt of record.attempts.toReversed()) {
      const receipt = await findReceipt(this.#options.rpc, attempt.hash);
      if (!receipt) continue;
      this.#doubts.delete(record.id);
      await this.#options.store.setStatus(record.id, { status: 'mined', place: receipt.place });
      return await this.#confirm(await this.#reload(record), receipt);
    }
    return undefined;
  }

  async #confirm(record: TransactionRecord, known?: Receipt): Promise<TransactionRecord> {
    const { rpc, store } = this.#options;
    const { place } = record;
    if (!place) return record;
    const receipt = known ?? (await findReceipt(rpc, place.hash));
    if (receipt?.place.blockHash !== place.blockHash) {
      // The block has left the chain, or a node lags: the same bytes are sent again, which changes nothing if they are there.
      const block = await findBlock(rpc, place.blockNumber);
      if (!block || block.hash === place.blockHash) return record;
      await store.setStatus(record.id, { status: 'broadcast' });
      return await this.#broadcast(await this.#reload(record));
    }
    if (!(await this.#isDeep(record.finality, place.blockNumber))) return record;
    const isFiller = record.attempts.some(({ hash, kind }) => hash === place.hash && kind === 'filler');
    const failure = failureOf(record, receipt, isFiller);
    await store.setStatus(record.id, failure ? { status: 'failed', failure } : { status: 'confirmed' });
    return await this.#reload(record);
  }

  async #isDeep(finality: Finality, blockNumber: number): Promise<boolean> {
    const { rpc } = this.#options;
    if (finality === 0) return true;
    const head = parseQuantity(await rpc.request('eth_blockNumber'));
    if (typeof finality === 'number') return head - blockNumber >= finality;
    const final = await findBlock(rpc, finality).catch((error: unknown) => {
      if (error instanceof RpcError && error.kind === 'rejected') return undefined;
      throw error;
    });
    return blockNumber <= (final?.number ?? head - finalizedFallback);
  }

  /** No attempt has a receipt although the nonce is used. One answer is not enough: nodes lag, and receipts come late. */
  async #doubtNonce(record: TransactionRecord): Promise<TransactionRecord> {
    const since = this.#doubts.get(record.id);
    if (since === undefined) this.#doubts.set(record.id, performance.now());
    if (since === undefined || performance.now() - since < nonceDoubtMs) return record;
    for (const { hash } of record.attempts) {
      const seen = await this.#options.rpc.requestAll('eth_getTransactionByHash', [hash]);
      if (seen.some((transaction) => transaction !== null)) return record;
    }
    this.#doubts.delete(record.id);
    this.#options.log.error('A nonce was used by somebody else', { from: record.from, nonce: record.nonce });
    const failure: TransactionFailure = {
      code: 'evm.nonceTaken',
      detail: `Nonce ${String(record.nonce)} of ${record.from} was used by a transaction that is not ours`,
    };
    await this.#options.store.setStatus(record.id, { status: 'failed', failure });
    return await this.#reload(record);
  }

  async #reload(record: TransactionRecord): Promise<TransactionRecord> {
    const found = await this.#options.store.find(record.idempotencyKey);
    if (!found)
      throw new PatchbayError('internal', { detail: `The transaction ${record.id} has vanished from the store` });
    return found;
  }

  #poor(address: string, cause: unknown): PatchbayError {
    return new PatchbayError('evm.insufficientFunds', {
      detail: `${address} cannot pay for the transaction`,
      fix: 'Send it some of the coin of the network; the transaction then goes on by itself.',
      cause,
    });
  }
}

export function isFinal({ status }: TransactionRecord): boolean {
  return status === 'confirmed' || status === 'failed';
}

function failureOf(record: TransactionRecord, receipt: Receipt, isFiller: boolean): TransactionFailure | undefined {
  if (isFiller) return record.failure ?? { code: 'evm.rpc', detail: 'The transaction was given up' };
  if (receipt.isSuccess) return undefined;
  return { code: 'evm.reverted', detail: `The transaction ${receipt.place.hash} was mined and reverted` };
}

function hashPayload(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
