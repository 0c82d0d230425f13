import { hash } from 'node:crypto';
import { PatchbayError, type Logger } from '#sdk';
import type { Abi } from './abi.js';
import { toQuantity } from './block.js';
import { GasCeiling } from './gas-ceiling.js';
import { leastGas } from './least-gas.js';
import type { MinedBlocks } from './mined-blocks.js';
import { Outcomes } from './outcomes.js';
import { asRevert, type RevertReason } from './revert-reason.js';
import type { RpcClient } from './rpc-client.js';
import { SenderNonces } from './sender-nonces.js';
import { SignerPipelines } from './signer-pipelines.js';
import type { FeePolicy } from './signed-attempts.js';
import type { Signer, SignerSource } from './signer.js';
import { classifySubmission } from './submission-error.js';
import { TransactionWaits } from './transaction-waits.js';
import type {
  SenderLeases,
  StoredFeeWish,
  TransactionRecord,
  TransactionSignals,
  TransactionStore,
} from './transaction-store.js';
import type { FeeWish, SendRequest, Simulation, Transactions } from './transactions.js';

export interface TransactionManagerOptions {
  readonly rpc: RpcClient;
  readonly store: TransactionStore;
  readonly signers: SignerSource;
  readonly signals: TransactionSignals;
  readonly leases: SenderLeases;
  readonly fees: FeePolicy;
  readonly blocks: MinedBlocks;
  readonly log: Logger;
  /** Why a mined transaction was reverted; undefined when nobody can tell. */
  readonly explain: (record: TransactionRecord, blockNumber: number) => Promise<RevertReason | undefined>;
  readonly window: number;
  readonly perSecond?: number | undefined;
  /** Default 3. */
  readonly raiseAfterBlocks?: number;
  /** Default 60,000. */
  readonly resendAfterMs?: number;
}

/**
 * Sends on one network, at most once per idempotency key, whatever crashes in between: what is accepted is stored with its
 * nonce, and one process per signer takes it from there.
 */
export class TransactionManager implements Transactions {
  readonly #options: TransactionManagerOptions;
  readonly #nonces: SenderNonces;
  readonly #gasCeiling: GasCeiling;
  readonly #waits: TransactionWaits;
  readonly #pipelines: SignerPipelines;

  constructor(options: TransactionManagerOptions) {
    this.#options = options;
    const { rpc, store, log, signals, explain } = options;
    this.#nonces = new SenderNonces(rpc);
    this.#gasCeiling = new GasCeiling(rpc);
    this.#waits = new TransactionWaits(store, (listener) => signals.on(rpc.chainId, 'changed', listener));
    this.#pipelines = new SignerPipelines({
      ...options,
      outcomes: new Outcomes({ rpc, store, log, explain }),
      raiseAfterBlocks: options.raiseAfterBlocks ?? 3,
      resendAfterMs: options.resendAfterMs ?? 60_000,
      perSecond: options.perSecond,
      onChange: () => signals.tell(rpc.chainId, 'changed'),
    });
  }

  /** Begins to send what is accepted, here or elsewhere; without it this process only accepts. */
  start(): void {
    this.#pipelines.start();
  }

  /** What the signers that this process sends for are doing. */
  status(): ReturnType<SignerPipelines['status']> {
    return this.#pipelines.status();
  }

  async submit(request: SendRequest): Promise<TransactionRecord> {
    const { store, rpc, signers, signals } = this.#options;
    const signer = await signers.get(request.signer);
    const { idempotencyKey, to, data, value } = request;
    const payloadHashes = hashesOf(rpc.chainId, signer.address, request);
    if (request.gasLimit === undefined) {
      // What has been sent once would often be refused if it were tried again.
      const known = await store.findByKey(idempotencyKey);
      if (known) return sameOrConflict(known, payloadHashes);
    }
    if (request.gasLimit !== undefined) {
      assertGas(request.gasLimit, leastGas(request), await this.#gasCeiling.below(request.gasLimit));
    }
    // With the gas given nothing is asked of the node: what cannot be executed then fails on the chain.
    const gasLimit = request.gasLimit ?? (await this.#validate(request, signer));
    const record = await store.reserve(
      {
        idempotencyKey,
        payloadHash: payloadHashes[0],
        chainId: rpc.chainId,
        // By its own name: limits go by that, however it was addressed.
        signer: signer.name,
        from: signer.address,
        to,
        data,
        value: value.toString(),
        gasLimit: gasLimit.toString(),
        finality: request.finality,
        fee: storedWish(request.fee),
        about: request.about,
        origin: request.origin,
        ...(request.call && { call: request.call }),
        ...(request.deploys && { deploys: request.deploys }),
      },
      await this.#nonces.count(signer.address),
    );
    signals.tell(rpc.chainId, 'accepted');
    return sameOrConflict(record, payloadHashes);
  }

  async simulate(request: Omit<SendRequest, 'idempotencyKey' | 'finality'>): Promise<Simulation> {
    const signer = await this.#options.signers.get(request.signer);
    const gas = await this.#validate(request, signer);
    if (request.to === undefined) return { gas, output: '0x' };
    const call = callOf(request, signer);
    const output = await this.#options.rpc.request<string>('eth_call', [call, 'latest']).catch((error: unknown) => {
      throw asRevert(error, request.abi ?? []) ?? error;
    });
    return { gas, output };
  }

  async waitFor(
    id: string,
    until: 'broadcast' | 'mined' | 'final',
    wait: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<TransactionRecord> {
    return await this.#waits.waitFor(id, until, wait);
  }

  async cancel(id: string): Promise<TransactionRecord> {
    return await this.#wish(id, 'cancel');
  }

  async replace(id: string, fee: FeeWish): Promise<TransactionRecord> {
    return await this.#wish(id, 'replace', storedWish(fee));
  }

  async close(): Promise<void> {
    this.#waits.close();
    await this.#pipelines.close();
  }

  async #wish(id: string, wish: 'cancel' | 'replace', fee?: StoredFeeWish): Promise<TransactionRecord> {
    const { store, signals, rpc } = this.#options;
    const isWished = await store.wish(id, wish, fee);
    const [record] = await store.find([id]);
    if (!record) throw new PatchbayError('request.notFound', { detail: `There is no transaction ${id}` });
    if (!isWished) {
      throw new PatchbayError('request.conflict', {
        detail: `The transaction ${id} is ${record.status}: nothing can be done about it any more`,
      });
    }
    signals.tell(rpc.chainId, 'accepted');
    return record;
  }

  /** @returns the gas to allow: what the node estimates, and a fifth more as far as a block has it */
  async #validate(request: Omit<SendRequest, 'idempotencyKey' | 'finality'>, signer: Signer): Promise<bigint> {
    const { rpc, fees } = this.#options;
    try {
      const [[estimate, balance], fee] = await Promise.all([
        rpc.requestMany([
          { method: 'eth_estimateGas', params: [callOf(request, signer)] },
          { method: 'eth_getBalance', params: [signer.address, 'latest'] },
        ]),
        fees.current(),
      ]);
      const roomy = (BigInt(answerOf(estimate)) * 6n) / 5n;
      const gas = (await this.#gasCeiling.below(roomy)) ?? roomy;
      const has = BigInt(answerOf(balance));
      const needs = request.value + gas * fee.max;
      if (has < needs) throw poor(signer.address, undefined, ` of ${needs} wei, gas included: it has ${has}`);
      return gas;
    } catch (error) {
      if (classifySubmission(error) === 'insufficientFunds') throw poor(signer.address, error);
      throw asRevert(error, request.abi ?? ([] as Abi)) ?? error;
    }
  }
}

function sameOrConflict(record: TransactionRecord, payloadHashes: readonly string[]): TransactionRecord {
  if (payloadHashes.includes(record.payloadHash)) return record;
  throw new PatchbayError('request.conflict', {
    // Callers know their keys without what keeps them apart from those of others.
    detail: `The idempotency key ${record.idempotencyKey.replace(/^key:[0-9a-f-]{36}:/, '')} was used for another transaction: ${record.id}`,
    fix: 'Use a new key for a new transaction.',
  });
}

function callOf({ to, data, value }: Pick<SendRequest, 'to' | 'data' | 'value'>, signer: Signer): object {
  return { from: signer.address, data, value: toQuantity(value), ...(to === undefined ? {} : { to }) };
}

/** Nodes that take what they can never mine would hold up everything behind its nonce. */
function assertGas(given: bigint, least: bigint, ceiling: bigint | undefined): void {
  if (given >= least && ceiling === undefined) return;
  const [why, rule] =
    given < least
      ? [`it takes ${least} before anything is executed`, `It must be ${least} or more`]
      : [`a whole block has ${ceiling}`, `It must be ${ceiling} or less`];
  throw new PatchbayError('request.invalid', {
    detail: `With a gas limit of ${given} it can never be mined: ${why}`,
    fix: 'Leave the gas limit out, and it is estimated.',
    faults: [{ pointer: '#/gas', detail: rule }],
  });
}

function answerOf(answer: PromiseSettledResult<unknown> | undefined): string {
  if (answer?.status === 'fulfilled') return String(answer.value);
  throw PatchbayError.from(answer?.reason);
}

function poor(address: string, cause: unknown, sums = ''): PatchbayError {
  return new PatchbayError('evm.insufficientFunds', {
    detail: `${address} cannot pay for the transaction${sums}`,
    fix: 'Send it some of the coin of the network.',
    cause,
  });
}

function storedWish(fee: FeeWish | undefined): StoredFeeWish | undefined {
  if (!fee) return undefined;
  return {
    ...(fee.max === undefined ? {} : { max: fee.max.toString() }),
    ...(fee.tip === undefined ? {} : { tip: fee.tip.toString() }),
    ...(fee.cap === undefined ? {} : { cap: fee.cap.toString() }),
  };
}

/** The one to store, and what was stored of it by those who did not heed yet as what a contract is to be known. */
function hashesOf(
  chainId: number,
  from: string,
  { to, data, value, deploys }: SendRequest,
): readonly [string, ...string[]] {
  const payload = [chainId, from, to ?? null, data, value.toString()];
  if (deploys === undefined) return [hashPayload(payload)];
  return [hashPayload([...payload, deploys.name ?? null, deploys.interfaceId]), hashPayload(payload)];
}

function hashPayload(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex');
}
